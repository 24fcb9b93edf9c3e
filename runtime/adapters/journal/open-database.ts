import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../machines/kernel/clock.ts';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { journalError } from '../../../supervisor/index.ts';
import {
  SQLITE_BUSY,
  UnsoundFile,
  isCorruption,
  moveAside,
  sqliteCodeOf,
} from '../sqlite/damage.ts';
import { makePrivate, pragma } from '../sqlite/private-file.ts';

/** `Myj1` in ASCII: the file is a journal of actors. */
const APPLICATION_ID = 0x4d796a31;
/** History: 1, the first. */
const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE journal (
    seq    INTEGER PRIMARY KEY,
    path   TEXT NOT NULL,
    kind   TEXT NOT NULL,
    record TEXT,
    ids    TEXT,
    crc    INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE quarantine (
    seq    INTEGER PRIMARY KEY,
    path   TEXT NOT NULL,
    code   TEXT NOT NULL,
    at_ms  REAL NOT NULL,
    record TEXT NOT NULL,
    ids    TEXT NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** A writer that was killed a moment ago may still hold its lock. */
const LOCK_TIMEOUT_MS = 250;
/** SQLite's default. */
const PAGE_BYTES = 4096;
const WAL_BYTES_KEPT_MAX = 64 * 1024 * 1024;

/**
 * Opens or makes the file (0600) for one writer. A damaged one is renamed, told of and replaced.
 * MESH_ERR_JOURNAL_LOCKED, MESH_ERR_JOURNAL_SCHEMA_NEWER, MESH_ERR_JOURNAL_UNAVAILABLE.
 */
export function openDatabase({
  path,
  clock,
  bytesMax,
  onCorrupt,
}: {
  readonly path: string;
  readonly clock: Clock;
  readonly bytesMax: number;
  readonly onCorrupt: (error: CodedError) => void;
}): DatabaseSync {
  try {
    return open(path, bytesMax);
  } catch (cause) {
    if (!isCorruption(cause)) throw cause;
    onCorrupt(keepAside(path, clock, cause));
    return open(path, bytesMax);
  }
}

function open(path: string, bytesMax: number): DatabaseSync {
  if (path !== ':memory:') makePrivate(path);
  const db = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS });
  try {
    // Before WAL: the file is locked as long as it is open, and needs no shared memory.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    prove(db, path);
    if (path !== ':memory:') db.exec('PRAGMA journal_mode = WAL');
    db.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 10000;
      PRAGMA max_page_count = ${Math.ceil(bytesMax / PAGE_BYTES)};
      PRAGMA journal_size_limit = ${WAL_BYTES_KEPT_MAX};
      BEGIN IMMEDIATE;
    `);
    if (Number(pragma(db, 'user_version')) === 0) db.exec(SCHEMA);
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Reads only: a file that is refused stays as it was found. */
function prove(db: DatabaseSync, path: string): void {
  const version = Number(pragma(db, 'user_version'));
  const owner = Number(pragma(db, 'application_id'));
  const isEmpty = Number(pragma(db, 'schema_version')) === 0;
  const isForeign = owner !== APPLICATION_ID && !isEmpty;
  if (isForeign || version > SCHEMA_VERSION)
    throw journalError(
      'MESH_ERR_JOURNAL_SCHEMA_NEWER',
      `Opening ${path} found ${isForeign ? 'a database of another program' : `schema ${version}`}; ` +
        `this program knows schema ${SCHEMA_VERSION} of a journal.`,
      { details: { path, owner, version } },
    );
  const verdict = String(pragma(db, 'quick_check(1)'));
  if (verdict !== 'ok') throw new UnsoundFile(verdict);
}

function keepAside(path: string, clock: Clock, cause: unknown): CodedError {
  const keptAt = moveAside(path, clock);
  return journalError(
    'MESH_ERR_JOURNAL_CORRUPT',
    `Opening ${path} found a damaged journal; it was kept as ${keptAt}, and a new one was made.`,
    { cause, details: { path, keptAt } },
  );
}

/** What SQLite or the file system threw, with its code. */
export function asJournalError(error: unknown, path: string): unknown {
  if (error instanceof CodedError) return error;
  if (sqliteCodeOf(error) === SQLITE_BUSY)
    return journalError('MESH_ERR_JOURNAL_LOCKED', `Another one has the journal ${path} open.`, {
      cause: error,
      details: { path },
    });
  const found = error instanceof Error ? error.message : String(error);
  return journalError('MESH_ERR_JOURNAL_UNAVAILABLE', `Using ${path} was refused: ${found}.`, {
    cause: error,
    details: { path },
  });
}
