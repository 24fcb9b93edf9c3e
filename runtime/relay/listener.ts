/** The port of a relay: bounds of HTTP, and the upgrade to a wake-up socket. */
import { STATUS_CODES, createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import { relayError } from '../../machines/gossip/relay-errors.ts';
import { Admission } from './admission.ts';
import { createRelayApp } from './app.ts';
import type { RelayAppOptions } from './app.ts';
import type { RelayLimits } from './limits.ts';
import { statusOf } from './status.ts';

export interface RelayAddress {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

export interface RelayListener {
  readonly port: number;
  connections(): number;
  /** Resolves when it is closed, by whom ever. */
  readonly closed: Promise<void>;
  /** Takes nothing more, lets requests in flight end for a moment, and closes. Idempotent. */
  close(): Promise<void>;
}

/** Longest head: the proof is 400 octets of it. */
const HEAD_BYTES_MAX = 8 * 1024;
/** How often deadlines of heads and requests are looked at. */
const LOOK_MS = 1000;
/** A client of a wake-up socket says nothing. */
const MESSAGE_BYTES_MAX = 64;
const WAKE = /^\/inbox\/([0-9a-f]{64})\/wake$/;

/** Opens the port; MESH_ERR_RELAY_LISTEN. */
export async function listenRelay(
  options: RelayAppOptions,
  { host, port }: RelayAddress,
): Promise<RelayListener> {
  const { limits, clock, wakes } = options;
  const app = createRelayApp(options);
  const answer = getRequestListener(app.fetch);
  const server = createServer(serverOptions(limits), (request, response) => {
    void answer(request, response);
  });
  server.maxConnections = limits.connectionsMax;
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.once('close', () => connections--);
  });
  server.setTimeout(limits.idleTimeoutMs);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });
  server.on('upgrade', (request, socket, head) => upgrade(options, sockets, request, socket, head));
  await listening(server, { host, port });
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  server.once('close', resolve);
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    closed,
    close: async () => {
      if (!server.listening) return closed;
      wakes.close();
      server.close();
      server.closeIdleConnections();
      const timer = clock.setTimeout(() => server.closeAllConnections(), limits.drainMs);
      await closed;
      clock.clearTimeout(timer);
    },
  };
}

const serverOptions = (limits: RelayLimits) => ({
  headersTimeout: limits.headTimeoutMs,
  requestTimeout: limits.requestTimeoutMs,
  keepAliveTimeout: limits.idleTimeoutMs,
  connectionsCheckingInterval: Math.min(LOOK_MS, limits.headTimeoutMs),
  maxHeaderSize: HEAD_BYTES_MAX,
});

async function listening(server: Server, { host, port }: RelayAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (cause) => {
    const what = `Listening on ${host}:${port} failed: ${cause.message}.`;
    reject(relayError('MESH_ERR_RELAY_LISTEN', what, { cause }));
  });
  server.listen(port, host, resolve);
  await promise;
}

function upgrade(
  options: Pick<RelayAppOptions, 'admission' | 'wakes' | 'store' | 'counters' | 'clock'>,
  sockets: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const { admission, wakes, store, counters, clock } = options;
  // A client may leave at any moment; there is nobody to tell.
  socket.on('error', () => socket.destroy());
  try {
    const peer = watcherOf(admission, request);
    wakes.refuseBeyond(peer);
    const isAwaited = store.hasMail(peer, clock.now());
    sockets.handleUpgrade(request, socket, head, (open) => {
      counters.answered(101);
      wakes.join(peer, open, isAwaited);
    });
  } catch (error) {
    const status = error instanceof CodedError ? statusOf(error) : 500;
    const code = error instanceof CodedError ? error.code : 'MESH_ERR_KERNEL_UNKNOWN';
    counters.answered(status);
    counters.refused(code);
    const said = error instanceof CodedError ? { ...error.toJSON(), cause: undefined } : { code };
    socket.end(rawAnswer(status, JSON.stringify(said)));
  }
}

/** MESH_ERR_RELAY_NOT_FOUND, and all that admission refuses. */
function watcherOf(admission: Admission, request: IncomingMessage): string {
  const path = request.url ?? '';
  const [, inbox] = WAKE.exec(path) ?? [];
  if (inbox === undefined || request.method !== 'GET')
    throw relayError('MESH_ERR_RELAY_NOT_FOUND', `Nothing to watch at ${path.slice(0, 200)}.`);
  const { authorization } = request.headers;
  return Admission.own(admission.admit({ method: 'GET', path, authorization }), inbox);
}

const rawAnswer = (status: number, body: string): string =>
  `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json\r\n` +
  `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
