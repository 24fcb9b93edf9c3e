/** What SQLite says of a file that is damaged, and where such a file is kept. */
import { renameSync, statSync } from 'node:fs';
import type { Clock } from '../../../machines/kernel/clock.ts';

/** Primary result codes; https://sqlite.org/rescode.html */
export const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** A check of the whole file found something. */
export class UnsoundFile extends Error {}

/** The primary result code of what SQLite threw; undefined for anything else. */
export function sqliteCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  // The upper bytes are the extended code.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** Whether the file itself is at fault. */
export function isCorruption(error: unknown): boolean {
  const code = sqliteCodeOf(error);
  return error instanceof UnsoundFile || code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** Renames a database with its log, so that it can be looked at; gives its new path. */
export function moveAside(path: string, clock: Clock): string {
  const keptAt = `${path}.corrupt-${clock.now()}`;
  for (const suffix of ['', '-wal', '-shm'])
    if (statSync(path + suffix, { throwIfNoEntry: false }))
      renameSync(path + suffix, keptAt + suffix);
  return keptAt;
}
