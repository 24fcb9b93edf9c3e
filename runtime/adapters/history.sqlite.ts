/**
 * The history of a Coordinator in SQLite: one file that several processes share. A compare-and-swap
 * is one UPDATE or INSERT in one transaction; what is acknowledged is on disk (WAL, FULL).
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { DELIVERIES_MAX } from '../../actors/coordinator/ports/history.ts';
import type { History } from '../../actors/coordinator/ports/history.ts';
import { historyError } from '../../machines/coordinator/history-errors.ts';
import { decodeLatest, encodeLatest } from '../../machines/coordinator/transition.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { Watchers, checkedContent, digestOf, unavailable } from './history/content.ts';

/** How long a writer waits for another's transaction, which takes milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;
/** Commits of other processes are looked for this often. */
const LOOK_MS = 100;
/** "MeHi", so that no other program's database is taken for a history. */
const APPLICATION_ID = 0x4d654869;
const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS content (
    kind TEXT NOT NULL, digest TEXT NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (kind, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS latest (
    id INTEGER PRIMARY KEY CHECK (id = 1), record BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS delivery (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
/** Tries to switch a new file to WAL while another process does the same; SQLite waits for no lock. */
const WAL_TRIES = 50;
const WAL_PAUSE_MS = 20;

export interface SqliteHistoryOptions {
  readonly path: string;
  readonly clock: Clock;
}

/** Opens or makes the file (0600); MESH_ERR_HISTORY_UNAVAILABLE. */
export function createSqliteHistory({ path, clock }: SqliteHistoryOptions): History {
  const database = openHistory(path);
  const watchers = new Watchers();
  let timer: unknown;
  let seen = -1;

  const look = (): void => {
    try {
      const version = foreignCommits(database);
      if (version !== seen) watchers.changed();
      seen = version;
      timer = watchers.size === 0 ? undefined : clock.setTimeout(look, LOOK_MS);
    } catch (error) {
      timer = undefined;
      watchers.fail(String(error));
    }
  };
  const stopLooking = (): void => {
    clock.clearTimeout(timer);
    timer = undefined;
  };

  return {
    ...contentOf(database, path),
    ...deliveriesOf(database, path),
    latest: async () => guarded(path, () => readLatest(database)),
    async compareAndSwap(expected, next) {
      try {
        const found = transaction(database, () => swapLatest(database, expected, next));
        if (found !== SWAPPED) return { type: 'mismatch', found };
      } catch (cause) {
        return { type: 'unavailable', cause: unavailable(`Swapping the latest of ${path}`, cause) };
      }
      watchers.changed();
      return { type: 'swapped' };
    },
    watch(listener) {
      const stop = watchers.add(listener);
      timer ??= clock.setTimeout(look, LOOK_MS);
      return () => {
        stop();
        if (watchers.size === 0) stopLooking();
      };
    },
    close: async () => {
      watchers.clear();
      stopLooking();
      if (database.isOpen) database.close();
    },
  };
}

function openHistory(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // The file has its mode before SQLite writes to it; -wal and -shm inherit it.
    closeSync(openSync(path, 'a', 0o600));
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    refuseOthers(database, path);
    switchToWal(database);
    database.exec('PRAGMA synchronous = FULL');
    transaction(database, () => database?.exec(SCHEMA));
    return database;
  } catch (cause) {
    if (database?.isOpen) database.close();
    throw unavailable(`Opening the history ${path}`, cause);
  }
}

const pragma = (database: DatabaseSync, name: string): number | string =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number | string;

function refuseOthers(database: DatabaseSync, path: string): void {
  if (pragma(database, 'schema_version') === 0) return;
  const owner = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  if (owner === APPLICATION_ID && Number(version) <= SCHEMA_VERSION) return;
  throw historyError(
    'MESH_ERR_HISTORY_UNAVAILABLE',
    `Opening the history ${path}: it is of application ${owner}, schema ${version}.`,
    { hint: 'Name another file, or use a program of at least that version.' },
  );
}

function switchToWal(database: DatabaseSync): void {
  for (let attempt = 1; ; attempt++)
    try {
      pragma(database, 'journal_mode = WAL');
      return;
    } catch (error) {
      if (attempt === WAL_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_PAUSE_MS);
    }
}

function guarded<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw unavailable(`Using the history ${path}`, cause);
  }
}

/** The write lock is held from the start: two that read the same cannot both write. */
function transaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite has rolled back by itself where the disk was full or failed.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** Changes when another connection has committed. */
const foreignCommits = (database: DatabaseSync): number => Number(pragma(database, 'data_version'));

const bytesIn = (
  statement: StatementSync,
  ...values: readonly SQLInputValue[]
): Uint8Array | undefined => {
  const value = Object.values(statement.get(...values) ?? {})[0];
  return value instanceof Uint8Array ? value : undefined;
};

function readLatest(database: DatabaseSync): LatestRecord | null {
  const bytes = bytesIn(database.prepare('SELECT record FROM latest WHERE id = 1'));
  return bytes === undefined ? null : decodeLatest(bytes);
}

const SWAPPED = Symbol('swapped');

function swapLatest(
  database: DatabaseSync,
  expected: Digest | null,
  next: LatestRecord,
): typeof SWAPPED | LatestRecord | null {
  const found = readLatest(database);
  if ((found?.transition ?? null) !== expected) return found;
  database
    .prepare(
      'INSERT INTO latest (id, record) VALUES (1, ?) ' +
        'ON CONFLICT (id) DO UPDATE SET record = excluded.record',
    )
    .run(encodeLatest(next));
  return SWAPPED;
}

const contentOf = (database: DatabaseSync, path: string): Pick<History, 'put' | 'get'> => ({
  put: async (kind, bytes) => {
    const digest = digestOf(kind, bytes);
    guarded(path, () =>
      database
        .prepare(
          'INSERT INTO content (kind, digest, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        )
        .run(kind, digest, bytes),
    );
    return digest;
  },
  get: async (kind, digest) => {
    const found = guarded(path, () =>
      bytesIn(
        database.prepare('SELECT bytes FROM content WHERE kind = ? AND digest = ?'),
        kind,
        digest,
      ),
    );
    return checkedContent(kind, digest, found);
  },
});

type Deliveries = Pick<History, 'keepDelivery' | 'deliveries' | 'dropDelivery'>;

const deliveriesOf = (database: DatabaseSync, path: string): Deliveries => ({
  keepDelivery: async (id, bytes) => {
    digestOf('deliveries', bytes);
    guarded(path, () =>
      transaction(database, () => {
        database.prepare('DELETE FROM delivery WHERE id = ?').run(id);
        database.prepare('INSERT INTO delivery (id, bytes) VALUES (?, ?)').run(id, bytes);
        database
          .prepare(
            'DELETE FROM delivery WHERE sequence NOT IN ' +
              '(SELECT sequence FROM delivery ORDER BY sequence DESC LIMIT ?)',
          )
          .run(DELIVERIES_MAX);
      }),
    );
  },
  deliveries: async () =>
    guarded(path, () =>
      database
        .prepare('SELECT id, bytes FROM delivery ORDER BY sequence DESC')
        .all()
        .map((row) => ({ id: row['id'] as Digest, bytes: row['bytes'] as Uint8Array })),
    ),
  dropDelivery: async (id) => {
    guarded(path, () => database.prepare('DELETE FROM delivery WHERE id = ?').run(id));
  },
});
