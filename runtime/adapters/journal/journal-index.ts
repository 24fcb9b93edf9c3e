/** Which rows of the journal count: for each path its newest record, and the rows with newer ids. */
import { EVENT_IDS_MAX } from '../../../supervisor/index.ts';

/** One row, as it is on disk. */
export interface Row {
  readonly seq: number;
  readonly path: string;
  readonly kind: 'write' | 'forget';
  readonly record: string | null;
  /** A JSON array of texts. */
  readonly ids: string | null;
  /** CRC-32 of all the others but seq. */
  readonly crc: number;
}

interface Live {
  recordSeq: number;
  chars: number;
  idRows: { readonly seq: number; readonly count: number }[];
  idCount: number;
  isSound: boolean;
}

/** A file of this size is not worth sweeping. */
const ROWS_MIN = 20_000;
const CHARS_MIN = 16 * 1024 * 1024;
/** The file may be so many times as large as what counts of it. */
const WASTE_FACTOR = 4;

/** Kept in memory: a few numbers for each path. */
export class JournalIndex {
  /** Of the newest row. */
  seq = 0;
  readonly #live = new Map<string, Live>();
  #rows = 0;
  #chars = 0;
  #liveRows = 0;
  #liveChars = 0;

  has(path: string): boolean {
    return this.#live.has(path);
  }

  get(path: string): Readonly<Live> | undefined {
    return this.#live.get(path);
  }

  paths(): IterableIterator<string> {
    return this.#live.keys();
  }

  /** Most of the file is out of date. */
  get isWasteful(): boolean {
    return (
      this.#rows > Math.max(ROWS_MIN, WASTE_FACTOR * this.#liveRows) ||
      this.#chars > Math.max(CHARS_MIN, WASTE_FACTOR * this.#liveChars)
    );
  }

  clear(): void {
    this.#live.clear();
    this.#rows = 0;
    this.#chars = 0;
    this.#liveRows = 0;
    this.#liveChars = 0;
  }

  add(row: Row, isSound: boolean): void {
    const { seq, path, kind } = row;
    const chars = (row.record?.length ?? 0) + (row.ids?.length ?? 0);
    this.seq = Math.max(this.seq, seq);
    this.#rows++;
    this.#chars += chars;
    const known = this.#live.get(path);
    if (known) {
      this.#liveRows -= 1 + known.idRows.length;
      this.#liveChars -= known.chars;
    }
    // A damaged row may have been anything: it is looked at as a write, and spoils the entry.
    if (kind === 'forget' && isSound) {
      this.#live.delete(path);
      return;
    }
    const live = known ?? { recordSeq: 0, chars: 0, idRows: [], idCount: 0, isSound: true };
    live.recordSeq = seq;
    live.chars = chars;
    live.isSound &&= isSound;
    if (row.ids !== null) this.#addIds(live, seq, row.ids);
    this.#live.set(path, live);
    this.#liveRows += 1 + live.idRows.length;
    this.#liveChars += live.chars;
  }

  /** Rows whose ids are all older than the newest EVENT_IDS_MAX do not count any more. */
  #addIds(live: Live, seq: number, ids: string): void {
    const count = idCountOf(ids);
    live.idRows.push({ seq, count });
    live.idCount += count;
    let [oldest] = live.idRows;
    while (oldest && live.idCount - oldest.count >= EVENT_IDS_MAX) {
      live.idRows.shift();
      live.idCount -= oldest.count;
      [oldest] = live.idRows;
    }
  }
}

/** In JSON a quotation mark inside of a text is escaped, so this finds the commas between texts. */
function idCountOf(ids: string): number {
  let count = 1;
  for (let at = ids.indexOf('","'); at >= 0; at = ids.indexOf('","', at + 3)) count++;
  return count;
}
