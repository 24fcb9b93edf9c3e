/**
 * The journal in one SQLite file: write-ahead log, every commit synced, one writer. It only ever
 * appends, because a sequential insert costs a tenth of an update by key, and forgets what is out of
 * date in one sweep when that is three quarters of the file.
 */
import { crc32 } from 'node:zlib';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { QUARANTINED_MAX, journalError } from '../../supervisor/index.ts';
import type {
  Journal,
  JournalEntry,
  JournalWrite,
  QuarantinedRecord,
} from '../../supervisor/index.ts';
import { JournalIndex } from './journal/journal-index.ts';
import type { Row } from './journal/journal-index.ts';
import { asJournalError, openDatabase } from './journal/open-database.ts';

/** Where a journal is, and what it works with. */
export interface SqliteJournalOptions {
  /** The file, made where it is missing; its folder must exist. `:memory:` for one that is lost. */
  readonly path: string;
  readonly clock: Clock;
  /** Largest size of the file, in bytes; a commit beyond it is refused. Default 8 GiB. */
  readonly bytesMax?: number;
  /**
   * Is told of a damaged file that was renamed and replaced: MESH_ERR_JOURNAL_CORRUPT. Default: a
   * warning of the process.
   */
  readonly onCorrupt?: (error: CodedError) => void;
}

/**
 * Opens a journal. Throws MESH_ERR_JOURNAL_LOCKED where another one has the file, else
 * MESH_ERR_JOURNAL_SCHEMA_NEWER or MESH_ERR_JOURNAL_UNAVAILABLE.
 */
export function openJournal(options: SqliteJournalOptions): Journal {
  const { path, clock, bytesMax = BYTES_MAX_DEFAULT } = options;
  const onCorrupt = options.onCorrupt ?? ((error: CodedError) => process.emitWarning(error));
  try {
    return new SqliteJournal(path, openDatabase({ path, clock, bytesMax, onCorrupt }));
  } catch (error) {
    throw asJournalError(error, path);
  }
}

/** What stands between the parts of a row that its checksum is of. */
const checksumOf = ({ path, kind, record, ids }: Omit<Row, 'seq' | 'crc'>): number =>
  crc32(`${path}\n${kind}\n${record ?? ''}\n${ids ?? ''}`);

const BYTES_MAX_DEFAULT = 8 * 1024 ** 3;
/** Appends to let pass after a sweep that failed. */
const SWEEP_PAUSE = 1000;

const COLUMNS = 'seq, path, kind, record, ids, crc';

class SqliteJournal implements Journal {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #index = new JournalIndex();
  readonly #insert: StatementSync;
  readonly #select: StatementSync;
  #isOpen = true;
  /** Appends before the next try to sweep. */
  #appendsToSweep = 0;

  constructor(path: string, db: DatabaseSync) {
    this.#path = path;
    this.#db = db;
    this.#insert = db.prepare(`INSERT INTO journal (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#select = db.prepare(`SELECT ${COLUMNS} FROM journal WHERE seq = ?`);
    for (const found of db.prepare(`SELECT ${COLUMNS} FROM journal ORDER BY seq`).iterate()) {
      const row = found as unknown as Row;
      this.#index.add(row, row.crc === checksumOf(row));
    }
  }

  load(path: string): JournalEntry | undefined {
    return this.#guarded(() => this.#entry(path));
  }

  commit(writes: readonly JournalWrite[]): void {
    const rows = writes.map(({ path, record, ids }) =>
      this.#row(path, 'write', record, ids.length > 0 ? JSON.stringify(ids) : null),
    );
    this.#append(rows, () => {});
  }

