/** A journal in memory: what a disk would hold, and what can go wrong with one. */
import { EVENT_IDS_MAX, QUARANTINED_MAX, journalError } from '../../supervisor/index.ts';
import type {
  Journal,
  JournalEntry,
  JournalWrite,
  QuarantinedRecord,
} from '../../supervisor/index.ts';

/** All that survives a crash of the program. */
export interface DiskImage {
  readonly entries: readonly (readonly [string, JournalEntry])[];
  readonly quarantined: readonly QuarantinedRecord[];
}

/** When something happens to a commit. */
export type CommitMoment = 'before' | 'after';

/** See the head of this file. */
export class MemoryJournal implements Journal {
  /** Commits so far. */
  commits = 0;
  /** Called at each commit: what it throws before refuses it, as a full disk does. */
  onCommit: ((moment: CommitMoment, writes: readonly JournalWrite[]) => void) | undefined;
  readonly #entries: Map<string, JournalEntry>;
  #quarantined: readonly QuarantinedRecord[];
  #isOpen = true;

  /** With an image: the journal of a program that is started after a crash. */
  constructor(image?: DiskImage) {
    this.#entries = new Map(image?.entries);
    this.#quarantined = image?.quarantined ?? [];
  }

  image(): DiskImage {
    return { entries: [...this.#entries], quarantined: this.#quarantined };
  }

  load(path: string): JournalEntry | undefined {
    this.#assertOpen();
    return this.#entries.get(path);
  }

  commit(writes: readonly JournalWrite[]): void {
    this.#assertOpen();
    this.onCommit?.('before', writes);
    for (const { path, record, ids } of writes) {
      const known = this.#entries.get(path);
      const all = [...(known?.ids ?? []), ...ids].slice(-EVENT_IDS_MAX);
      this.#entries.set(path, { record, ids: all, isSound: known?.isSound ?? true });
    }
    this.commits++;
    this.onCommit?.('after', writes);
  }

  forget(path: string): void {
    this.#assertOpen();
    this.#entries.delete(path);
  }

  quarantine(path: string, code: string, atMs: number): void {
    const entry = this.load(path);
    if (!entry) return;
    const kept = { path, code, atMs, record: entry.record ?? '' };
    this.#quarantined = [...this.#quarantined, kept].slice(-QUARANTINED_MAX);
    this.#entries.delete(path);
  }

  quarantined(): readonly QuarantinedRecord[] {
    return this.#quarantined;
  }

  close(): void {
    this.#isOpen = false;
  }

  /** Writes half of a record, as power that fails in between does. */
  tear(path: string): void {
    const { record, ids } = this.load(path) ?? { record: '', ids: [] };
    const half = record?.slice(0, record.length / 2) ?? null;
    this.#entries.set(path, { record: half, ids, isSound: false });
  }

  /** Puts that text in the place of a record. */
  forge(path: string, record: string): void {
    this.#entries.set(path, { record, ids: [], isSound: true });
  }

  /** What is kept of a path, as an object. */
  recordOf(path: string): Readonly<Record<string, unknown>> | undefined {
    const record = this.#entries.get(path)?.record;
    return typeof record === 'string' ? (JSON.parse(record) as Record<string, unknown>) : undefined;
  }

  #assertOpen(): void {
    if (!this.#isOpen)
      throw journalError('MESH_ERR_JOURNAL_UNAVAILABLE', 'The journal was used after its end.');
  }
}

/** What a full disk says. */
export const diskFull = (): Error =>
  journalError('MESH_ERR_JOURNAL_UNAVAILABLE', 'The disk is full.');
