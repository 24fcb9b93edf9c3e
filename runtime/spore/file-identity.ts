import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';

/** Which file, and which state of it: a replaced or rewritten file has another one. */
export type FileIdentity = string;

export interface OpenFile {
  readonly fd: number;
  readonly bytes: number;
  readonly identity: FileIdentity;
}

export interface OpenOptions {
  /** Follow a symbolic link in the last component; default false. */
  readonly followLink?: boolean;
}

/**
 * Opens a regular file for reading. O_NONBLOCK, because opening a FIFO would otherwise wait for a
 * writer. Throws MESH_ERR_SPORE_UNREADABLE.
 */
export function openRegular(path: string, options: OpenOptions = {}): OpenFile {
  const noFollow = options.followLink === true ? 0 : constants.O_NOFOLLOW;
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  } catch (cause) {
    throw sporeError('MESH_ERR_SPORE_UNREADABLE', `Opening ${path} failed.`, { cause });
  }
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) {
    closeSync(fd);
    throw sporeError('MESH_ERR_SPORE_UNREADABLE', `Opening ${path}: it is not a regular file.`);
  }
  const identity = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
  return { fd, bytes: Number(stat.size), identity };
}

/** Reads a small regular file of at most `bytesMax`. Throws MESH_ERR_SPORE_UNREADABLE or _TOO_LARGE. */
export function readSmallFile(path: string, bytesMax: number): Buffer {
  const { fd, bytes } = openRegular(path, { followLink: true });
  try {
    if (bytes > bytesMax) throw tooLarge(path, bytes, bytesMax);
    const content = Buffer.alloc(bytes);
    return content.subarray(0, readSync(fd, content, 0, bytes, 0));
  } finally {
    closeSync(fd);
  }
}

/** The error for `what` of `bytes` over a limit. */
export function tooLarge(what: string, bytes: number, limit: number): CodedError {
  return sporeError(
    'MESH_ERR_SPORE_TOO_LARGE',
    `Reading ${what}: it has ${bytes} bytes, ${limit} are allowed.`,
    { details: { bytes, limit } },
  );
}
