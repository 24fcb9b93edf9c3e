/** Time as a port. Everything that waits or looks at the time does it through one of these. */

export type TimerId = unknown;

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch; it may jump. */
  now(): number;
  /** Milliseconds from an arbitrary origin; it never goes backwards. Measure durations with it. */
  monotonicNow(): number;
  /** Calls `fn` once, `delayMs` from now, never synchronously. */
  setTimeout(fn: () => void, delayMs: number): TimerId;
  /** Idempotent; an unknown or fired timer is ignored. */
  clearTimeout(id: TimerId): void;
}
