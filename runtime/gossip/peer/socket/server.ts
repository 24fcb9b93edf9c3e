import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { codeOf } from '../../../../machines/kernel/coded-error.ts';
import { controlError } from '../../../control/errors.ts';
import { answerError, answerStream, answerValue, readBody } from '../../../control/exchange.ts';
import { openSocketPath } from '../../../control/socket-path.ts';
import { peerError } from '../../errors.ts';
import type { RunningPeer } from '../peer-control.ts';
import { ANSWER_TIMEOUT_MS, BODIES, REQUEST_BYTES_MAX, isOperation } from './wire.ts';
import type { PeerOperation } from './wire.ts';

/** A person, some scripts, a feed; each reader of a stream holds one. */
const CONNECTIONS_MAX = 128;
const REQUEST_TIMEOUT_MS = 10_000;
/** What is under way when the peer ends gets the time of one answer. */
const CLOSE_MS = 250;

export interface PeerSocket {
  /** Refuses new requests, ends streams, removes the socket. Idempotent. */
  close(): Promise<void>;
}

type Body<Operation extends PeerOperation> = z.output<(typeof BODIES)[Operation]>;
type Answers = {
  readonly [Operation in PeerOperation]: (
    peer: RunningPeer,
    body: Body<Operation>,
    signal: AbortSignal,
  ) => Promise<unknown> | AsyncIterable<unknown>;
};

const ANSWERS: Answers = {
  info: (peer) => peer.info(),
  peers: (peer) => peer.peers(),
  add: (peer, body) => peer.addPeer(body),
  remove: (peer, { who }) => peer.removePeer(who),
  post: (peer, body) => peer.post(body),
  send: (peer, body) => peer.send(body),
  messages: (peer, body) => peer.messages(body),
  deadLetters: (peer) => peer.deadLetters(),
  feed: (peer, body) => peer.feed(body),
  tail: (peer, { after }, signal) => peer.tail(after, signal),
  sync: (peer, body, signal) => peer.sync(body, signal),
};

/**
 * Serves a running peer on its control socket, mode 0600. Whoever holds the lock of the peer owns the
 * socket, so one that is there is a dead program's. MESH_ERR_PEER_HOME where it cannot be made.
 */
export async function servePeer(
  peer: RunningPeer,
  socket: string,
  onDefect: (error: unknown) => void = () => undefined,
): Promise<PeerSocket> {
  const ended = new AbortController();
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    handle(peer, request, response, ended.signal).catch((error: unknown) => {
      if (codeOf(error)?.startsWith('MESH_ERR_') !== true) onDefect(error);
      answerError(response, error);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  try {
    const reached = openSocketPath(socket);
    try {
      rmSync(reached.path, { force: true });
      await listen(server, reached.path);
      chmodSync(reached.path, 0o600);
    } catch (error) {
      reached.close();
      throw error;
    }
    return { close: () => close(server, ended, () => reached.close()) };
  } catch (cause) {
    server.close();
    throw peerError('MESH_ERR_PEER_HOME', `Making the socket ${socket}: ${String(cause)}.`, {
      cause,
    });
  }
}

async function handle(
  peer: RunningPeer,
  request: IncomingMessage,
  response: ServerResponse,
  ended: AbortSignal,
): Promise<void> {
  const name = /^\/v1\/peer\/([A-Za-z]+)$/.exec(request.url ?? '')?.[1] ?? '';
  if (request.method !== 'POST' || !isOperation(name))
    throw controlError(
      'MESH_ERR_CONTROL_UNKNOWN_ROUTE',
      `The peer has no operation ${String(request.method)} ${String(request.url)}.`,
    );
  const body = checked(name, await readBody(request, REQUEST_BYTES_MAX));
  // One table for all operations: each takes what its own schema gives.
  const answer = ANSWERS[name] as Answers['info'];
  if (name === 'tail' || name === 'sync') {
    const open = (signal: AbortSignal) => answer(peer, body, signal) as AsyncIterable<unknown>;
    await answerStream(response, ended, open);
    return;
  }
  const work = answer(peer, body, ended) as Promise<unknown>;
  answerValue(response, await inTime(work, name));
}

function checked(operation: PeerOperation, value: unknown): Body<'info'> {
  const found = BODIES[operation].safeParse(value);
  if (found.success) return found.data as Body<'info'>;
  const issues = found.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? '' : `${path.join('.')} `}${message}`,
  );
  throw controlError(
    'MESH_ERR_CONTROL_INVALID_REQUEST',
    `The peer refused the request: ${issues.join('; ')}.`,
  );
}

async function inTime(work: Promise<unknown>, operation: PeerOperation): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const found = `The peer did not end the operation ${operation} in ${ANSWER_TIMEOUT_MS} ms.`;
    late.reject(controlError('MESH_ERR_CONTROL_TIMED_OUT', found));
  }, ANSWER_TIMEOUT_MS);
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

async function close(server: Server, ended: AbortController, done: () => void): Promise<void> {
  if (ended.signal.aborted) return;
  ended.abort();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => {
    resolve();
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, CLOSE_MS);
  await promise;
  clearTimeout(timer);
  done();
}
