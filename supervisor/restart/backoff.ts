import type { Random } from '../../machines/kernel/random.ts';

/** How long to wait before the next restart of a child that keeps failing. */
export interface Backoff {
  /** Wait before the first restart, in milliseconds. */
  readonly minMs: number;
  /** Longest wait, in milliseconds. */
  readonly maxMs: number;
  /** Each further failure multiplies the wait by this. */
  readonly factor: number;
  /** Part of the wait, 0 to 1, that randomness may take away, so that a fleet does not march in step. */
  readonly jitter: number;
  /** A child that ran this long begins again with `minMs`. */
  readonly resetAfterMs: number;
}

/** The wait before restart number `attempt` in a row, counted from 0. */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: Random): number {
  const full = Math.min(backoff.maxMs, backoff.minMs * backoff.factor ** attempt);
  return full * (1 - backoff.jitter * random.fraction());
}
