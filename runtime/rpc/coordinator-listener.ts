/** A Coordinator's front: one port, on which attested and plain connections find their service. */
import type { MeshCertConnection } from '../../actors/coordinator/ports/connection.ts';
import type { RecoverResponse } from '../../actors/coordinator/ports/peers.ts';
import { listenTls } from '../attested-tls/listener.ts';
import type { ListenOptions, TlsListener } from '../attested-tls/listener.ts';
import { createAnswerer } from './answerer.ts';
import { RpcMeshCertConnection } from './mesh-cert-connection.ts';
import { createRpcServer } from './server.ts';
import type { AttestedRpcPeer, RpcServerOptions, UserApiHandlers } from './server.ts';

/** What a Coordinator brings to its front. */
export interface CoordinatorListenerOptions extends Omit<
  ListenOptions,
  'onConnection' | 'onPlain' | 'onRefused'
> {
  /** Takes an attestable connection; a machine of its own drives it. Must not throw. */
  readonly onConnection: (connection: MeshCertConnection) => void;
  /** The serving side of Recover, for a peer that has proved itself; authorises it again. */
  readonly recover: (peer: AttestedRpcPeer) => RecoverResponse;
  readonly userApi: UserApiHandlers;
  readonly rpcLimits?: RpcServerOptions['limits'];
  /** Told of refused connections and calls; for logs and counters. */
  readonly onRefused?: (what: string, error: unknown) => void;
}

/** An open front. */
export interface CoordinatorListener extends TlsListener {
  /** Takes no more, lets calls in flight end for that long, and closes. Idempotent. */
  drain(deadlineMs: number): Promise<void>;
}

/** Opens it. MESH_ERR_TRANSPORT_LISTEN. */
export async function listenCoordinator(
  options: CoordinatorListenerOptions,
): Promise<CoordinatorListener> {
  const { onConnection, recover, userApi, rpcLimits, onRefused, ...listen } = options;
  const connections = new Map<string, RpcMeshCertConnection>();
  const server = createRpcServer({
    meshApi: {
      newMeshCert: async (_, { peer }) => {
        const connection = connections.get(peer.connection);
        if (connection === undefined) throw new Error('An attested call has its connection.');
        return await connection.answered();
      },
      recover: async (_, { peer }) => messageOf(recover(peer)),
    },
    userApi,
    clock: options.clock,
    ...(rpcLimits && { limits: rpcLimits }),
    ...(onRefused && { onRefused }),
  });
  const { issuer } = options;
  const { publicKey } = options.identity;
  const listener = await listenTls({
    ...listen,
    onRefused: (error) => onRefused?.('connection', error),
    onConnection: (accepted) => {
      const answer = createAnswerer(accepted.socket, { issuer, publicKey });
      const connection = new RpcMeshCertConnection(accepted, server, answer);
      connections.set(connection.id, connection);
      connection.onClose(() => connections.delete(connection.id));
      onConnection(connection);
    },
    onPlain: ({ id, socket, publicKey: key }) => {
      const answer = createAnswerer(socket, { issuer, publicKey });
      server.serve(socket, { connection: id, answer, ...(key && { publicKey: key }) });
    },
  });
  const drain = async (deadlineMs: number): Promise<void> => {
    listener.retire();
    server.drain();
    const timer = options.clock.setTimeout(() => void listener.close(), deadlineMs);
    await listener.closed;
    options.clock.clearTimeout(timer);
  };
  return {
    ...listener,
    drain,
    get counts() {
      return listener.counts;
    },
  };
}

const messageOf = ({ seed, salt, meshKey, transition, generation }: RecoverResponse) => ({
  seed: seed.reveal(),
  salt: salt.reveal(),
  meshCaKey: meshKey.reveal(),
  transitionHash: new Uint8Array(Buffer.from(transition, 'hex')),
  generation: BigInt(generation),
});
