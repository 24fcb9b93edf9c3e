import { defineConfig } from 'vitest/config';

/** `core` is the inner loop of `npm run check`; `proof` is the long part of `npm test`. */
export default defineConfig({
  test: {
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
