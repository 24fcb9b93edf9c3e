/** A server of both services behind a real listener, with handlers that a spec may replace. */
import { createHash } from 'node:crypto';
import { SERVER_SPORE, attestedWorld, issuerOf, validator } from './attested-world.ts';
import type { AttestedWorld } from './attested-world.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createAnswerer } from '../../../runtime/rpc/answerer.ts';
import { createRpcServer } from '../../../runtime/rpc/server.ts';
import type {
  MeshApiHandlers,
  RpcServer,
  RpcServerOptions,
  RpcSession,
  UserApiHandlers,
} from '../../../runtime/rpc/server.ts';
import type { ListenOptions } from '../../../runtime/attested-tls/listener.ts';

const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();
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
    transitionHash: peer.publicKey ? sha256(peer.publicKey) : Buffer.of(),
  }),
  confirmSeedShares: async () => ({}),
  getManifests: async () => ({ manifests: [bytes(3, 5)] }),
  recover: async () => ({ generation: 9n }),
  getStatus: async () => ({ state: 'ready' }),
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
    onPlain: ({ id, socket, publicKey }) => {
      const own = options.listen?.identity?.publicKey;
      const answer =
        own && createAnswerer(socket, { issuer: issuerOf(SERVER_SPORE), publicKey: own });
      const peer = { connection: id, ...(publicKey && { publicKey }), ...(answer && { answer }) };
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
