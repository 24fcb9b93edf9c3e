/** The last lines of a log and of its rotated copies, read from the end. */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { LINE_BYTES_MAX, lineText } from './log-lines.ts';
import { partsOf } from './log-rotation.ts';

/** More lines than this are not given at once. */
export const TAIL_LINES_MAX = 10_000;
/** How far back lines are looked for. */
const TAIL_BYTES_MAX = 64 * 1024 * 1024;
const WINDOW_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

interface Part {
  readonly handle: FileHandle;
  readonly isLive: boolean;
  readonly from: number;
  readonly size: number;
}

/** A log with its copies as one sequence of bytes, as long as it was when it was opened. */
class LogReader {
  readonly size: number;
  /** Of the last part, which is still written. */
  readonly liveSize: number;
  readonly #parts: readonly Part[];
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.size = parts.reduce((sum, { size }) => sum + size, 0);
    this.liveSize = parts.findLast(({ isLive }) => isLive)?.size ?? 0;
  }

  /** Bytes from `from` to `to`, which are at most WINDOW_BYTES apart; shorter if they went away. */
  async read(from: number, to: number): Promise<Buffer> {
    const windowEnd = this.#windowAt + this.#window.length;
    if (from < this.#windowAt || to > windowEnd) await this.#load(from);
    return this.#window.subarray(from - this.#windowAt, to - this.#windowAt);
  }

  async #load(at: number): Promise<void> {
    const window = Buffer.alloc(Math.min(WINDOW_BYTES, this.size - at));
    let filled = 0;
    for (const { handle, from, size } of this.#parts) {
      const start = at + filled - from;
      if (start < 0 || start >= size || filled === window.length) continue;
      const length = Math.min(size - start, window.length - filled);
      filled += (await handle.read(window, filled, length, start)).bytesRead;
    }
    this.#window = window.subarray(0, filled);
    this.#windowAt = at;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { handle } of this.#parts) await handle.close();
  }
}

async function openLog(path: string): Promise<LogReader> {
  const parts: Part[] = [];
  let from = 0;
  for (const name of partsOf(path)) {
    const handle = await openIfThere(name);
    if (handle === null) continue;
    const { size } = await handle.stat();
    parts.push({ handle, isLive: name === path, from, size });
    from += size;
  }
  return new LogReader(parts);
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Oldest first. An unfinished last line counts; an unknown log has none. */
export async function tailLog(path: string, lines: number): Promise<readonly string[]> {
  return (await readTail(path, lines)).lines;
}

export interface Tail {
  readonly lines: readonly string[];
  /** Size of the log itself, without its copies, when it was read. */
  readonly size: number;
  /** How many bytes the last line has when it is unfinished, otherwise 0. */
  readonly unfinished: number;
}

/** As `tailLog`, with what is needed to read on from there. */
export async function readTail(path: string, lines: number): Promise<Tail> {
  await using reader = await openLog(path);
  // One at least, to see whether the last line is finished.
  const found = await lineStarts(reader, Math.min(Math.max(1, lines), TAIL_LINES_MAX));
  const starts = lines > 0 ? found : [];
  const texts: string[] = [];
  for (const [index, start] of starts.entries()) {
    const end = (starts[index + 1] ?? reader.size + 1) - 1;
    const bytes = await reader.read(start, Math.min(end, start + LINE_BYTES_MAX));
    texts.push(lineText(bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes));
  }
  const last = await reader.read(Math.max(0, reader.size - 1), reader.size);
  const isFinished = reader.size === 0 || last[0] === NEWLINE;
  const unfinished = isFinished ? 0 : reader.size - (found.at(-1) ?? 0);
  return { lines: texts, size: reader.liveSize, unfinished };
}

/** Offsets where the last `count` lines start, ascending. */
async function lineStarts(reader: LogReader, count: number): Promise<number[]> {
  const starts: number[] = [];
  const oldest = Math.max(0, reader.size - TAIL_BYTES_MAX);
  for (let to = reader.size; to > oldest && starts.length < count;) {
    const from = Math.max(oldest, to - WINDOW_BYTES);
    const bytes = await reader.read(from, to);
    for (let at = bytes.length - 1; at >= 0 && starts.length < count; at--) {
      const next = from + at + 1;
      if (bytes[at] === NEWLINE && next < reader.size) starts.push(next);
    }
    to = from;
  }
  if (starts.length < count && reader.size > 0) starts.push(oldest);
  return starts.toReversed();
}
