import type { Clock, TimerId } from '../../machines/kernel/clock.ts';

interface Timer {
  readonly due: number;
  readonly sequence: number;
  readonly fn: () => void;
  live: boolean;
}

const isBefore = (a: Timer, b: Timer): boolean =>
  a.due < b.due || (a.due === b.due && a.sequence < b.sequence);

/**
 * A clock that moves only when told to. Timers fire in the order of (due, sequence), each at its own
 * instant, also those that a firing timer sets: XState's SimulatedClock fires chained timers wrongly.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #sequence = 0;
  #heap: Timer[] = [];
  #live = 0;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  /** Timers that are set and have neither fired nor been cleared. */
  get pending(): number {
    return this.#live;
  }

  /** Whole milliseconds, as those of the system's wall clock are, however long a timer was. */
  now(): number {
    return Math.floor(this.#nowMs);
  }

  monotonicNow(): number {
    return this.#nowMs;
  }

  setTimeout(fn: () => void, delayMs: number): TimerId {
    const due = this.#nowMs + Math.max(0, delayMs);
    const timer: Timer = { due, sequence: this.#sequence++, fn, live: true };
    this.#push(timer);
    this.#live++;
    return timer;
  }

  clearTimeout(id: TimerId): void {
    const timer = id as Timer | undefined;
    if (!timer?.live) return;
    timer.live = false;
    this.#live--;
  }

  /** Moves time forward by `ms`; what each fired timer set in motion settles before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settle();
    for (let next = this.#peek(); next && next.due <= end; next = this.#peek()) {
      this.#pop();
      this.#nowMs = Math.max(this.#nowMs, next.due);
      next.live = false;
      this.#live--;
      next.fn();
      await settle();
    }
    this.#nowMs = end;
  }

  /** Moves time to the next timer and fires it; false when none is set. */
  async fireNext(): Promise<boolean> {
    await settle();
    const next = this.#peek();
    if (next === undefined) return false;
    await this.advance(Math.max(0, next.due - this.#nowMs));
    return true;
  }

  /**
   * Moves time to the next timer, fires it, and lets `turns` of the event loop pass: one is enough for all
   * that promises alone set in motion. False when no timer is set.
   */
  async step(turns = 1): Promise<boolean> {
    const next = this.#peek();
    if (next === undefined) return false;
    this.#pop();
    this.#nowMs = Math.max(this.#nowMs, next.due);
    next.live = false;
    this.#live--;
    next.fn();
    await settle(turns);
    return true;
  }

  #peek(): Timer | undefined {
    while (this.#heap[0] && !this.#heap[0].live) this.#pop();
    return this.#heap[0];
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (!parent || !isBefore(timer, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const left = heap[down];
      if (!left) break;
      const right = heap[down + 1];
      if (right && isBefore(right, left)) down++;
      const child = heap[down];
      if (!child || !isBefore(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}

/** Lets microtasks and one turn of setImmediate pass, so that run queues drain. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn++)
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
}
