/**
 * The journal as a port: the last record of each durable actor, and the ids of the events that it
 * has applied. Adapters: `runtime/adapters/journal.sqlite.ts`, `runtime/adapters/journal.memory.ts`.
 */

/** What one commit says of one actor. */
export interface JournalWrite {
  readonly path: string;
  /** The newest record; null when there is nothing to continue from, and only the ids stay. */
  readonly record: string | null;
  /** Ids that were applied since the last write of this path, oldest first. */
  readonly ids: readonly string[];
}

/** What a journal has of one actor. */
export interface JournalEntry {
  readonly record: string | null;
  /** The newest applied ids, oldest first, at most EVENT_IDS_MAX. */
  readonly ids: readonly string[];
  /** False when a checksum does not match: then nothing of the entry may be used. */
  readonly isSound: boolean;
}

/** A record that was set aside. */
export interface QuarantinedRecord {
  readonly path: string;
  /** Of the error it was set aside with. */
  readonly code: string;
  readonly atMs: number;
  /** As it was found. */
  readonly record: string;
}

/**
 * Keeps records. One writer; every method is synchronous, because an actor's effects wait for the
 * commit and the actors of one commit share its sync.
 */
export interface Journal {
  /** The newest entry of a path; undefined when there is none. */
  load(path: string): JournalEntry | undefined;
  /**
   * All writes or none; durable when it returns. Throws MESH_ERR_JOURNAL_UNAVAILABLE, and then
   * nothing of it is there.
   */
  commit(writes: readonly JournalWrite[]): void;
  /** Forgets records and ids of a path. Idempotent. Throws as `commit`. */
  forget(path: string): void;
  /** Moves the entry of a path to the quarantine, which keeps the newest QUARANTINED_MAX. */
  quarantine(path: string, code: string, atMs: number): void;
  /** Oldest first. */
  quarantined(): readonly QuarantinedRecord[];
  /** Idempotent; everything else throws MESH_ERR_JOURNAL_UNAVAILABLE from then on. */
  close(): void;
}

/** Ids that are remembered for each actor; an event sent again after so many others is a new one. */
export const EVENT_IDS_MAX = 4096;
/** Records kept aside. */
export const QUARANTINED_MAX = 64;
/** Characters of one record: it is written whole at every commit. */
export const RECORD_CHARS_MAX = 8 * 1024 * 1024;
