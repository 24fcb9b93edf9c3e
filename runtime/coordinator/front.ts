/** The front of one Coordinator on a real port: whom a connection is handed to. */
import type { Front } from '../../actors/coordinator/ports/front.ts';
import {
  createMeshCertLogic,
  meshCertChildSpec,
} from '../../actors/coordinator/mesh-cert.actor.ts';
import type { Issuer } from '../../actors/coordinator/ports/attestation.ts';
import type { MeshCertConnection } from '../../actors/coordinator/ports/connection.ts';
import type { CoordinatorPorts } from '../../actors/coordinator/ports/services.ts';
import { serveRecover } from '../../actors/coordinator/serve-requests.ts';
import type { Supervision } from '../../actors/workload/ports/supervision.ts';
import { createTlsIdentity, pemOf } from '../attested-tls/tls-identity.ts';
import type { ListenerLimits } from '../attested-tls/limits.ts';
import { listenCoordinator } from '../rpc/coordinator-listener.ts';
import type { CoordinatorListener } from '../rpc/coordinator-listener.ts';
import type { RpcLimits } from '../rpc/limits.ts';
import type { UserApiHandlers } from '../rpc/server.ts';

export interface FrontOptions {
  readonly host: string;
  readonly port: number;
  readonly ports: CoordinatorPorts;
  readonly issuer: Issuer;
  readonly userApi: UserApiHandlers;
  /** The tree, and the path of the supervisor of connections in it. */
  readonly supervision: Pick<Supervision, 'startChild'>;
  readonly connectionsPath: string;
  readonly limits?: Partial<ListenerLimits>;
  readonly rpcLimits?: Partial<RpcLimits>;
  /** Told of connections and calls that were refused. Must not throw. */
  readonly onRefused: (what: string, error: unknown) => void;
}

/** A front, and the listener of this moment. */
export interface ListeningFront extends Front {
  readonly counts: CoordinatorListener['counts'];
}

const NOBODY = { pending: 0, open: 0 };

/** Opens nothing yet. The TLS key is this process's own; a certificate is shown for it later. */
export function createFront(options: FrontOptions): ListeningFront {
  const { ports, issuer, userApi, onRefused } = options;
  const identity = createTlsIdentity(ports.clock.now());
  let { port } = options;
  let incarnation = 0;
  let listener: CoordinatorListener | undefined;
  const open: Front['open'] = async () => {
    const prefix = `f${++incarnation}`;
    const opened = await listenCoordinator({
      host: options.host,
      port,
      identity,
      issuer,
      clock: ports.clock,
      userApi,
      recover: ({ attested }) => serveRecover(ports, attested),
      onConnection: (connection) => void drive(options, connection, `${prefix}-${connection.id}`),
      onRefused,
      ...(options.limits && { limits: options.limits }),
      ...(options.rpcLimits && { rpcLimits: options.rpcLimits }),
    });
    listener = opened;
    // A front that is opened again keeps the port that it was given.
    ({ port } = opened);
    return {
      host: opened.host,
      port,
      publicKey: identity.publicKey,
      ended: opened.closed,
      show: (chain) => opened.renew({ ...identity, certificates: chain.map(pemOf).join('') }),
      drain: (deadlineMs) => opened.drain(deadlineMs),
    };
  };
  return {
    open,
    get counts() {
      return listener?.counts ?? NOBODY;
    },
  };
}

/** A machine of its own drives each connection. */
async function drive(
  { ports, supervision, connectionsPath, onRefused }: FrontOptions,
  connection: MeshCertConnection,
  id: string,
): Promise<void> {
  try {
    const logic = createMeshCertLogic(ports, connection);
    const result = await supervision.startChild(connectionsPath, meshCertChildSpec(logic, { id }));
    if (result.ok) return;
    onRefused('connection', new Error(`No actor for connection ${id}: ${result.reason}.`));
  } catch (error) {
    onRefused('connection', error);
  }
  connection.close('MESH_ERR_TRANSPORT_BUSY');
}
