import { randomBytes } from 'node:crypto';
import type { Random } from '../../machines/kernel/random.ts';

/** The operating system's randomness. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};
