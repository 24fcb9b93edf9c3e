import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { Clock } from '../../../machines/kernel/clock.ts';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { fabricError } from '../../../machines/workload/fabric-errors.ts';
import {
  SQLITE_BUSY,
  UnsoundFile,
  isCorruption,
  moveAside,
  sqliteCodeOf,
} from '../sqlite/damage.ts';
import { makePrivate, pragma } from '../sqlite/private-file.ts';
import { BUSY_TIMEOUT_MS } from './limits.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

export type Parameters = Readonly<Record<string, SQLInputValue>>;

/** Tries to switch a new file to WAL while another process does the same. */
const WAL_TRIES = 50;
const WAL_PAUSE_MS = 20;

/**
 * One connection: named parameters, each statement prepared once, transactions that hold the write
 * lock from their start, and SQLite's errors turned into those of the fabric.
 */
export class Database {
  readonly #path: string;
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #isSyncing = true;

  constructor(path: string, connection: DatabaseSync) {
    this.#path = path;
    this.#connection = connection;
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the statement's row.
  get<Row>(sql: string, parameters: Parameters = {}): Row | undefined {
    return this.#guarded(() => {
      const row = this.#prepare(sql).get(parameters);
      return row && ({ ...row } as Row);
    });
  }

  all<Row>(sql: string, parameters: Parameters = {}): Row[] {
    return this.#guarded(() =>
      this.#prepare(sql)
        .all(parameters)
        .map((row) => ({ ...row }) as Row),
    );
  }

  /** Resolves to the number of changed rows. */
  run(sql: string, parameters: Parameters = {}): number {
    return this.#guarded(() => Number(this.#prepare(sql).run(parameters).changes));
  }

  /**
   * One transaction; what `work` throws undoes it. When it returns it survives a loss of power, with
   * all that was written before.
   */
  write<Result>(work: () => Result): Result {
    return this.#transact(work, true);
  }

  /** As `write`, but when it returns it survives the end of this process only. */
  writeUnsynced<Result>(work: () => Result): Result {
    return this.#transact(work, false);
  }

  /** Several reads of one and the same state. */
  read<Result>(work: () => Result): Result {
    return this.#guarded(() => {
      this.#connection.exec('BEGIN');
      try {
        return work();
      } finally {
        if (this.#connection.isTransaction) this.#connection.exec('COMMIT');
      }
    });
  }

  /** A number that changes when another connection has committed. */
  foreignCommits(): number {
    return this.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  close(): void {
    this.#statements.clear();
    this.#guarded(() => this.#connection.close());
  }

  #transact<Result>(work: () => Result, isSynced: boolean): Result {
    return this.#guarded(() => {
      if (isSynced !== this.#isSyncing) this.#setSyncing(isSynced);
      this.#connection.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#connection.exec('COMMIT');
        return result;
      } catch (error) {
        // SQLite has rolled back by itself where the disk was full or failed.
        if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** With a write-ahead log, NORMAL leaves out the sync of each commit and keeps their order. */
  #setSyncing(isSynced: boolean): void {
    this.#connection.exec(`PRAGMA synchronous = ${isSynced ? 'FULL' : 'NORMAL'}`);
    this.#isSyncing = isSynced;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#connection.prepare(sql);
      // A whole record can be given where a statement names some of its fields only.
      statement.setAllowUnknownNamedParameters(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw asFabricError(error, this.#path);
    }
  }
}

/**
 * Opens or makes the file (0600), brings its tables up to date and proves it sound.
 * MESH_ERR_FABRIC_UNAVAILABLE; MESH_ERR_FABRIC_CORRUPT after the file was renamed and kept;
 * MESH_ERR_FABRIC_SCHEMA_NEWER for a file that a later version wrote.
 */
export function openDatabase(path: string, clock: Clock): Database {
  let connection: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') makePrivate(path);
    connection = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    prove(connection, path);
    if (path !== ':memory:') switchToWal(connection, path);
    connection.exec('PRAGMA synchronous = FULL');
    migrate(connection, path);
    return new Database(path, connection);
  } catch (error) {
    if (connection?.isOpen) connection.close();
    if (isCorruption(error)) throw keepAside(path, clock, error);
    throw asFabricError(error, path);
  }
}

/** Reads only: a file that is refused stays as it was found. */
function prove(connection: DatabaseSync, path: string): void {
  const version = Number(pragma(connection, 'user_version'));
  const owner = Number(pragma(connection, 'application_id'));
  const isEmpty = Number(pragma(connection, 'schema_version')) === 0;
  if (owner !== APPLICATION_ID && !isEmpty)
    throw fabricError(
      'MESH_ERR_FABRIC_UNAVAILABLE',
      `Opening ${path} found a database of another program (application id ${owner}).`,
      { hint: 'Name another state folder.' },
    );
  if (version > MIGRATIONS.length)
    throw fabricError(
      'MESH_ERR_FABRIC_SCHEMA_NEWER',
      `Opening ${path} found schema ${version}; this version knows ${MIGRATIONS.length}.`,
      { details: { found: version, known: MIGRATIONS.length } },
    );
  const verdict = String(pragma(connection, 'quick_check(1)'));
  if (verdict !== 'ok') throw new UnsoundFile(verdict);
}

/** SQLite does not wait for a lock at this switch, whatever its busy timeout is. */
function switchToWal(connection: DatabaseSync, path: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      const mode = pragma(connection, 'journal_mode = WAL');
      if (mode === 'wal') return;
      throw fabricError(
        'MESH_ERR_FABRIC_UNAVAILABLE',
        `Opening ${path} with a write-ahead log was refused; its journal mode is ${String(mode)}.`,
      );
    } catch (error) {
      if (sqliteCodeOf(error) !== SQLITE_BUSY || attempt === WAL_TRIES) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_PAUSE_MS);
    }
  }
}

function migrate(connection: DatabaseSync, path: string): void {
  const known = MIGRATIONS.length;
  if (Number(pragma(connection, 'user_version')) === known) return;
  connection.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have done it while this one waited for the lock.
    const from = Number(pragma(connection, 'user_version'));
    if (from > known) prove(connection, path);
    for (const step of MIGRATIONS.slice(from)) connection.exec(step);
    connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${known}`);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

function keepAside(path: string, clock: Clock, cause: unknown): CodedError {
  const keptAt = moveAside(path, clock);
  return fabricError(
    'MESH_ERR_FABRIC_CORRUPT',
    `Opening ${path} found a damaged database; it was kept as ${keptAt}.`,
    { cause, details: { path, keptAt } },
  );
}

function asFabricError(error: unknown, path: string): unknown {
  if (error instanceof CodedError) return error;
  if (isCorruption(error))
    return fabricError('MESH_ERR_FABRIC_CORRUPT', `Using ${path} found damaged pages.`, {
      cause: error,
      details: { path },
    });
  const isOfTheSystem = error instanceof Error && 'code' in error;
  if (!isOfTheSystem) return error;
  return fabricError(
    'MESH_ERR_FABRIC_UNAVAILABLE',
    `Using ${path} was refused: ${error.message}.`,
    { cause: error },
  );
}
