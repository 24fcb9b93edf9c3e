import { readFile, stat } from 'node:fs/promises';
import { connectControl } from '../../control/client.ts';
import type { SendRequest } from '../../control/mesh-control.ts';
import type { Run } from '../command.ts';
import { cliError } from '../errors.ts';

/** Bytes of a file with an event; the mesh takes no more either. */
const EVENT_BYTES_MAX = 64 * 1024;

/** Sends an event to an actor of the running mesh, if it was started to allow that. */
export const run: Run = async ({ args, home, out }) => {
  const path = args['path'] ?? '';
  const event = eventOf(await textOf(args['event'] ?? ''));
  await connectControl(home).send({ path, event });
  out.data({ path, event: event.type }, () => `${event.type} was sent to ${path}`);
};

/** The JSON itself, or what the file of that name holds. */
async function textOf(given: string): Promise<string> {
  if (given.trimStart().startsWith('{')) return given;
  try {
    const { size } = await stat(given);
    if (size > EVENT_BYTES_MAX) throw new Error(`it has ${size} bytes`);
    return await readFile(given, 'utf8');
  } catch (cause) {
    throw cliError('MESH_ERR_CLI_USAGE', `Reading the event ${given} failed.`, { cause });
  }
}

function eventOf(text: string): SendRequest['event'] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw cliError('MESH_ERR_CLI_USAGE', 'The event is no JSON.', { cause });
  }
  const { type } = (value ?? {}) as { type?: unknown };
  if (typeof type === 'string') return value as SendRequest['event'];
  throw cliError('MESH_ERR_CLI_USAGE', 'The event has no type, as in {"type":"open"}.');
}
