import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { ensureHome } from '../home.ts';
import { controlError } from './errors.ts';
import { answerError, answerStream, answerValue, readBody } from './exchange.ts';
import { isLiving } from './living.ts';
import type { MeshControl } from './mesh-control.ts';
import { OPERATIONS } from './operations.ts';
import { openSocketPath } from './socket-path.ts';
import type { SocketPath } from './socket-path.ts';
import { ROUTES, isStream, matchRoute } from './wire.ts';

export interface ControlServer {
  /** Refuses new requests, ends streams, removes the socket. Idempotent. */
  close(): Promise<void>;
}

export interface ControlServerOptions {
  /** State folder; the socket is `mesh.sock` in it. */
  readonly home: string;
  /** Told of errors without a code, which are defects. Default: nobody. */
  readonly onDefect?: (error: unknown) => void;
}

/** A person, some scripts and a monitor; each follower holds one. */
const CONNECTIONS_MAX = 128;
/** Requests are a few hundred bytes from the same machine. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Serves a mesh on the control socket of its state folder, mode 0600. A socket file that nobody
 * answers on is replaced; MESH_ERR_CONTROL_ALREADY_RUNNING where somebody does,
 * MESH_ERR_CONTROL_HOME_UNUSABLE where the socket cannot be made.
 */
export async function serveControl(
  control: MeshControl,
  options: ControlServerOptions,
): Promise<ControlServer> {
  const { home, socket } = ensureHome(options.home);
  const reached = openSocketPath(socket);
  const ended = new AbortController();
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    handle(control, request, response, ended.signal).catch((error: unknown) => {
      if (codeOf(error)?.startsWith('MESH_ERR_') !== true) options.onDefect?.(error);
      answerError(response, error);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  try {
    if (await isLiving(reached.path))
      throw controlError('MESH_ERR_CONTROL_ALREADY_RUNNING', `A mesh already runs in ${home}.`, {
        details: { home },
      });
    rmSync(reached.path, { force: true });
    await listen(server, reached.path);
    chmodSync(reached.path, 0o600);
  } catch (cause) {
    reached.close();
    server.close();
    throw unusable(home, cause);
  }
  return { close: () => close(server, reached, ended) };
}

async function handle(
  control: MeshControl,
  request: IncomingMessage,
  response: ServerResponse,
  ended: AbortSignal,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://mesh').pathname;
  const match = matchRoute(request.method ?? '', path);
  if (match === undefined)
    throw controlError(
      'MESH_ERR_CONTROL_UNKNOWN_ROUTE',
      `The mesh has no operation ${String(request.method)} ${path}.`,
    );
  const body = await readBody(request);
  const { operation, parameters } = match;
  if (isStream(operation)) {
    await answerStream(response, ended, (signal) =>
      OPERATIONS[operation](control, parameters, body, signal),
    );
    return;
  }
  const work = OPERATIONS[operation](control, parameters, body);
  answerValue(response, await withDeadline(work, operation));
}

async function withDeadline(work: Promise<unknown>, operation: keyof typeof ROUTES) {
  const { timeoutMs } = ROUTES[operation];
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      controlError(
        'MESH_ERR_CONTROL_TIMED_OUT',
        `The mesh did not end the operation ${operation} within ${String(timeoutMs)} ms.`,
      ),
    );
  }, timeoutMs ?? 0);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The socket is never open to others in between: bind(2) makes it under this umask. */
function listen(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  const before = process.umask(0o177);
  try {
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  } finally {
    process.umask(before);
  }
  return promise;
}

async function close(server: Server, reached: SocketPath, ended: AbortController): Promise<void> {
  ended.abort();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => {
    resolve();
  });
  server.closeIdleConnections();
  // What is under way gets the time of one answer; a stalled reader does not hold the mesh up.
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, 250);
  await promise;
  clearTimeout(timer);
  reached.close();
}

function unusable(home: string, cause: unknown): unknown {
  if (codeOf(cause)?.startsWith('MESH_ERR_') === true) return cause;
  const found = cause instanceof Error ? cause.message : String(cause);
  return controlError(
    'MESH_ERR_CONTROL_HOME_UNUSABLE',
    `The control socket in ${home} cannot be made: ${found}.`,
    { cause },
  );
}
