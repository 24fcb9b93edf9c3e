/**
 * Listens with TLS 1.3 and sorts connections by their application protocol: those that are to be
 * attested, and plain HTTP/2. Half-open ones are bounded in time and in number.
 */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import type { Issuer } from '../../actors/coordinator/ports/attestation.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { AcceptedConnection } from './accepted-connection.ts';
import type { PlainConnection } from './accepted-connection.ts';
import { transportError } from './errors.ts';
import { ATTESTED_PROTOCOL, LISTENER_LIMITS, PLAIN_PROTOCOL } from './limits.ts';
import type { ListenerLimits } from './limits.ts';
import { clientPublicKeyOf } from './peer-key.ts';
import { PendingConnections } from './pending-connections.ts';
import type { TlsIdentity } from './tls-identity.ts';
import { tlsOptionsOf } from './tls-options.ts';

/** What to listen on, as whom, and who takes the connections. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly identity: TlsIdentity;
  /** Makes this end's evidence. */
  readonly issuer: Issuer;
  readonly clock: Clock;
  readonly limits?: Partial<ListenerLimits>;
  /** Takes a connection that is to be attested: calls `attest` or `refuse` on it. Must not throw. */
  readonly onConnection: (connection: AcceptedConnection) => void;
  /** Takes one that is not; without it they are refused in the TLS handshake. */
  readonly onPlain?: (connection: PlainConnection) => void;
  /** Told of connections that did not get that far; for counters and logs. */
  readonly onRefused?: (error: unknown) => void;
}

/** An open listener. */
export interface TlsListener {
  readonly host: string;
  readonly port: number;
  /** Connections now: those not attested yet, and all. */
  readonly counts: { readonly pending: number; readonly open: number };
  /** From the next connection on, this key and these certificates. */
  renew(identity: TlsIdentity): void;
  /** Resolves when it has ended, whoever ended it. */
  readonly closed: Promise<void>;
  /** Takes no more connections, and gives up those that are not attested; the others go on. */
  retire(): void;
  /** Closes every connection, and resolves when they are closed. Idempotent. */
  close(): Promise<void>;
}

/** Opens it; MESH_ERR_TRANSPORT_LISTEN. */
export async function listenTls(options: ListenOptions): Promise<TlsListener> {
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const pending = new PendingConnections(limits, options.clock, options.onRefused);
  const open = new Set<Socket>();
  const protocols = [ATTESTED_PROTOCOL, ...(options.onPlain ? [PLAIN_PROTOCOL] : [])];
  let { identity } = options;
  const server = createServer({
    ...tlsOptionsOf(identity),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: protocols,
    noDelay: true,
    // The deadline from the accept on comes first; this one is for what it could ever miss.
    handshakeTimeout: 2 * limits.handshakeTimeoutMs,
  });
  server.maxConnections = limits.connectionsMax;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    pending.add(socket);
  });
  server.on('secureConnection', (socket) => {
    // Stays for the socket's life: an error without a listener would end the process.
    socket.on('error', (error) => options.onRefused?.(error));
    admit(socket, identity, pending, options);
  });
  server.on('tlsClientError', (cause, socket) => {
    // One that was given up is reported already, and hangs up as a consequence.
    if (pending.has(socket)) {
      const found = 'Accepting a connection: its TLS handshake failed.';
      options.onRefused?.(transportError('MESH_ERR_TRANSPORT_TLS', found, { cause }));
    }
    socket.destroy();
  });
  const { address, port } = await listening(server, options);
  const { promise: closed, resolve: end } = Promise.withResolvers<void>();
  server.once('close', () => end());
  return {
    host: address,
    port,
    closed,
    get counts() {
      return { pending: pending.size, open: open.size };
    },
    renew: (next) => {
      identity = next;
      server.setSecureContext(tlsOptionsOf(next));
    },
    retire: () => {
      server.close();
      pending.giveUp();
    },
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function admit(
  socket: TLSSocket,
  identity: TlsIdentity,
  pending: PendingConnections,
  { issuer, onConnection, onPlain, onRefused }: ListenOptions,
): void {
  const entry = pending.secure(socket);
  try {
    if (entry === undefined || socket.isSessionReused())
      throw transportError('MESH_ERR_TRANSPORT_TLS', 'Accepting a connection: it was resumed.');
    if (socket.alpnProtocol === ATTESTED_PROTOCOL) {
      const { id, signal } = entry;
      const acceptance = { id, signal, issuer, publicKey: identity.publicKey };
      const onAttested = (): void => pending.settle(entry);
      onConnection(new AcceptedConnection(socket, { ...acceptance, onAttested }));
      return;
    }
    if (socket.alpnProtocol !== PLAIN_PROTOCOL || onPlain === undefined)
      throw transportError(
        'MESH_ERR_TRANSPORT_TLS',
        'Accepting a connection: it names no protocol.',
      );
    pending.settle(entry);
    onPlain({ id: entry.id, socket, publicKey: clientPublicKeyOf(socket) });
  } catch (error) {
    onRefused?.(error);
    socket.destroy();
  }
}

async function listening(
  server: Server,
  { host, port, onRefused }: ListenOptions,
): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port, backlog: 511 }, resolve);
  try {
    await promise;
  } catch (cause) {
    const found = `Listening on ${host}:${port} failed.`;
    throw transportError('MESH_ERR_TRANSPORT_LISTEN', found, { cause });
  } finally {
    server.off('error', reject);
  }
  // Running out of file descriptors fails one accept, not the listener; the next one may succeed.
  server.on('error', (error) => onRefused?.(error));
  return server.address() as AddressInfo;
}
