/**
 * One SQLite file of one program, whose writes are committed in groups: the sync of a commit costs
 * as much as hundreds of rows, so all writes that are asked for in one turn share one.
 */
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Clock } from '../../../machines/kernel/clock.ts';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { SQLITE_BUSY, UnsoundFile, isCorruption, moveAside, sqliteCodeOf } from './damage.ts';
import { makePrivate, pragma } from './private-file.ts';

/** What can be said of a file; each makes the error of its owner's table. */
export interface DatabaseFaults {
  unavailable(message: string, cause?: unknown): CodedError;
  corrupt(message: string, cause: unknown): CodedError;
  locked(message: string, cause: unknown): CodedError;
  newer(message: string): CodedError;
}

export interface GroupDatabaseOptions {
  /** The file, made where it is missing (0600); its folder must exist. `:memory:` for one that is lost. */
  readonly path: string;
  readonly clock: Clock;
  /** Four ASCII characters as a number: no other program's database is taken for this one. */
  readonly applicationId: number;
  /** SQL from each version to the next; the first makes the tables of version 1. */
  readonly migrations: readonly string[];
  /** Largest size of the file; a commit beyond it is refused. */
  readonly bytesMax: number;
  readonly faults: DatabaseFaults;
  /** Told of a damaged file that was renamed and replaced. */
  readonly onCorrupt: (error: CodedError) => void;
}

interface Job {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  outcome?: { readonly value: unknown } | { readonly error: unknown };
}

/** Writes of one group: more would keep the first of them, and everybody else, waiting. */
const GROUP_MAX = 512;
/** A writer that was killed a moment ago may still hold its lock. */
const LOCK_TIMEOUT_MS = 250;
/** SQLite's default. */
const PAGE_BYTES = 4096;
const WAL_BYTES_KEPT_MAX = 64 * 1024 * 1024;
/** Pages in memory, negative in KiB: the index of a hundred thousand ids fits. */
const CACHE_KIB = 16 * 1024;

export class GroupDatabase {
  readonly #options: GroupDatabaseOptions;
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #lists = new Map<string, StatementSync>();
  readonly #afterCommit: (() => void)[] = [];
  #waiting: Job[] = [];
  #isScheduled = false;

  /** Opens, proves and migrates. Throws the owner's faults. */
  constructor(options: GroupDatabaseOptions) {
    this.#options = options;
    this.#connection = openConnection(options);
  }

  /**
   * Runs `work` with others in one transaction and resolves once that is on disk. What it throws
   * undoes it alone and rejects; when the commit fails, all of the group reject.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller's result.
  write<Result>(work: () => Result): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  /** Reads what is committed; writes that wait are not seen. */
  read<Result>(work: () => Result): Result {
    return this.#guarded(work);
  }

