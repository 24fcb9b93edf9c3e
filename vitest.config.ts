import { defineConfig } from 'vitest/config';

/** `core` is the inner loop of `npm run check`; `proof` is the long part of `npm test`. */
export default defineConfig({
  test: {
    // Vitest's default leaves a core idle, which is half of a small machine.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'core',
          include: ['specs/**/*.spec.ts'],
          exclude: ['specs/scenarios/**'],
          pool: 'forks',
          testTimeout: 20_000,
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
