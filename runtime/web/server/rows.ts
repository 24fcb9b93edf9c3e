import type { ActorRow, LogRow } from '../ui/wire.types.ts';
import { LOG_ROWS_MAX } from '../recorder/bounds.ts';
import type { Delta } from '../recorder/recorder.ts';
import { Ring } from '../recorder/ring.ts';

/** Deltas that a viewer may have missed and can still be given; ten seconds of them. */
const DELTAS_MAX = 100;

/** The server's copy of what the recorder has. */
export class Rows {
  readonly #actors = new Map<string, ActorRow>();
  readonly #log = new Ring<LogRow>(LOG_ROWS_MAX);
  readonly #deltas = new Ring<Delta>(DELTAS_MAX);
  cursor = 0;

  apply(delta: Delta, isAll: boolean): void {
    if (isAll) {
      this.#actors.clear();
      this.#log.clear();
      this.#deltas.clear();
    } else this.#deltas.push(delta);
    for (const row of delta.actors) this.#actors.set(row.path, row);
    for (const path of delta.gone) this.#actors.delete(path);
    for (const row of delta.log) this.#log.push(row);
    this.cursor = delta.cursor;
  }

  actors(): ActorRow[] {
    return [...this.#actors.values()];
  }

  log(): LogRow[] {
    return this.#log.toArray();
  }

  /** The deltas after a cursor, or undefined when some of them are gone. */
  since(cursor: number): Delta[] | undefined {
    if (cursor === this.cursor) return [];
    const missed = this.#deltas.toArray().filter((delta) => delta.cursor > cursor);
    return missed[0]?.cursor === cursor + 1 ? missed : undefined;
  }
}
