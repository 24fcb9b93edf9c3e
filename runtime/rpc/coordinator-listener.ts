/** A Coordinator's front: one port, on which attested and plain connections find their service. */
import type { MeshCertConnection } from '../../actors/coordinator/ports/connection.ts';
import type { RecoverResponse } from '../../actors/coordinator/ports/peers.ts';
import { listenTls } from '../attested-tls/listener.ts';
import type { ListenOptions, TlsListener } from '../attested-tls/listener.ts';
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

/** Opens it. MESH_ERR_TRANSPORT_LISTEN. */
export async function listenCoordinator(options: CoordinatorListenerOptions): Promise<TlsListener> {
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
  return await listenTls({
    ...listen,
    onRefused: (error) => onRefused?.('connection', error),
    onConnection: (accepted) => {
      const connection = new RpcMeshCertConnection(accepted, server);
      connections.set(connection.id, connection);
      connection.onClose(() => connections.delete(connection.id));
      onConnection(connection);
    },
    onPlain: ({ id, socket, keyDigest }) => {
      server.serve(socket, { connection: id, ...(keyDigest !== undefined && { keyDigest }) });
    },
  });
}

const messageOf = ({ seed, salt, meshKey, transition, generation }: RecoverResponse) => ({
  seed: seed.reveal(),
  salt: salt.reveal(),
  meshCaKey: meshKey.reveal(),
  transitionHash: new Uint8Array(Buffer.from(transition, 'hex')),
  generation: BigInt(generation),
});
