import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import type { Cell } from './cell.ts';

/** Delayed events, indexed by the actor that set them, so that its end costs only its own. */
export class ActorTimers {
  readonly #clock: Clock;
  #number = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns its id. One without gets a number; nobody can cancel it but the actor's end. */
  set(cell: Cell, id: string | undefined, delayMs: number, fire: () => void): string {
    const timers = (cell.timers ??= new Map<string, TimerId>());
    const key = id ?? `timer.${this.#number++}`;
    // XState lets the older of two timers with one id fire; under a key of its own it still ends here.
    if (timers.has(key)) timers.set(`${key}#${this.#number++}`, timers.get(key));
    const timer = this.#clock.setTimeout(() => {
      if (timers.get(key) === timer) timers.delete(key);
      else for (const [other, known] of timers) if (known === timer) timers.delete(other);
      fire();
    }, delayMs);
    timers.set(key, timer);
    return key;
  }

  /** Whether there was one. */
  clear(cell: Cell | undefined, id: string): boolean {
    if (!cell?.timers?.has(id)) return false;
    this.#clock.clearTimeout(cell.timers.get(id));
    return cell.timers.delete(id);
  }

  clearAll(cell: Cell | undefined): void {
    if (!cell?.timers) return;
    for (const timer of cell.timers.values()) this.#clock.clearTimeout(timer);
    cell.timers = undefined;
  }
}
