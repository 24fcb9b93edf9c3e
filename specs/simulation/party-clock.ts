import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

/** One program's view of time: its wall clock is off, and when the program dies its timers go with it. */
export class PartyClock implements Clock {
  readonly #world: VirtualClock;
  readonly #timers = new Set<TimerId>();
  readonly #originMs: number;
  skewMs: number;
  #isDead = false;

  constructor(world: VirtualClock, skewMs: number) {
    this.#world = world;
    this.skewMs = skewMs;
    this.#originMs = world.monotonicNow();
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  now(): number {
    return this.#world.now() + this.skewMs;
  }

  /** From the start of the program, as that of a machine that was rebooted. */
  monotonicNow(): number {
    return this.#world.monotonicNow() - this.#originMs;
  }

  setTimeout(fn: () => void, delayMs: number): TimerId {
    if (this.#isDead) return undefined;
    const id = this.#world.setTimeout(() => {
      this.#timers.delete(id);
      fn();
    }, delayMs);
    this.#timers.add(id);
    return id;
  }

  clearTimeout(id: TimerId): void {
    this.#timers.delete(id);
    this.#world.clearTimeout(id);
  }

  kill(): void {
    this.#isDead = true;
    for (const id of this.#timers) this.#world.clearTimeout(id);
    this.#timers.clear();
  }
}
