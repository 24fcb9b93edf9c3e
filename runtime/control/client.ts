import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { CoordinatorView } from '../coordinator/coordinator-view.ts';
import { homePaths } from '../home.ts';
import { badResponse, disconnected, errorIn, parse, send, valueIn } from './call.ts';
import type { Parameters } from './call.ts';
import { controlError } from './errors.ts';
import type { MeshControl } from './mesh-control.ts';
import { ANSWER_BYTES_MAX, ROUTES } from './wire.ts';
import type { Operation, StreamOperation } from './wire.ts';

export interface ControlClient extends MeshControl {
  /** Frees what the client holds; idempotent. */
  close(): void;
}

/** Over the deadline of the server, whose answer says more. */
const MARGIN_MS = 2_000;

/**
 * The mesh that runs in a state folder, over its control socket. Nothing is connected before the
 * first call; each call is a connection of its own. Beside the codes of `MeshControl`, every method
 * rejects with MESH_ERR_CONTROL_UNREACHABLE, _TIMED_OUT, _DISCONNECTED or _BAD_RESPONSE.
 */
export function connectControl(home: string): ControlClient {
  const { socket } = homePaths(home);
  const call = <Value>(operation: Operation, parameters: Parameters = {}, body?: unknown) =>
    ask<Value>(socket, operation, parameters, body);
  return {
    info: () => call('info'),
    ps: () => call('ps'),
    certificates: () => call('certificates'),
    apps: () => call('apps'),
    describe: () => call('tree'),
    metrics: () => call('metrics'),
    coordinator: async () => (await call<CoordinatorView | null>('coordinator')) ?? undefined,
    inspect: (options = {}) => call('inspect', {}, options),
    status: (app) => call('status', { app }),
    history: (app) => call('history', { app }),
    run: ({ app, ...body }) => call('run', { app }, body),
    scale: ({ app, ...body }) => call('scale', { app }, body),
    rollback: (app, generation) => call('rollback', { app }, { generation }),
    restart: (app) => call('restart', { app }, {}),
    stopApp: (app) => call('stop', { app }, {}),
    remove: async (app) => {
      await call('remove', { app });
    },
    follow: (app, generation, signal) =>
      stream(socket, 'follow', { app, generation: String(generation) }, undefined, signal),
    record: (request = {}, signal) => stream(socket, 'record', {}, request, signal),
    send: async ({ path, event }) => {
      await call('send', { path }, event);
    },
    close: () => undefined,
  };
}

async function ask<Value>(
  socket: string,
  operation: Operation,
  parameters: Parameters,
  body: unknown,
): Promise<Value> {
  const { timeoutMs } = ROUTES[operation];
  const deadline = AbortSignal.timeout((timeoutMs ?? 0) + MARGIN_MS);
  try {
    const response = await send(socket, operation, parameters, body, deadline);
    return (await valueIn(response, operation)) as Value;
  } catch (cause) {
    if (!deadline.aborted) throw cause;
    throw controlError(
      'MESH_ERR_CONTROL_TIMED_OUT',
      `The mesh at ${socket} did not answer ${operation} within ${String(timeoutMs)} ms.`,
      { cause },
    );
  }
}

async function* stream<Value>(
  socket: string,
  operation: StreamOperation,
  parameters: Parameters,
  body: unknown,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value> {
  const response = await send(socket, operation, parameters, body, signal);
  if (response.statusCode !== 200) throw await errorIn(response, operation);
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > ANSWER_BYTES_MAX) throw badResponse(operation, 'a line without end');
      for (const line of lines) yield valueOf(line, operation) as Value;
    }
  } catch (cause) {
    throw disconnected(cause, operation);
  }
}

function valueOf(line: string, operation: StreamOperation): unknown {
  const value = parse(line, operation);
  if (typeof value === 'object' && value !== null && 'error' in value)
    throw CodedError.fromJSON(value.error);
  return value;
}
