/** A mesh with a Coordinator beside it: real keys, real TLS, a manifest that names what is deployed. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { nodeKeyOf } from '../../../runtime/certificates/coordinator-link.ts';
import type { CoordinatorLink } from '../../../runtime/certificates/coordinator-link.ts';
import { manifestOf, manifestText } from '../../../runtime/coordinator/manifest-template.ts';
import { openShare } from '../../../runtime/coordinator/open-share.ts';
import { startCoordinator } from '../../../runtime/coordinator/start-coordinator.ts';
import type { Coordinator } from '../../../runtime/coordinator/start-coordinator.ts';
import { connectUserApi } from '../../../runtime/rpc/client.ts';
import { meshWorld } from './world.ts';
import type { MeshWorld, SampleSpore } from './world.ts';

export const TLS_SERVICE = fileURLToPath(
  new URL('../sample-services/tls-service.mjs', import.meta.url),
);
export const TLS_SERVICE_PY = fileURLToPath(
  new URL('../sample-services/tls-service.py', import.meta.url),
);

/** Made once: RSA keys take their time. */
const seedOwner = generateKeyPairSync('rsa', { modulusLength: 2048 });
const owner = createTlsIdentity(
  Date.now(),
  generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
);

export interface Workload {
  readonly digest: string;
  readonly app: string;
}

export interface CertifiedWorld extends MeshWorld {
  /** The Coordinator of this moment. */
  readonly coordinator: Coordinator;
  readonly link: CoordinatorLink;
  /** Sets the next manifest, which names these spores. */
  certify(workloads: readonly Workload[]): Promise<void>;
  /** Starts the stopped Coordinator again on its port, and recovers it with the owner's seed share. */
  revive(): Promise<void>;
  /** The public half of the key of this mesh's nodes, in hex. */
  nodeKey(): Promise<string>;
}

/** `leafLifetimeMs` for renewals that a spec can wait for. */
export async function certifiedWorld(
  options: { readonly leafLifetimeMs?: number } = {},
): Promise<CertifiedWorld> {
  const world = await meshWorld();
  const folder = world.file('coordinator');
  const coordinator = await startCoordinator({ folder, recoveryWaitMs: 200, ...options });
  const { host, port, nodeKey: coordinatorKey } = coordinator;
  const nodeKey = async (): Promise<string> =>
    Buffer.from((await nodeKeyOf(world.home)).publicKey).toString('hex');
  let previous: Uint8Array = Buffer.of();
  let share: Uint8Array = Buffer.of();
  let revived: Coordinator | undefined;
  return {
    ...world,
    coordinator,
    nodeKey,
    link: { addresses: [`${host}:${port}`], keys: [coordinatorKey] },
    async certify(workloads) {
      const manifest = manifestOf({
        trustDomain: 'mesh.local',
        coordinatorKeys: [coordinatorKey],
        nodeKeys: [await nodeKey()],
        workloads,
        workloadOwner: owner.publicKey,
        seedShareOwner: seedOwner.publicKey.export({ type: 'spki', format: 'der' }),
      });
      await using client = await connectUserApi({
        host,
        port,
        clock: systemClock,
        identity: owner,
      });
      const answer = await client.userApi.setManifest({
        manifest: Buffer.from(manifestText(manifest)),
        previousTransitionHash: new Uint8Array(previous),
        idempotencyKey: randomBytes(16).toString('hex'),
      });
      previous = answer.transitionHash;
      share = answer.seedShares[0]?.ciphertext ?? share;
    },
    async revive() {
      revived = await startCoordinator({ folder, port, recoveryWaitMs: 200, ...options });
      const { seed, salt } = openShare(share, seedOwner.privateKey);
      await using client = await connectUserApi({
        host,
        port,
        clock: systemClock,
        identity: createTlsIdentity(Date.now(), seedOwner.privateKey),
      });
      await client.userApi.recover({
        seed: Buffer.from(seed.reveal()),
        salt: Buffer.from(salt.reveal()),
        force: true,
      });
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await coordinator.stop();
      await revived?.stop();
    },
  };
}

/** A spore of the TLS service, which asks the edge to speak TLS with it. */
export const tlsSample = (version: string, overrides: Partial<SampleSpore> = {}): SampleSpore => ({
  version,
  binary: TLS_SERVICE,
  ...overrides,
  manifest: { identity: 'required', serve: { tls: 'mesh' }, ...overrides.manifest },
});

/** What a digest is certified as. */
export const workloadOf = (digest: Digest, app = 'hello'): Workload => ({ digest, app });
