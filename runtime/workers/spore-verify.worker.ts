/** Verifies one spore, and extracts its binary or copies the file while it reads them. */
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { SporeReport } from '../../actors/workload/ports/spore.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import { writeFailure } from '../spore/durable.ts';
import { BINARY_NAME } from '../spore/layout.ts';
import { readSpore } from '../spore/read-spore.ts';
import type { SporeQuestions } from '../spore/read-spore.ts';
import { SporeFile } from '../spore/spore-file.ts';
import type { Progress } from './task.worker.ts';

export interface VerifyPayload extends SporeQuestions {
  readonly path: string;
  readonly sporeBytesMax: number;
  readonly binaryBytesMax: number;
  /** A private folder, made if it is not there, that receives `binary` if all checks pass. */
  readonly extractTo?: string;
  /** A file, made here, that receives the spore's bytes as they are read, and is synced. */
  readonly copyTo?: string;
}

export interface VerifyResult extends SporeReport {
  /** The extracted binary, mode 0500. */
  readonly binaryPath?: string;
}

/** The name of a binary that is not verified yet; never executable. */
export const PARTIAL_NAME = 'binary.partial';

/** Throws MESH_ERR_SPORE_UNREADABLE, _TOO_LARGE, _WRITE or _NO_SPACE; verdicts are in the result. */
export async function run(payload: VerifyPayload, progress: Progress): Promise<VerifyResult> {
  const target = payload.extractTo ?? payload.copyTo;
  try {
    if (payload.extractTo !== undefined) return await extract(payload, payload.extractTo, progress);
    if (payload.copyTo !== undefined) return await copy(payload, payload.copyTo, progress);
    return await verify(payload, progress, {});
  } catch (cause) {
    throw writeFailure(`Writing ${target ?? 'nothing'}`, cause);
  }
}

async function verify(
  payload: VerifyPayload,
  onProgress: Progress,
  fds: { readonly binaryFd?: number; readonly copyFd?: number },
): Promise<SporeReport> {
  const { sporeBytesMax, binaryBytesMax } = payload;
  const { binaryFd, copyFd } = fds;
  using file = new SporeFile(payload.path, {
    sporeBytesMax,
    binaryBytesMax,
    onProgress,
    ...(copyFd === undefined ? {} : { copyFd }),
  });
  return await readSpore(file, payload, binaryFd);
}

async function extract(
  payload: VerifyPayload,
  folder: string,
  progress: Progress,
): Promise<VerifyResult> {
  const isNew = makePrivateFolder(folder);
  const partial = join(folder, PARTIAL_NAME);
  const binaryPath = join(folder, BINARY_NAME);
  let isDone = false;
  try {
    if (existsSync(binaryPath)) throw writeError(folder, 'it holds a binary already');
    const report = await withNewFile(partial, async (fd) => {
      const report = await verify(payload, progress, { binaryFd: fd });
      if (report.ok) fchmodSync(fd, 0o500);
      return report;
    });
    if (!report.ok) return report;
    renameSync(partial, binaryPath);
    isDone = true;
    return { ...report, binaryPath };
  } finally {
    if (!isDone) rmSync(isNew ? folder : partial, { recursive: true, force: true });
  }
}

async function copy(
  payload: VerifyPayload,
  target: string,
  progress: Progress,
): Promise<VerifyResult> {
  return withNewFile(target, async (fd) => {
    const report = await verify(payload, progress, { copyFd: fd });
    fsyncSync(fd);
    return report;
  });
}

async function withNewFile<Result>(
  path: string,
  use: (fd: number) => Promise<Result>,
): Promise<Result> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

/** True if it was made here. An existing one must be this user's and closed to everybody else. */
function makePrivateFolder(folder: string): boolean {
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  if (!existsSync(folder)) {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  }
  const stat = lstatSync(folder);
  const isOurs = stat.uid === (process.getuid?.() ?? stat.uid);
  if (!stat.isDirectory() || !isOurs || (stat.mode & 0o077) !== 0)
    throw writeError(folder, 'it is not a folder that only this user may enter');
  return false;
}

const writeError = (folder: string, what: string) =>
  sporeError('MESH_ERR_SPORE_WRITE', `Extracting to ${folder}: ${what}.`);
