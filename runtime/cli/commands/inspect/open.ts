import { readFile, stat } from 'node:fs/promises';
import { inspectError } from '../../../web/errors.ts';
import { startReplay } from '../../../web/inspector.ts';
import { RECORDING_BYTES_MAX } from '../../../web/recording/bounds.ts';
import type { Run } from '../../command.ts';
import { count } from '../../option-values.ts';
import { onSignals } from '../../signals.ts';

const PORTS = { min: 0, max: 65_535 };

/** Shows a recording in a browser, until Ctrl-C; no mesh takes part. */
export const run: Run = async (invocation) => {
  const { args, out } = invocation;
  const port = count(invocation, 'port', PORTS);
  const path = args['file'] ?? '';
  const replay = await startReplay(await textOf(path), port === undefined ? {} : { port });
  const signals = onSignals();
  try {
    const url = replay.invite();
    out.data({ url, port: replay.port }, () => url);
    out.note('Open it in a browser on this machine; it works once. Ctrl-C ends it.');
    await signals.first;
    return signals.exitCode();
  } finally {
    signals.release();
    await replay.close();
  }
};

async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > RECORDING_BYTES_MAX * 2) throw new Error(`it has ${size} bytes`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw inspectError('MESH_ERR_INSPECT_RECORDING', `Reading the recording ${path} failed.`, {
      cause,
    });
  }
}
