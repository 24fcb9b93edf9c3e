/** Who waits for which event to be committed. */
import type { EventObject } from 'xstate';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import { journalError } from './errors.ts';

/** What `sendDurably` resolves with. */
export interface DurableReceipt {
  /** The id was applied before; this time nothing was done. */
  readonly isDuplicate: boolean;
}

/** One event under way, known by the identity of its object. */
export interface Awaited {
  readonly path: string;
  readonly id: string | undefined;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  /** Nobody waits any more; if it is handled after all, its id still counts. */
  isLate?: boolean;
  resolve(receipt: DurableReceipt): void;
  reject(error: unknown): void;
}

/** Events that may wait for their commit at once, in one tree. */
export const AWAITED_MAX = 1_000_000;

/**
 * See the head of this file. Deadlines are looked at together, so that a hundred thousand waiting
 * events do not set a hundred thousand timers: an answer may come late by a tenth of a second.
 */
export class Acknowledgements {
  readonly #clock: Clock;
  readonly #awaited = new Map<EventObject, Awaited>();
  #timer: TimerId;
  #isArmed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#awaited.size;
  }

  add(event: EventObject, awaited: Awaited): void {
    this.#awaited.set(event, awaited);
    if (!this.#isArmed) this.#arm();
  }

  get(event: EventObject): Awaited | undefined {
    return this.#awaited.size === 0 ? undefined : this.#awaited.get(event);
  }

  /** Whoever awaits the event, once; it is not looked after any more. */
  take(event: EventObject): Awaited | undefined {
    const awaited = this.get(event);
    if (awaited) this.#awaited.delete(event);
    return awaited;
  }

  /** The event reached nobody. */
  refuse(event: EventObject, reason: string): void {
    const awaited = this.take(event);
    awaited?.reject(eventRefused(awaited.path, reason));
  }

  /** Nothing will be committed any more. */
  close(): void {
    if (this.#isArmed) this.#clock.clearTimeout(this.#timer);
    this.#isArmed = false;
    for (const event of this.#awaited.keys()) this.refuse(event, 'ended');
  }

  #arm(): void {
    this.#isArmed = true;
    this.#timer = this.#clock.setTimeout(() => this.#sweep(), 100);
  }

  #sweep(): void {
    this.#isArmed = false;
    const nowMs = this.#clock.monotonicNow();
    let isAwaited = false;
    for (const awaited of this.#awaited.values()) {
      if (awaited.isLate) continue;
      if (awaited.deadlineMs > nowMs) {
        isAwaited = true;
        continue;
      }
      awaited.isLate = true;
      awaited.reject(timedOut(awaited.path));
    }
    if (isAwaited) this.#arm();
  }
}

/** An event that nobody could keep. */
export const eventRefused = (path: string, reason: string): Error =>
  journalError(
    'MESH_ERR_JOURNAL_EVENT_REFUSED',
    `An event for ${path} was not applied: ${reason.replaceAll('_', ' ')}.`,
    { details: { path, reason } },
  );

const timedOut = (path: string): Error =>
  journalError(
    'MESH_ERR_JOURNAL_EVENT_TIMED_OUT',
    `An event for ${path} was not committed in time.`,
    { details: { path } },
  );
