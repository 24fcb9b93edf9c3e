import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../machines/kernel/clock.ts';
import { transportError } from './errors.ts';
import { exchangeEvidence } from './exchange.ts';
import type { AttestedPeer, Attestor } from './exchange.ts';
import { ATTESTED_PROTOCOL, LISTENER_LIMITS } from './limits.ts';
import type { TlsIdentity } from './tls-identity.ts';
import { secureContextOf } from './tls-options.ts';

/** Where to connect, as whom, and whom to believe. */
export interface AttestedConnectOptions extends Attestor {
  readonly host: string;
  readonly port: number;
  /** Own TLS key: evidence is bound to it, and a mesh certificate is issued for it. */
  readonly identity: TlsIdentity;
  readonly clock: Clock;
  /** From the first packet to the attested connection; default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A connection on which both ends have proved themselves, and nothing was said yet. */
export interface AttestedConnection {
  readonly socket: TLSSocket;
  readonly peer: AttestedPeer;
}

/**
 * Connects with TLS 1.3 and attests both ends. The socket is then free for HTTP/2; nobody else has
 * read from it. Closes it on every failure: MESH_ERR_TRANSPORT_CONNECT, _TLS, _DEADLINE, and what
 * `exchangeEvidence` throws.
 *
 * @example
 * ```ts
 * const { socket, peer } = await attestedConnect({
 *   host: 'coordinator.example', port: 7443, clock: systemClock,
 *   identity: createTlsIdentity(systemClock.now()),
 *   issuer: createProcessIssuer(nodeKey, { spore, binary, instance }, systemClock),
 *   validator: createValidator(manifest.referenceValues, { clock: systemClock }),
 * });
 * ```
 */
export async function attestedConnect(
  options: AttestedConnectOptions,
): Promise<AttestedConnection> {
  const { clock, timeoutMs = LISTENER_LIMITS.handshakeTimeoutMs } = options;
  const where = `${options.host}:${options.port}`;
  const deadline = new AbortController();
  const timer = clock.setTimeout(() => {
    const found = `Connecting to ${where}: not attested within ${timeoutMs} ms.`;
    deadline.abort(transportError('MESH_ERR_TRANSPORT_DEADLINE', found));
  }, timeoutMs);
  const signal = options.signal
    ? AbortSignal.any([deadline.signal, options.signal])
    : deadline.signal;
  try {
    const socket = await secureSocket(options, signal);
    const { identity, issuer, validator } = options;
    const attestor = { issuer, validator };
    const peer = await exchangeEvidence(socket, 'client', identity.publicKey, attestor, signal);
    return { socket, peer };
  } finally {
    clock.clearTimeout(timer);
  }
}

async function secureSocket(
  { host, port, identity }: AttestedConnectOptions,
  signal: AbortSignal,
): Promise<TLSSocket> {
  signal.throwIfAborted();
  const socket = connect({
    secureContext: secureContextOf(identity),
    host,
    port,
    rejectUnauthorized: false,
    ALPNProtocols: [ATTESTED_PROTOCOL],
  });
  socket.setNoDelay(true);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  // Stays for the socket's life: an error without a listener would end the process.
  socket.on('error', (cause) => reject(connectError(`${host}:${port}`, socket, cause)));
  socket.once('secureConnect', () => resolve());
  try {
    await promise;
    if (socket.alpnProtocol !== ATTESTED_PROTOCOL)
      throw transportError(
        'MESH_ERR_TRANSPORT_TLS',
        `Connecting to ${host}:${port}: the other end does not attest connections.`,
      );
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Before the first bytes came back it is the network, then it is TLS. */
function connectError(where: string, socket: TLSSocket, cause: Error): Error {
  const isTls = socket.bytesRead > 0 || ('library' in cause && 'reason' in cause);
  return isTls
    ? transportError('MESH_ERR_TRANSPORT_TLS', `Handshaking with ${where} failed.`, { cause })
    : transportError('MESH_ERR_TRANSPORT_CONNECT', `Connecting to ${where} failed.`, { cause });
}
