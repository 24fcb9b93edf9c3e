import type { Clock } from '../../machines/kernel/clock.ts';

/** Longest delay that Node's timers take; a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  setTimeout: (fn, delayMs) => setTimeout(fn, Math.min(delayMs, DELAY_MS_MAX)),
  clearTimeout: (id) => clearTimeout(id as NodeJS.Timeout),
};
