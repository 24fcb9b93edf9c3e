/** One request and its answer, as a client of the control socket sees them. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import { controlError } from './errors.ts';
import { openSocketPath } from './socket-path.ts';
import { ANSWER_BYTES_MAX, ROUTES, pathOf } from './wire.ts';
import type { Operation } from './wire.ts';

/**
 * Without an import: that would read every export of the module, and those that Node loads lazily
 * (WebSocket and its kin, all of undici) cost a short command a tenth of its time.
 */
const { request: httpRequest } = process.getBuiltinModule('node:http');

export type Parameters = Readonly<Record<string, string>>;

/** Resolves with the head of the answer; the caller reads the body. */
export function send(
  socket: string,
  operation: Operation,
  parameters: Parameters,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const target = {
    operation,
    method: ROUTES[operation].method,
    path: pathOf(operation, parameters),
  };
  return sendTo(socket, target, body, signal);
}

/** What is asked for on a socket; `operation` is for messages. */
export interface CallTarget {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
}

/** As `send`, for any socket that speaks HTTP and answers in this way. */
export function sendTo(
  socket: string,
  { operation, method, path }: CallTarget,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const text = body === undefined ? '' : JSON.stringify(body);
  let request: ClientRequest;
  try {
    const reached = openSocketPath(socket);
    request = httpRequest({
      socketPath: reached.path,
      method,
      path,
      headers: { 'content-length': Buffer.byteLength(text), connection: 'close' },
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    request.once('socket', (used) => {
      used.once('close', () => {
        reached.close();
      });
    });
  } catch (cause) {
    return Promise.reject(unreachable(socket, cause));
  }
  let isConnected = false;
  request.once('socket', (used) => used.once('connect', () => (isConnected = true)));
  request.once('response', resolve);
  // Every one of them: an error that comes after the answer began has no other listener.
  request.on('error', (cause) => {
    if (signal?.aborted === true) reject(cause);
    else reject(isConnected ? disconnected(cause, operation) : unreachable(socket, cause));
  });
  request.end(text);
  return promise;
}

export async function valueIn(response: IncomingMessage, operation: string): Promise<unknown> {
  if (response.statusCode !== 200) throw await errorIn(response, operation);
  return parse(await textOf(response, operation), operation);
}

export async function errorIn(response: IncomingMessage, operation: string): Promise<CodedError> {
  const body = parse(await textOf(response, operation), operation);
  if (typeof body === 'object' && body !== null && 'error' in body)
    return CodedError.fromJSON(body.error);
  return badResponse(operation, `status ${String(response.statusCode)} without an error`);
}

async function textOf(response: IncomingMessage, operation: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw badResponse(operation, 'an answer without end');
      chunks.push(chunk);
    }
  } catch (cause) {
    throw disconnected(cause, operation);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function parse(text: string, operation: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badResponse(operation, `no JSON but ${JSON.stringify(text.slice(0, 80))}`, cause);
  }
}

export const badResponse = (operation: string, found: string, cause?: unknown): CodedError =>
  controlError('MESH_ERR_CONTROL_BAD_RESPONSE', `The answer to ${operation} was ${found}.`, {
    cause,
  });

export function disconnected(cause: unknown, operation: string): unknown {
  if (codeOf(cause)?.startsWith('MESH_ERR_') === true) return cause;
  if (cause instanceof Error && cause.name === 'AbortError') return cause;
  return controlError(
    'MESH_ERR_CONTROL_DISCONNECTED',
    `The connection to the mesh broke during ${operation}.`,
    { cause },
  );
}

const unreachable = (socket: string, cause: unknown): CodedError =>
  controlError(
    'MESH_ERR_CONTROL_UNREACHABLE',
    `No mesh answers on ${socket}: ${codeOf(cause) ?? String(cause)}.`,
    { cause },
  );