  /** Prepared once. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  get(sql: string, ...values: SQLInputValue[]): Record<string, unknown> | undefined {
    return this.statement(sql).get(...values);
  }

  all(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    return this.statement(sql).all(...values);
  }

  /** Rows as lists of their columns: a third of the time, for many small ones. */
  lists(sql: string, ...values: SQLInputValue[]): readonly (readonly SQLOutputValue[])[] {
    let statement = this.#lists.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      statement.setReturnArrays(true);
      this.#lists.set(sql, statement);
    }
    return statement.all(...values) as unknown as SQLOutputValue[][];
  }

  /** Gives the number of changed rows. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.statement(sql).run(...values).changes);
  }

  /** Within `write`: `act` is called once the group is on disk, before its promises resolve. */
  afterCommit(act: () => void): void {
    this.#afterCommit.push(act);
  }

  /** Commits what waits, then closes. Idempotent. */
  close(): void {
    if (!this.#connection.isOpen) return;
    while (this.#waiting.length > 0) this.#flush();
    this.#statements.clear();
    this.#lists.clear();
    this.#connection.close();
  }

  #flush(): void {
    const group = this.#waiting.splice(0, GROUP_MAX);
    this.#isScheduled = this.#waiting.length > 0;
    if (this.#isScheduled) setImmediate(() => this.#flush());
    if (group.length === 0) return;
    this.#afterCommit.length = 0;
    try {
      this.#guarded(() => this.#transact(group));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const act of this.#afterCommit.splice(0)) act();
    for (const { outcome, resolve, reject } of group)
      if (outcome !== undefined && 'error' in outcome) reject(outcome.error);
      else resolve(outcome?.value);
  }

  #transact(group: readonly Job[]): void {
    this.#connection.exec('BEGIN IMMEDIATE');
    try {
      for (const job of group) this.#runJob(job);
      this.#connection.exec('COMMIT');
    } catch (error) {
      // SQLite has rolled back by itself where the disk was full or failed.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK');
      throw error;
    }
  }

  /** A fault of SQLite is the group's; anything else is this job's own. */
  #runJob(job: Job): void {
    this.#connection.exec('SAVEPOINT job');
    const told = this.#afterCommit.length;
    try {
      job.outcome = { value: job.work() };
    } catch (error) {
      if (!this.#connection.isTransaction || sqliteCodeOf(error) !== undefined) throw error;
      this.#connection.exec('ROLLBACK TO job');
      this.#afterCommit.length = told;
      job.outcome = { error };
    }
    this.#connection.exec('RELEASE job');
  }

  #guarded<Result>(work: () => Result): Result {
    const { path, faults } = this.#options;
    if (!this.#connection.isOpen) throw faults.unavailable(`Using ${path}: it was closed.`);
    try {
      return work();
    } catch (error) {
      throw asFault(error, path, faults);
    }
  }
}

function openConnection(options: GroupDatabaseOptions): DatabaseSync {
  const { path, clock, faults, onCorrupt } = options;
  try {
    return open(options);
  } catch (cause) {
    if (!isCorruption(cause)) throw asFault(cause, path, faults);
    const keptAt = moveAside(path, clock);
    const what = `Opening ${path} found it damaged; it was kept as ${keptAt}, and a new one was made.`;
    onCorrupt(faults.corrupt(what, cause));
  }
  try {
    return open(options);
  } catch (cause) {
    throw asFault(cause, path, faults);
  }
}

function open(options: GroupDatabaseOptions): DatabaseSync {
  const { path, bytesMax } = options;
  if (path !== ':memory:') makePrivate(path);
  const connection = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS });
  try {
    // Before WAL: the file is locked as long as it is open, and needs no shared memory.
    connection.exec('PRAGMA locking_mode = EXCLUSIVE');
    prove(connection, options);
    if (path !== ':memory:') connection.exec('PRAGMA journal_mode = WAL');
    connection.exec(`
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 10000;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA max_page_count = ${Math.ceil(bytesMax / PAGE_BYTES)};
      PRAGMA journal_size_limit = ${WAL_BYTES_KEPT_MAX};
    `);
    migrate(connection, options);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Reads only: a file that is refused stays as it was found. */
function prove(connection: DatabaseSync, options: GroupDatabaseOptions): void {
  const { path, applicationId, migrations, faults } = options;
  const version = Number(pragma(connection, 'user_version'));
  const owner = Number(pragma(connection, 'application_id'));
  const isEmpty = Number(pragma(connection, 'schema_version')) === 0;
  const isForeign = owner !== applicationId && !isEmpty;
  if (isForeign || version > migrations.length) {
    const found = isForeign ? 'a database of another program' : `schema ${version}`;
    throw faults.newer(`Opening ${path} found ${found}; known is schema ${migrations.length}.`);
  }
  const verdict = String(pragma(connection, 'quick_check(1)'));
  if (verdict !== 'ok') throw new UnsoundFile(verdict);
}

function migrate(connection: DatabaseSync, options: GroupDatabaseOptions): void {
  const { applicationId, migrations } = options;
  const from = Number(pragma(connection, 'user_version'));
  connection.exec('BEGIN IMMEDIATE');
  try {
    for (const step of migrations.slice(from)) connection.exec(step);
    connection.exec(`PRAGMA application_id = ${applicationId}`);
    connection.exec(`PRAGMA user_version = ${migrations.length}`);
    connection.exec('COMMIT');
  } catch (error) {
    if (connection.isTransaction) connection.exec('ROLLBACK');
    throw error;
  }
}

/** What SQLite or the file system threw, with the owner's code; a fault of the program stays as it is. */
function asFault(error: unknown, path: string, faults: DatabaseFaults): unknown {
  if (error instanceof CodedError) return error;
  if (isCorruption(error)) return faults.corrupt(`Using ${path} found damaged pages.`, error);
  if (sqliteCodeOf(error) === SQLITE_BUSY)
    return faults.locked(`Opening ${path}: another program has it open.`, error);
  const isOfTheSystem = error instanceof Error && 'code' in error;
  if (!isOfTheSystem) return error;
  return faults.unavailable(`Using ${path} was refused: ${error.message}.`, error);
}
