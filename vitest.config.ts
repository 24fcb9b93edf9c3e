import { defineConfig } from 'vitest/config';

/**
 * `core` is the inner loop of `npm run check`. What takes longer is in `npm test`: `deep` uses all cores,
 * `proof` has the machine for itself, one file at a time.
 */
export default defineConfig({
  test: {
    // Vitest's default leaves a core idle, which is half of a small machine.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'core',
          include: ['specs/**/*.spec.ts'],
          exclude: ['specs/deep/**', 'specs/scenarios/**'],
          pool: 'forks',
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'deep',
          include: ['specs/deep/**/*.spec.ts'],
          pool: 'forks',
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'proof',
          include: ['specs/scenarios/**/*.spec.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
