/** Clients of a Coordinator: MeshAPI over an attested connection, UserAPI over either kind. */
import http2 from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { CallOptions, Transport } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { ProvenIdentity, Validator } from '../../actors/coordinator/ports/attestation.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { attestedConnect } from '../attested-tls/connect.ts';
import type { AttestedConnectOptions } from '../attested-tls/connect.ts';
import { transportError } from '../attested-tls/errors.ts';
import type { AttestedPeer } from '../attested-tls/exchange.ts';
import { LISTENER_LIMITS, PLAIN_PROTOCOL } from '../attested-tls/limits.ts';
import { peerCertificateOf, peerPublicKeyOf } from '../attested-tls/peer-key.ts';
import type { TlsIdentity } from '../attested-tls/tls-identity.ts';
import { tlsOptionsOf } from '../attested-tls/tls-options.ts';
import { createEvidenceQuestion } from './answerer.ts';
import { MeshAPI } from './generated/mesh-api.ts';
import { UserAPI } from './generated/user-api.ts';
import { RPC_LIMITS } from './limits.ts';
import { fromStatus } from './status.ts';

/** How long a call may take, and what gives it up. */
export interface CallLimits {
  /** Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One function for each method; it rejects with the coded error that the server threw. */
export type Calls<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: (
    request: MessageInitShape<Service['method'][Name]['input']>,
    limits?: CallLimits,
  ) => Promise<MessageShape<Service['method'][Name]['output']>>;
};

/** A connection and the services on it. Close it after use. */
export interface MeshApiClient extends AsyncDisposable {
  /** Who the Coordinator has proved to be. */
  readonly peer: AttestedPeer;
  readonly meshApi: Calls<typeof MeshAPI>;
  /** The same service as on plain connections, of a Coordinator that has proved itself. */
  readonly userApi: Calls<typeof UserAPI>;
  /** Idempotent. */
  close(): void;
}

/** A plain connection, on which only UserAPI is served. */
export interface UserApiClient extends AsyncDisposable {
  readonly userApi: Calls<typeof UserAPI>;
  /**
   * Has the Coordinator prove what it is, over this TLS session. Rejects as `Validator.validate` and
   * as a call does. Nothing that was sent before was sent to somebody who is known.
   */
  attest(validator: Validator, limits?: CallLimits): Promise<ProvenIdentity>;
  /** Certificate that the Coordinator showed, DER. */
  readonly certificate: Uint8Array;
  /** Idempotent. */
  close(): void;
}

/** Where a plain connection goes, and whom it trusts. */
export interface UserApiConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** The owner's key, for calls that ask for one. */
  readonly identity?: TlsIdentity;
  /**
   * PEM of the roots to trust, such as a mesh CA. Without any, whoever answers is talked to: do so
   * only for what is checked by other means, as a history against a manifest that is known.
   */
  readonly roots?: string;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Connects to a Coordinator, attests both ends, and speaks gRPC on what came out.
 * Throws what `attestedConnect` throws.
 *
 * @example
 * ```ts
 * await using client = await connectMeshApi({ host, port, identity, issuer, validator, clock });
 * const { certChain, rootCaCert } = await client.meshApi.newMeshCert({});
 * ```
 */
export async function connectMeshApi(options: AttestedConnectOptions): Promise<MeshApiClient> {
  const { socket, peer } = await attestedConnect(options);
  const { transport, ...connection } = speak(socket);
  return {
    ...connection,
    peer,
    meshApi: callsOf(MeshAPI, transport),
    userApi: callsOf(UserAPI, transport),
  };
}

/** Connects without attestation. MESH_ERR_TRANSPORT_CONNECT, _TLS, _DEADLINE. */
export async function connectUserApi(options: UserApiConnectOptions): Promise<UserApiClient> {
  const socket = await plainSocket(options);
  const certificate = peerCertificateOf(socket) ?? Buffer.of();
  const question = createEvidenceQuestion(socket, peerPublicKeyOf(socket));
  const { transport, ...connection } = speak(socket);
  const userApi = callsOf(UserAPI, transport);
  return {
    ...connection,
    certificate,
    userApi,
    attest: async (validator, limits = {}) => {
      const { nonce } = question;
      const { type, evidence, nonce: own } = await userApi.getEvidence({ nonce }, limits);
      const answer = { type, bytes: evidence, nonce: own };
      const { signal = new AbortController().signal } = limits;
      return question.appraise(answer, validator, signal);
    },
  };
}

async function plainSocket(options: UserApiConnectOptions): Promise<TLSSocket> {
  const { host, port, identity, roots, clock } = options;
  const { timeoutMs = LISTENER_LIMITS.handshakeTimeoutMs } = options;
  const where = `${host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    ...(identity ? tlsOptionsOf(identity) : { minVersion: 'TLSv1.3' }),
    ...(roots === undefined ? { rejectUnauthorized: false } : { ca: roots }),
    host,
    port,
    ALPNProtocols: [PLAIN_PROTOCOL],
  });
  // Stays for the socket's life: an error without a listener would end the process.
  socket.on('error', (cause) => {
    const isNetwork = 'syscall' in cause;
    const code = isNetwork ? 'MESH_ERR_TRANSPORT_CONNECT' : 'MESH_ERR_TRANSPORT_TLS';
    reject(transportError(code, `Connecting to ${where} failed.`, { cause }));
  });
  socket.once('secureConnect', () => resolve());
  const timer = clock.setTimeout(() => {
    const found = `Connecting to ${where}: not done within ${timeoutMs} ms.`;
    reject(transportError('MESH_ERR_TRANSPORT_DEADLINE', found));
  }, timeoutMs);
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clock.clearTimeout(timer);
  }
}

/** gRPC over the one session of a socket. It does not reconnect: what was attested is that socket. */
function speak(socket: TLSSocket) {
  const session = http2.connect('https://coordinator', { createConnection: () => socket });
  // The calls in flight get the error; a session without any just ends.
  session.on('error', () => session.destroy());
  const transport = createGrpcTransport({
    baseUrl: 'https://coordinator',
    sessionManager: {
      authority: 'https://coordinator',
      request: async (method, path, headers, options) => {
        if (session.closed || session.destroyed)
          throw new ConnectError('the connection has ended', Code.Unavailable);
        return session.request({ ...headers, ':method': method, ':path': path }, options);
      },
      notifyResponseByteRead: () => undefined,
    },
    acceptCompression: [],
    readMaxBytes: RPC_LIMITS.messageBytesMax,
    writeMaxBytes: RPC_LIMITS.messageBytesMax,
    defaultTimeoutMs: RPC_LIMITS.callTimeoutMs,
  });
  const close = (): void => session.close();
  return { transport, close, [Symbol.asyncDispose]: () => closed(session) };
}

async function closed(session: ClientHttp2Session): Promise<void> {
  if (session.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  session.once('close', resolve);
  session.destroy();
  await promise;
}

function callsOf<Service extends DescService>(
  service: Service,
  transport: Transport,
): Calls<Service> {
  const client = createClient(service, transport) as unknown as Record<
    string,
    (request: unknown, options: CallOptions) => Promise<unknown>
  >;
  const calls = service.methods.map(({ localName, name }) => {
    const call = async (request: unknown, limits: CallLimits = {}): Promise<unknown> => {
      try {
        return await client[localName]?.(request, limits);
      } catch (error) {
        throw fromStatus(error, `${service.typeName}/${name}`);
      }
    };
    return [localName, call];
  });
  // One entry for each method, by its name: what the mapped type says, built from the descriptor.
  return Object.fromEntries(calls) as Calls<Service>;
}
