/** The lines of the tree at one moment of a recording; it can go on, and back. */
import type { ActorRow, LogRow } from '../ui/wire.types.ts';
import type { Recorded } from './recording.types.ts';

/** What of the tree is different at another moment. */
export interface Difference {
  readonly actors: readonly ActorRow[];
  readonly gone: readonly string[];
}

const STATUS_OF: Readonly<Partial<Record<LogRow['kind'], string>>> = {
  start: 'running',
  restart: 'running',
  stop: 'stopped',
  crash: 'crashed',
};

export class Moment {
  readonly #recorded: Recorded;
  #rows = new Map<string, ActorRow>();
  /** Changes that are in the rows. */
  #done = 0;
  #seq = -1;

  constructor(recorded: Recorded) {
    this.#recorded = recorded;
    this.goTo(null);
  }

  /** The log line after which this is; the rows of the tree are those that people saw then. */
  get seq(): number {
    return this.#seq;
  }

  rows(): readonly ActorRow[] {
    return [...this.#rows.values()];
  }

  row(path: string): ActorRow | undefined {
    return this.#rows.get(path);
  }

  /** To just after that log line, or to the end. Going on costs what happened; going back begins anew. */
  goTo(seq: number | null): Difference {
    const { info, changes } = this.#recorded;
    const to = seq === null ? info.lastSeq : Math.min(Math.max(seq, info.firstSeq), info.lastSeq);
    const before = this.#rows;
    if (to < this.#seq) this.#done = 0;
    this.#rows = to < this.#seq ? new Map() : new Map(before);
    for (; this.#done < changes.length; this.#done++) {
      const change = changes[this.#done];
      if (change === undefined || change.seq > to) break;
      if (change.type === 'log') this.#apply(change);
      else {
        for (const row of change.actors) this.#rows.set(row.path, row);
        for (const path of change.gone) this.#rows.delete(path);
      }
    }
    this.#seq = to;
    return differenceOf(before, this.#rows);
  }

  #apply({ path, kind, state, atMs }: LogRow): void {
    const row = this.#rows.get(path);
    if (row === undefined) return;
    const status = STATUS_OF[kind];
    this.#rows.set(path, {
      ...row,
      state: state ?? row.state,
      events: row.events + (kind === 'event' ? 1 : 0),
      ...(status === undefined ? {} : { status, sinceMs: atMs }),
    });
  }
}

function differenceOf(
  before: ReadonlyMap<string, ActorRow>,
  after: ReadonlyMap<string, ActorRow>,
): Difference {
  return {
    actors: [...after.values()].filter((row) => before.get(row.path) !== row),
    gone: [...before.keys()].filter((path) => !after.has(path)),
  };
}
