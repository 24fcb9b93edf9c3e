/** A database that only its owner may read, from its first byte. */
import { chmodSync, closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/**
 * Makes the file with mode 0600 before SQLite writes to it, since -wal and -shm inherit that mode; a
 * new one is durable in its folder.
 */
export function makePrivate(path: string): void {
  const isNew = statSync(path, { throwIfNoEntry: false }) === undefined;
  closeSync(openSync(path, 'a', 0o600));
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  if (!isNew) return;
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** The one value that a PRAGMA answers with. */
export function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}
