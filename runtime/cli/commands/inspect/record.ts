import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { connectControl } from '../../../control/client.ts';
import type { Run } from '../../command.ts';
import { cliError } from '../../errors.ts';
import { milliseconds, text } from '../../option-values.ts';
import { onSignals } from '../../signals.ts';

/** A week: a recording is full long before. */
const FOR_MS_MAX = 7 * 24 * 60 * 60 * 1_000;

/** Writes down what happens in a running mesh, until Ctrl-C, or for as long as was asked. */
export const run: Run = async (invocation) => {
  const { home, options, out } = invocation;
  const forMs = milliseconds(invocation, 'for', FOR_MS_MAX);
  const path =
    text(options['out']) ?? `mesh-${new Date().toISOString().replaceAll(':', '-')}.jsonl`;
  const lines = connectControl(home).record(forMs === undefined ? {} : { forMs });
  const signals = onSignals();
  const reading = lines[Symbol.asyncIterator]();
  // The header is asked for first, so that a mesh that does not run leaves no file.
  const first = await reading.next();
  const file = await create(path);
  try {
    if (forMs === undefined) out.note(`Recording to ${path}. Ctrl-C ends it.`);
    const count = await write(file, first, reading, signals.signal);
    out.data({ path, lines: count }, () => path);
    out.note(`Look at it with \`mesh inspect open ${path}\`.`);
  } finally {
    signals.release();
    await file.close();
  }
};

/** Never one that is there: its mode would stay as it is, and others might read it. */
async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    throw cliError('MESH_ERR_CLI_OUTPUT', `Making the recording ${path} failed.`, { cause });
  }
}

/** Writes each line as it comes; the number of lines. After a signal the end is written here. */
async function write(
  file: FileHandle,
  first: IteratorResult<string>,
  reading: AsyncIterator<string>,
  signal: AbortSignal,
): Promise<number> {
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  let count = 0;
  for (let next: IteratorResult<string> | undefined = first; ; count++) {
    if (next === undefined) {
      await file.write(`${JSON.stringify({ type: 'end', why: 'asked', atMs: Date.now() })}\n`);
      // The connection is dropped, not awaited: it is its own end of the stream.
      void reading.return?.();
      return count + 1;
    }
    if (next.done === true) return count;
    await file.write(`${next.value}\n`);
    next = await Promise.race([reading.next(), aborted]);
  }
}
