/** Serves MeshAPI and UserAPI as gRPC on HTTP/2 connections that somebody else accepted. */
import http2 from 'node:http2';
import type { Http2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { createContextKey, createContextValues } from '@connectrpc/connect';
import type { ConnectRouter, HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { AttestedPeer } from '../attested-tls/exchange.ts';
import type { Answerer } from './answerer.ts';
import { rpcError } from './errors.ts';
import { MeshAPI } from './generated/mesh-api.ts';
import { UserAPI } from './generated/user-api.ts';
import { HEADER_BYTES_MAX, HEADER_FIELDS_MAX, RPC_LIMITS } from './limits.ts';
import type { RpcLimits } from './limits.ts';
import { toStatus } from './status.ts';

/** Who calls. */
export interface RpcPeer {
  /** Of the connection, unique among those of its listener. */
  readonly connection: string;
  /** What it proved; `undefined` on a plain connection. */
  readonly attested?: AttestedPeer;
  /** SubjectPublicKeyInfo of the TLS key that it proved to hold, if it showed one. */
  readonly publicKey?: Uint8Array;
  /** Makes evidence for this connection. */
  readonly answer?: Answerer;
}

/** One call, beside its request. */
export interface RpcCall<Peer = RpcPeer> {
  readonly peer: Peer;
  /** Ends with the client's deadline, the server's, or the connection. */
  readonly signal: AbortSignal;
}

/** A peer that has proved itself, as all are that reach MeshAPI. */
export type AttestedRpcPeer = RpcPeer & { readonly attested: AttestedPeer };

/** One function for each method; a coded error that it throws reaches the client as that code. */
export type Handlers<Service extends DescService, Peer> = {
  readonly [Name in keyof Service['method']]: (
    request: MessageShape<Service['method'][Name]['input']>,
    call: RpcCall<Peer>,
  ) => Promise<MessageInitShape<Service['method'][Name]['output']>>;
};
export type MeshApiHandlers = Handlers<typeof MeshAPI, AttestedRpcPeer>;
/** Evidence is answered by the server itself, as it belongs to the connection. */
export type UserApiHandlers = Omit<Handlers<typeof UserAPI, RpcPeer>, 'getEvidence'>;

/** What is served, and within which limits. */
export interface RpcServerOptions {
  readonly meshApi: MeshApiHandlers;
  readonly userApi: UserApiHandlers;
  readonly clock: Clock;
  readonly limits?: Partial<RpcLimits>;
  /** Told of every refused call; for logs and counters. */
  readonly onRefused?: (method: string, error: unknown) => void;
}

/** One served connection. */
export interface RpcSession {
  /** Lets calls in flight end, takes no more, and closes. Idempotent. */
  close(): void;
  /** Closes at once. Idempotent. */
  destroy(): void;
}

/** Serves connections. */
export interface RpcServer {
  /** Takes the socket over; nobody else may read from it or write to it any more. */
  serve(socket: TLSSocket, peer: RpcPeer): RpcSession;
  /** Connections that are served now. */
  readonly sessions: number;
  /** Lets calls in flight end; every connection takes no more and closes. Idempotent. */
  drain(): void;
  /** Closes every connection at once. Idempotent. */
  close(): void;
}

const PEER = createContextKey<RpcPeer | undefined>(undefined);
/** After the answer was due, for it to leave; then the stream is reset. */
const GRACE_MS = 1_000;

/** Makes the server. It listens to nothing by itself. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  const limits = { ...RPC_LIMITS, ...options.limits };
  const peers = new WeakMap<Http2Session, RpcPeer>();
  const sessions = new Set<Http2Session>();
  const server = http2.createServer(
    {
      settings: {
        enablePush: false,
        maxConcurrentStreams: limits.concurrentCallsMax,
        maxHeaderListSize: HEADER_BYTES_MAX,
      },
      maxHeaderListPairs: HEADER_FIELDS_MAX,
      maxSessionRejectedStreams: limits.concurrentCallsMax,
    },
    connectNodeAdapter({
      routes: (router) => addRoutes(router, options, limits),
      contextValues: (request) => {
        const session = 'stream' in request ? request.stream.session : undefined;
        return createContextValues().set(PEER, session && peers.get(session));
      },
      grpc: true,
      grpcWeb: false,
      connect: false,
      // What is compressed says nothing of how large it will be.
      acceptCompression: [],
      readMaxBytes: limits.messageBytesMax,
      writeMaxBytes: limits.messageBytesMax,
    }) as (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void,
  );
  server.on('stream', (stream) => {
    const reset = (): void => stream.close(http2.constants.NGHTTP2_CANCEL);
    const timer = options.clock.setTimeout(reset, limits.callTimeoutMs + GRACE_MS);
    stream.once('close', () => options.clock.clearTimeout(timer));
  });
  return {
    get sessions() {
      return sessions.size;
    },
    serve: (socket, peer) => {
      let session: Http2Session | undefined;
      // The event comes before `emit` returns.
      server.once('session', (one) => (session = one));
      server.emit('connection', socket);
      if (session === undefined) throw new Error('HTTP/2 took no session over the socket.');
      keep(session, sessions, limits);
      peers.set(session, peer);
      const { close, destroy } = session;
      return { close: close.bind(session), destroy: destroy.bind(session) };
    },
    drain: () => {
      for (const session of sessions) session.close();
    },
    close: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

function keep(session: Http2Session, sessions: Set<Http2Session>, limits: RpcLimits): void {
  sessions.add(session);
  session.once('close', () => sessions.delete(session));
  // A client that breaks the protocol or goes away ends its own connection, which is all there is to do.
  session.on('error', () => session.destroy());
  session.setTimeout(limits.idleTimeoutMs, () => session.close());
}

function addRoutes(
  router: ConnectRouter,
  { meshApi, userApi, clock, onRefused }: RpcServerOptions,
  limits: RpcLimits,
): void {
  const within = { clock, limits, onRefused };
  router.service(MeshAPI, implement(MeshAPI, meshApi, attestedPeerOf, within));
  router.service(UserAPI, implement(UserAPI, { ...userApi, getEvidence }, peerOf, within));
}

const getEvidence: Handlers<typeof UserAPI, RpcPeer>['getEvidence'] = async (
  { nonce },
  { peer: { answer }, signal },
) => {
  if (answer === undefined)
    throw rpcError('MESH_ERR_RPC_UNATTESTED', 'Asking for evidence: this server makes none.');
  const { type, bytes, nonce: own } = await answer(nonce, signal);
  return { type, evidence: new Uint8Array(bytes), nonce: new Uint8Array(own) };
};

interface Within {
  readonly clock: Clock;
  readonly limits: RpcLimits;
  readonly onRefused: RpcServerOptions['onRefused'];
}

function implement<Service extends DescService, Peer>(
  service: Service,
  handlers: Handlers<Service, Peer>,
  peerOf: (context: HandlerContext) => Peer,
  within: Within,
): ServiceImpl<Service> {
  const implementation = service.methods.map((method: DescMethod) => {
    const handle = handlers[method.localName as keyof typeof handlers];
    const serve = async (request: never, context: HandlerContext) => {
      try {
        const peer = peerOf(context);
        return await withDeadline(context, within, (signal) => handle(request, { peer, signal }));
      } catch (error) {
        within.onRefused?.(`${service.typeName}/${method.name}`, error);
        throw toStatus(error);
      }
    };
    return [method.localName, serve];
  });
  // One entry for each method, by its name: what the mapped type says, built from the descriptor.
  return Object.fromEntries(implementation) as ServiceImpl<Service>;
}

/** Also a client that gives no deadline gets one. */
async function withDeadline<Answer>(
  { signal }: HandlerContext,
  { clock, limits }: Within,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const deadline = new AbortController();
  const end = (): void => {
    const found = `Serving a call: no answer within ${limits.callTimeoutMs} ms.`;
    const error = rpcError('MESH_ERR_RPC_DEADLINE', found);
    deadline.abort(error);
    reject(error);
  };
  const timer = clock.setTimeout(end, limits.callTimeoutMs);
  try {
    return await Promise.race([work(AbortSignal.any([signal, deadline.signal])), late]);
  } finally {
    clock.clearTimeout(timer);
  }
}

function peerOf(context: HandlerContext): RpcPeer {
  const peer = context.values.get(PEER);
  if (peer === undefined) throw new Error('Every served connection has a peer.');
  return peer;
}

function attestedPeerOf(context: HandlerContext): AttestedRpcPeer {
  const { attested, ...peer } = peerOf(context);
  if (attested !== undefined) return { ...peer, attested };
  throw rpcError('MESH_ERR_RPC_UNATTESTED', `Serving ${context.service.typeName}: not attested.`);
}
