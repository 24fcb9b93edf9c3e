import { DatabaseSync } from 'node:sqlite';

/** Pauses between two tries double from the first to the second of these. */
const PAUSE_MS = { first: 2, longest: 50 };

/**
 * Runs `act` while no other process, and no other caller in this one, holds the lock of `path`; the
 * result is `undefined` if the lock was not free within `timeoutMs`. Node has no flock, so SQLite's
 * lock of an empty database beside the file is taken: the kernel frees it when its holder dies, so
 * there is nothing stale to recognise and to break.
 */
export async function withFileLock<Result>(
  path: string,
  timeoutMs: number,
  act: () => Promise<Result>,
): Promise<{ readonly result: Result } | undefined> {
  const database = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    if (!(await acquire(database, timeoutMs))) return undefined;
    return { result: await act() };
  } finally {
    database.close();
  }
}

async function acquire(database: DatabaseSync, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = PAUSE_MS.first; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest)) {
    if (tryExclusive(database)) return true;
    if (performance.now() >= deadline) return false;
    // Jitter keeps those who wait from trying in step.
    await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
  }
}

function tryExclusive(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    const isBusy = (error as { errcode?: number }).errcode === SQLITE_BUSY;
    if (isBusy) return false;
    throw error;
  }
}

/** Source: sqlite.org, "Result and Error Codes". */
const SQLITE_BUSY = 5;
