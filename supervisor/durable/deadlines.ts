/** The delayed events of a durable actor and of what its machine owns, by the wall clock. */
import type { EventObject } from 'xstate';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { Cell } from '../delivery/cell.ts';

/** One delayed event. */
export interface Deadline {
  readonly id: string | undefined;
  readonly event: EventObject;
  readonly target: unknown;
  readonly dueAtMs: number;
  readonly delayMs: number;
}

/** See the head of this file. A deadline stays until its event is handled, not until it fires. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #byCell = new Map<Cell, Map<string, Deadline>>();
  #number = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  set(
    cell: Cell,
    id: string | undefined,
    delayMs: number,
    event: EventObject,
    target: unknown,
  ): void {
    let own = this.#byCell.get(cell);
    if (!own) this.#byCell.set(cell, (own = new Map()));
    const dueAtMs = this.#clock.now() + delayMs;
    own.set(id ?? `#${this.#number++}`, { id, event, target, dueAtMs, delayMs });
  }

  clear(cell: Cell, id: string): void {
    this.#byCell.get(cell)?.delete(id);
  }

  clearAll(cell: Cell): void {
    this.#byCell.delete(cell);
  }

  /**
   * The deadline that has brought this event, of those that could the oldest; calling it forgets it.
   * One that is set anew in between stays.
   */
  of(source: Cell, event: EventObject): (() => void) | undefined {
    const own = this.#byCell.get(source);
    if (!own) return undefined;
    let oldest: readonly [string, Deadline] | undefined;
    for (const entry of own)
      if (entry[1].event === event && (!oldest || entry[1].dueAtMs < oldest[1].dueAtMs))
        oldest = entry;
    if (!oldest) return undefined;
    const [key, deadline] = oldest;
    return () => {
      if (own.get(key) === deadline) own.delete(key);
    };
  }

  /** All that are set. */
  *all(): Generator<readonly [Cell, Deadline]> {
    for (const [cell, own] of this.#byCell)
      for (const deadline of own.values()) yield [cell, deadline];
  }
}
