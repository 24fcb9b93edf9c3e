/** One observer of a tree: a ring of what it has not been told yet. */
import type { Defer } from '../ports.ts';
import type { EntriesLost, TreeInspection } from './inspection.types.ts';

/** A slice of the run queue makes fewer entries than this, so an observer that keeps up loses none. */
export const ENTRIES_MAX_DEFAULT = 4096;

/** What an observation is made of. */
export interface ObservationOptions {
  readonly observer: (seen: TreeInspection) => void;
  readonly entriesMax: number;
  readonly defer: Defer;
  /** Called once, when the observer has thrown; it is told nothing more. */
  readonly failed: (error: unknown) => void;
}

/** Constant cost for each entry; the observer runs in a turn of its own, never on an actor's stack. */
export class Observation {
  readonly #options: ObservationOptions;
  readonly #ring: TreeInspection[] = [];
  /** Place of the oldest entry, once the ring is full. */
  #from = 0;
  #lost = 0;
  #lostInAll = 0;
  #isDue = false;
  #isOver = false;

  constructor(options: ObservationOptions) {
    this.#options = options;
  }

  add(entry: TreeInspection): void {
    const { entriesMax, defer } = this.#options;
    if (this.#ring.length < entriesMax) this.#ring.push(entry);
    else {
      this.#ring[this.#from] = entry;
      this.#from = (this.#from + 1) % entriesMax;
      this.#lost++;
    }
    if (this.#isDue) return;
    this.#isDue = true;
    defer(this.#tell);
  }

  /** What has not been told is forgotten. */
  close(): void {
    this.#isOver = true;
    this.#ring.length = 0;
  }

  readonly #tell = (): void => {
    this.#isDue = false;
    const entries = this.#take();
    try {
      for (const entry of entries) {
        if (this.#isOver) return;
        this.#options.observer(entry);
      }
    } catch (error) {
      this.close();
      this.#options.failed(error);
    }
  };

  #take(): TreeInspection[] {
    const entries = this.#ring.splice(0);
    const ordered =
      this.#from === 0 ? entries : [...entries.slice(this.#from), ...entries.slice(0, this.#from)];
    const next = ordered[0];
    if (this.#lost > 0 && next) ordered.unshift(this.#loss(next));
    this.#from = 0;
    this.#lost = 0;
    return ordered;
  }

  #loss({ seq, atMs }: TreeInspection): EntriesLost {
    this.#lostInAll += this.#lost;
    return {
      type: 'entries.lost',
      seq: seq - 1,
      atMs,
      lost: this.#lost,
      lostInAll: this.#lostInAll,
    };
  }
}
