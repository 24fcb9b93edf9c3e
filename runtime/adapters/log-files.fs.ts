import assert from 'node:assert/strict';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogFiles } from '../../actors/workload/ports/process.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import { isName } from '../../machines/kernel/ids.ts';
import { processError } from '../../machines/workload/process-errors.ts';
import { followLogs } from '../logs/log-follow.ts';
import type { LogLine } from '../logs/log-follow.ts';
import { rotateLog } from '../logs/log-rotation.ts';
import { tailLog } from '../logs/log-tail.ts';

/** A log that has this size or more is rotated. */
export const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** Logs of ended instances that `prune` leaves, per app. */
export const LOGS_KEPT = 20;

const INSTANCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const LOG_PART = /^(.+)\.log(?:\.\d|\.tmp)?$/;

/** Logs as files `FOLDER/APP/INSTANCE.log`, rotated to `.1`, `.2` and `.3`. */
export interface LogFilesOnDisk extends LogFiles {
  /**
   * Lines of all instances of an app as they are written, also of instances that come later; first
   * the last `lines` (default 0) of each that is there. Ends when `signal` aborts; no line is lost
   * by a rotation.
   */
  follow(
    app: string,
    options: { readonly signal: AbortSignal; readonly lines?: number },
  ): AsyncIterable<LogLine>;
}

export interface LogFilesOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Default LOG_BYTES_MAX. */
  readonly bytesMax?: number;
}

/**
 * An app has at most LOGS_KEPT logs of ended instances and one of each recorded one, each of
 * LOG_BYTES_MAX times (LOG_COPIES + 1) and what is written between two looks at its size.
 * Every method rejects with MESH_ERR_LOGS_FAILED when the file system does.
 */
export function createLogFiles(options: LogFilesOptions): LogFilesOnDisk {
  const { folder, clock, bytesMax = LOG_BYTES_MAX } = options;
  const locked = createLocks();
  const folderOf = (app: string): string => {
    assert(isName(app), `"${app}" is not the name of an app.`);
    return join(folder, app);
  };
  const pathOf = (app: string, instance: string): string => {
    assert(INSTANCE.test(instance), `"${instance}" is not the name of an instance.`);
    return join(folderOf(app), `${instance}.log`);
  };
  return {
    prepare: (app, instance) =>
      attempt(`Making the log folder of ${app}`, async () => {
        const path = pathOf(app, instance);
        await mkdir(folderOf(app), { recursive: true, mode: 0o700 });
        return path;
      }),
    tail: (app, instance, lines) =>
      attempt(`Reading the log of ${instance}`, async () => {
        const path = pathOf(app, instance);
        return await locked(path, () => tailLog(path, lines));
      }),
    rotate: (app, instance) =>
      attempt(`Rotating the log of ${instance}`, async () => {
        const path = pathOf(app, instance);
        await locked(path, () => rotateLog(path, bytesMax));
      }),
    async *follow(app, { signal, lines = 0 }) {
      try {
        yield* followLogs({ folder: folderOf(app), clock, lines, signal, locked });
      } catch (error) {
        throw logsFailed(`Following the logs of ${app}`, error);
      }
    },
    prune: (app, keep) =>
      attempt(`Removing old logs of ${app}`, () => pruneLogs(folderOf(app), keep)),
    discard: (app) =>
      attempt(`Removing the logs of ${app}`, () =>
        rm(folderOf(app), { recursive: true, force: true }),
      ),
  };
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw logsFailed(what, error);
  }
}

/** Programmer errors pass as they are. */
function logsFailed(what: string, cause: unknown): unknown {
  if (cause instanceof assert.AssertionError || cause instanceof CodedError) return cause;
  const errno = codeOf(cause) ?? null;
  return processError('MESH_ERR_LOGS_FAILED', `${what} failed: ${errno ?? 'see the cause'}.`, {
    cause,
    details: { errno },
  });
}

/** One piece of work at a time for each path. */
function createLocks(): <T>(path: string, work: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return async (path, work) => {
    // The one before has its own caller, who hears of its failure.
    const run = (tails.get(path) ?? Promise.resolve()).then(work, work);
    tails.set(path, run);
    try {
      return await run;
    } finally {
      if (tails.get(path) === run) tails.delete(path);
    }
  };
}

async function pruneLogs(folder: string, keep: ReadonlySet<string>): Promise<void> {
  const files = new Map<string, string[]>();
  for (const name of await readdir(folder).catch(noneIfMissing)) {
    const instance = LOG_PART.exec(name)?.[1];
    if (instance !== undefined && !keep.has(instance))
      files.set(instance, [...(files.get(instance) ?? []), name]);
  }
  const dated: { readonly instance: string; readonly atMs: number }[] = [];
  for (const [instance, [first = '']] of files)
    dated.push({ instance, atMs: await changedAtMs(join(folder, first)) });
  for (const { instance } of dated.toSorted((a, b) => b.atMs - a.atMs).slice(LOGS_KEPT))
    for (const name of files.get(instance) ?? []) await rm(join(folder, name), { force: true });
}

/** 0 for a file that somebody else has removed meanwhile. */
async function changedAtMs(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

function noneIfMissing(error: unknown): string[] {
  if (codeOf(error) === 'ENOENT') return [];
  throw error;
}