  forget(path: string): void {
    if (this.#index.has(path)) this.#append([this.#row(path, 'forget', null, null)], () => {});
  }

  quarantine(path: string, code: string, atMs: number): void {
    const entry = this.#guarded(() => this.#entry(path));
    if (!entry) return;
    const { record, ids } = entry;
    this.#append([this.#row(path, 'forget', null, null)], () => {
      this.#db
        .prepare('INSERT INTO quarantine (path, code, at_ms, record, ids) VALUES (?, ?, ?, ?, ?)')
        .run(path, code, atMs, record ?? '', JSON.stringify(ids));
      this.#db
        .prepare(
          'DELETE FROM quarantine WHERE seq NOT IN (SELECT seq FROM quarantine ORDER BY seq DESC LIMIT ?)',
        )
        .run(QUARANTINED_MAX);
    });
  }

  quarantined(): readonly QuarantinedRecord[] {
    const sql = 'SELECT path, code, at_ms AS atMs, record FROM quarantine ORDER BY seq';
    return this.#guarded(() =>
      this.#db
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }) as unknown as QuarantinedRecord),
    );
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#db.close();
  }

  #row(path: string, kind: Row['kind'], record: string | null, ids: string | null): Row {
    const row = { path, kind, record, ids };
    return { seq: 0, ...row, crc: checksumOf(row) };
  }

  #entry(path: string): JournalEntry | undefined {
    const live = this.#index.get(path);
    if (!live) return undefined;
    const record = this.#read(live.recordSeq)?.record ?? null;
    const ids = live.idRows.flatMap(({ seq }) => idsOf(this.#read(seq)));
    return { record, ids, isSound: live.isSound };
  }

  #read(seq: number): Row | undefined {
    return this.#select.get(seq) as unknown as Row | undefined;
  }

  /** The rows and whatever `also` writes, all or nothing; the index follows what is on disk. */
  #append(rows: readonly Row[], also: () => void): void {
    this.#transaction(() => {
      let { seq } = this.#index;
      for (const { path, kind, record, ids, crc } of rows)
        this.#insert.run(++seq, path, kind, record, ids, crc);
      also();
    });
    for (const row of rows) this.#index.add({ ...row, seq: this.#index.seq + 1 }, true);
    if (this.#index.isWasteful && this.#appendsToSweep-- <= 0) this.#sweep();
  }

  #sweep(): void {
    try {
      this.#compact();
    } catch {
      // What was to be committed is: a full disk only keeps the file from shrinking, for now.
      this.#appendsToSweep = SWEEP_PAUSE;
    }
  }

  /** Appends what is live once more, as one row for each path, and deletes everything before. */
  #compact(): void {
    const before = this.#index.seq;
    const rows: Row[] = [];
    for (const path of this.#index.paths()) {
      const entry = this.#entry(path);
      if (!entry) continue;
      const ids = entry.ids.length > 0 ? JSON.stringify(entry.ids) : null;
      const row = this.#row(path, 'write', entry.record, ids);
      // What is damaged stays so, for whoever asks for it.
      rows.push(entry.isSound ? row : { ...row, crc: row.crc === 0 ? 1 : 0 });
    }
    this.#transaction(() => {
      let seq = before;
      for (const { path, kind, record, ids, crc } of rows)
        this.#insert.run(++seq, path, kind, record, ids, crc);
      this.#db.prepare('DELETE FROM journal WHERE seq <= ?').run(before);
    });
    this.#index.clear();
    for (const row of rows)
      this.#index.add({ ...row, seq: this.#index.seq + 1 }, row.crc === checksumOf(row));
  }

  #transaction(work: () => void): void {
    this.#guarded(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.#db.exec('COMMIT');
      } catch (error) {
        // SQLite has rolled back by itself where the disk was full or failed.
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #guarded<Result>(work: () => Result): Result {
    if (!this.#isOpen)
      throw journalError('MESH_ERR_JOURNAL_UNAVAILABLE', 'The journal was used after its end.');
    try {
      return work();
    } catch (error) {
      throw asJournalError(error, this.#path);
    }
  }
}

function idsOf(row: Row | undefined): string[] {
  if (typeof row?.ids !== 'string') return [];
  try {
    return JSON.parse(row.ids) as string[];
  } catch {
    // Its checksum does not match either, so nobody uses the entry.
    return [];
  }
}
