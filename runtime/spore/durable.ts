import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import type { SporeErrorCode } from '../../machines/workload/spore-errors.ts';

/** What the operating system says when there is no room: the disk, the quota, or the file's limit. */
const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * The coded error for a failure of the operating system while writing: no space has its own code,
 * everything else takes `fallback`. Coded errors pass unchanged.
 */
export function writeFailure(
  attempted: string,
  cause: unknown,
  fallback: SporeErrorCode = 'MESH_ERR_SPORE_WRITE',
): CodedError {
  if (cause instanceof CodedError) return cause;
  const errno = codeOf(cause) ?? '';
  const options = { cause, details: { errno } };
  return NO_SPACE.has(errno)
    ? sporeError('MESH_ERR_SPORE_NO_SPACE', `${attempted}: there is no space left.`, options)
    : sporeError(fallback, `${attempted} failed${errno && ` with ${errno}`}.`, options);
}

/** Makes a rename or removal in `folder` survive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export interface WriteOptions {
  /** Permissions of a new file; default 0644, less the umask. */
  readonly mode?: number;
  /** Code for failures other than a full disk; default MESH_ERR_SPORE_WRITE. */
  readonly code?: SporeErrorCode;
}

/**
 * Writes a file whole or not at all: a temporary file beside it, fsync, rename, fsync of the folder.
 * `write` gets the open file and its temporary path.
 */
export async function writeAtomically<Result>(
  path: string,
  write: (file: FileHandle, temp: string) => Promise<Result>,
  options: WriteOptions = {},
): Promise<Result> {
  const temp = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temp, 'wx', options.mode ?? 0o644);
    let result: Result;
    try {
      result = await write(file, temp);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temp, path);
    await syncFolder(dirname(path));
    return result;
  } catch (cause) {
    await rm(temp, { force: true });
    throw writeFailure(`Writing ${path}`, cause, options.code);
  }
}
