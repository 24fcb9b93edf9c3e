/** A server of both services behind a real listener, with handlers that a spec may replace. */
import { attestedWorld, validator } from './attested-world.ts';
import type { AttestedWorld } from './attested-world.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createRpcServer } from '../../../runtime/rpc/server.ts';
import type {
  MeshApiHandlers,
  RpcServer,
  RpcServerOptions,
  RpcSession,
  UserApiHandlers,
} from '../../../runtime/rpc/server.ts';
import type { ListenOptions } from '../../../runtime/attested-tls/listener.ts';

const bytes = (length: number, fill: number): Buffer => Buffer.alloc(length, fill);

const meshApi: MeshApiHandlers = {
  newMeshCert: async (_, { peer }) => ({
    meshCaCert: bytes(8, 1),
    certChain: [Buffer.from(peer.attested.publicKey)],
    rootCaCert: Buffer.from(peer.attested.identity),
  }),
  recover: async () => ({
    seed: bytes(64, 1),
    salt: bytes(32, 2),
    meshCaKey: bytes(8, 3),
    transitionHash: bytes(32, 4),
    generation: 7n,
  }),
};
const userApi: UserApiHandlers = {
  setManifest: async ({ manifest }, { peer }) => ({
    rootCaCert: manifest,
    transitionHash: Buffer.from(peer.keyDigest ?? ''),
  }),
  confirmSeedShares: async () => ({}),
  getManifests: async () => ({ manifests: [bytes(3, 5)] }),
  recover: async () => ({ generation: 9n }),
};

export interface RpcWorld extends AsyncDisposable {
  readonly world: AttestedWorld;
  readonly server: RpcServer;
  readonly sessions: RpcSession[];
  /** Calls that were refused: method and code. */
  readonly refused: unknown[];
}

export async function rpcWorld(
  options: {
    readonly meshApi?: Partial<MeshApiHandlers>;
    readonly userApi?: Partial<UserApiHandlers>;
    readonly limits?: RpcServerOptions['limits'];
    readonly listen?: Partial<ListenOptions>;
  } = {},
): Promise<RpcWorld> {
  const refused: unknown[] = [];
  const sessions: RpcSession[] = [];
  const server = createRpcServer({
    meshApi: { ...meshApi, ...options.meshApi },
    userApi: { ...userApi, ...options.userApi },
    clock: systemClock,
    ...(options.limits && { limits: options.limits }),
    onRefused: (method, error) => refused.push([method, error]),
  });
  const world = await attestedWorld({
    onConnection: (connection) => {
      void connection.attest(validator).then((attested) => {
        const peer = { connection: connection.id, attested };
        sessions.push(server.serve(connection.socket, peer));
      });
    },
    onPlain: ({ id, socket, keyDigest }) => {
      const peer = { connection: id, ...(keyDigest !== undefined && { keyDigest }) };
      sessions.push(server.serve(socket, peer));
    },
    ...options.listen,
  });
  return {
    world,
    server,
    sessions,
    refused,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await world[Symbol.asyncDispose]();
    },
  };
}
