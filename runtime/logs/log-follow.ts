/** New lines of all logs in a folder, as they are written. */
import { open, readdir, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import type { Clock } from '../../machines/kernel/clock.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { LineSplitter } from './log-lines.ts';
import { LOG_COPIES } from './log-rotation.ts';
import { readTail } from './log-tail.ts';

/** How often the folder is looked at. */
export const FOLLOW_POLL_MS = 100;
/** Read of one log at a time, so that a chatty instance does not silence the others. */
const CHUNK_BYTES = 64 * 1024;
const SUFFIX = '.log';
const NO_COPY = '';

export interface LogLine {
  readonly instance: string;
  readonly line: string;
}

export interface FollowOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Lines of each log that were there already, given first. */
  readonly lines: number;
  readonly signal: AbortSignal;
  /** Runs `work` while that log is not rotated. */
  readonly locked: <T>(path: string, work: () => Promise<T>) => Promise<T>;
}

interface Followed {
  readonly splitter: LineSplitter;
  offset: number;
  /** The newest copy: another one with each rotation. */
  copy: string;
}

/** Ends when `signal` aborts. Logs that appear later are followed from their start. */
export async function* followLogs(options: FollowOptions): AsyncGenerator<LogLine, void, void> {
  const { folder, clock, signal, locked } = options;
  const followed = new Map<string, Followed>();
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const names = await logNames(folder);
    for (const name of followed.keys()) if (!names.includes(name)) followed.delete(name);
    let isBusy = false;
    for (const name of names) {
      const path = `${folder}/${name}`;
      const instance = name.slice(0, -SUFFIX.length);
      const log = followed.get(name);
      const lines = await locked(path, async () => {
        if (log !== undefined) return await readOn(path, log);
        const start = await startOf(path, isFirst ? options.lines : null);
        followed.set(name, start.log);
        return start.lines;
      });
      isBusy ||= lines.length > 0 || log === undefined;
      for (const line of lines) if (!signal.aborted) yield { instance, line };
    }
    if (!isBusy) await pause(clock, signal);
  }
}

async function logNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** `lines`: how many of those that are there shall be given; null: all, as it is new. */
async function startOf(
  path: string,
  lines: number | null,
): Promise<{ readonly log: Followed; readonly lines: readonly string[] }> {
  const copy = await nameOf(`${path}.1`);
  const log: Followed = { splitter: new LineSplitter(), offset: 0, copy };
  if (lines === null) return { log, lines: [] };
  const tail = await readTail(path, lines);
  // An unfinished line is given when it is finished; most of it may be in a copy already.
  log.offset = Math.max(0, tail.size - tail.unfinished);
  return { log, lines: tail.unfinished > 0 ? tail.lines.slice(0, -1) : tail.lines };
}

async function factsOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Names a file however often it is renamed; numbers of inodes alone are used again. */
async function nameOf(path: string): Promise<string> {
  const facts = await factsOf(path);
  return facts === null ? NO_COPY : `${facts.ino}/${facts.birthtimeMs}`;
}

async function readOn(path: string, log: Followed): Promise<string[]> {
  const copy = await copyOf(path, log);
  if (copy !== null) {
    // A copy has the offsets of the log that it was; so reading goes on where it stopped.
    const chunk = await readChunk(copy.path, log.offset);
    if (chunk.length > 0) return take(log, chunk);
    log.copy = copy.name;
    log.offset = 0;
    return readOn(path, log);
  }
  // Somebody else emptied it; what was in it is gone.
  if (((await factsOf(path))?.size ?? 0) < log.offset) log.offset = 0;
  return take(log, await readChunk(path, log.offset));
}

/** The copy that the followed log became since it was last read; null when it is still the log. */
async function copyOf(
  path: string,
  log: Followed,
): Promise<{ readonly path: string; readonly name: string } | null> {
  let next: { readonly path: string; readonly name: string } | null = null;
  for (let number = 1; number <= LOG_COPIES; number++) {
    const name = await nameOf(`${path}.${number}`);
    if (name === log.copy) return next;
    if (name !== NO_COPY) next = { path: `${path}.${number}`, name };
  }
  if (log.copy === NO_COPY) return next;
  // Rotated more often than there are copies: all that is there is read.
  log.copy = NO_COPY;
  log.offset = 0;
  return next;
}

function take(log: Followed, chunk: Buffer): string[] {
  log.offset += chunk.length;
  return log.splitter.push(chunk);
}

async function readChunk(path: string, offset: number): Promise<Buffer> {
  try {
    await using handle = await open(path, 'r');
    const chunk = Buffer.alloc(CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, offset);
    return chunk.subarray(0, bytesRead);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(done, FOLLOW_POLL_MS);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
