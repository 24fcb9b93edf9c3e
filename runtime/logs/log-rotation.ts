/**
 * Rotation by copying: the process holds its log open for appending, so the file itself must stay.
 * `X.log` is copied to `X.log.1` and truncated; older copies move on to `.2` and `.3`.
 *
 * What the process writes between the last read and the truncation is lost: those two calls follow
 * each other in one turn, within microseconds unless the scheduler stops this thread in between. A
 * line may then be torn. A crash before the truncation leaves lines twice, never none. Without loss
 * it would take a writer that opens its log anew on request, or one that is stopped meanwhile, and
 * neither can be asked of any program. Each start writes to a log of its own, so nothing is lost there.
 */
import { ftruncateSync, readSync, renameSync, writeSync } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { codeOf } from '../../machines/kernel/coded-error.ts';

/** Rotated copies that are kept. */
export const LOG_COPIES = 3;

const CHUNK_BYTES = 256 * 1024;

/** Paths of one log, oldest first, the one that is written last. */
export const partsOf = (path: string): string[] => [
  ...Array.from({ length: LOG_COPIES }, (_, index) => `${path}.${LOG_COPIES - index}`),
  path,
];

/** Rotates when the file has `bytesMax` or more. A missing file is none. */
export async function rotateLog(path: string, bytesMax: number): Promise<void> {
  if ((await sizeOf(path)) < bytesMax) return;
  const copyPath = `${path}.tmp`;
  try {
    await using source = await open(path, 'r+');
    await using copy = await open(copyPath, 'w', 0o600);
    const copied = await copyMost(source, copy);
    finish(path, copyPath, source.fd, copy.fd, copied);
  } catch (error) {
    await rm(copyPath, { force: true });
    throw error;
  }
}

export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Copies what was there at the start, and then what came meanwhile, until little is left. */
async function copyMost(source: FileHandle, copy: FileHandle): Promise<number> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const { size } = await source.stat();
  let offset = 0;
  for (;;) {
    const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES, offset);
    const { bytesWritten } = await copy.write(chunk, 0, bytesRead, offset);
    offset += bytesWritten;
    if (bytesRead === 0 || (offset >= size && bytesRead < CHUNK_BYTES)) return offset;
    // A writer faster than this loop is left to the last, synchronous step.
    if (offset >= 2 * size) return offset;
  }
}

function finish(path: string, copyPath: string, source: number, copy: number, from: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const copyRest = (start: number): number => {
    let offset = start;
    for (;;) {
      const size = readSync(source, chunk, 0, CHUNK_BYTES, offset);
      if (size === 0) return offset;
      offset += writeSync(copy, chunk, 0, size, offset);
    }
  };
  const offset = copyRest(from);
  const [oldest = '', ...others] = partsOf(path).slice(0, LOG_COPIES);
  let free = oldest;
  for (const name of others) {
    moveIfThere(name, free);
    free = name;
  }
  renameSync(copyPath, free);
  copyRest(offset);
  ftruncateSync(source, 0);
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
