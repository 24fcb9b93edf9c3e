import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { ensureHome } from '../home.ts';
import { controlError } from './errors.ts';

/** The right to run a mesh in one state folder. */
export interface HomeLock {
  /** Idempotent. */
  release(): void;
}

/** The handles of held locks: one that was garbage-collected would free its lock. */
const held = new Set<DatabaseSync>();

/** SQLITE_BUSY, https://www.sqlite.org/rescode.html#busy. */
const SQLITE_BUSY = 5;

/**
 * Takes the state folder for this process, or rejects at once with
 * MESH_ERR_CONTROL_ALREADY_RUNNING. It is SQLite's exclusive file lock on an empty database: atomic
 * between any number of starters, and dropped by the kernel with the process, also after SIGKILL.
 */
export function lockHome(home: string): HomeLock {
  const paths = ensureHome(home);
  const holder = `${paths.lock}.pid`;
  const database = open(paths.lock);
  try {
    // Without a journal file there is nothing to clean up after a SIGKILL.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    writeFileSync(holder, `${String(process.pid)}\n`, { mode: 0o600 });
  } catch (cause) {
    database.close();
    throw refusal(paths.home, holder, cause);
  }
  held.add(database);
  return {
    release: () => {
      if (held.delete(database)) database.close();
    },
  };
}

function open(path: string): DatabaseSync {
  try {
    makePrivate(path);
    return new DatabaseSync(path, { timeout: 0 });
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** A file of mode 0600, before SQLite would make one under the umask. */
function makePrivate(path: string): void {
  try {
    // `wx` never opens a file that exists: closing any descriptor of the lock file would drop a lock
    // that this very process holds (fcntl(2), "Advisory record locking").
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw cause;
  }
}

function refusal(home: string, holder: string, cause: unknown): Error {
  const isBusy =
    cause instanceof Error && 'errcode' in cause && Number(cause.errcode) % 256 === SQLITE_BUSY;
  if (!isBusy) return unusable(home, cause);
  const pid = pidIn(holder);
  return controlError(
    'MESH_ERR_CONTROL_ALREADY_RUNNING',
    `A mesh already runs in ${home}${pid === null ? '' : `, as process ${String(pid)}`}.`,
    { details: { home, pid } },
  );
}

function unusable(path: string, cause: unknown): Error {
  const found = cause instanceof Error ? cause.message : String(cause);
  return controlError(
    'MESH_ERR_CONTROL_HOME_UNUSABLE',
    `The state folder's lock ${path} cannot be taken: ${found}.`,
    { cause },
  );
}

function pidIn(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    // The holder has not written it yet; the refusal is complete without it.
    return null;
  }
}
