/** Coordinators on real ports and files, their owners, and manifests that name them. */
import { COORDINATOR_IDENTITY } from '../../../machines/coordinator/identities.ts';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import nacl from 'tweetnacl';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createProcessIssuer } from '../../../runtime/attest/process-evidence.ts';
import { createValidator } from '../../../runtime/attest/validator.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import type { TlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { startCoordinator } from '../../../runtime/coordinator/start-coordinator.ts';
import type { Coordinator } from '../../../runtime/coordinator/start-coordinator.ts';
import type { CoordinatorOptions } from '../../../runtime/coordinator/compose-coordinator.ts';
import { connectMeshApi, connectUserApi } from '../../../runtime/rpc/client.ts';
import type { MeshApiClient, UserApiClient } from '../../../runtime/rpc/client.ts';
import { parseMeshManifest } from '../../../machines/coordinator/mesh-manifest.schema.ts';
import { openShare } from '../../../runtime/coordinator/open-share.ts';
import { scratch } from '../scratch.ts';
import { until } from '../until.ts';

/** The identity that the workload of these manifests proves. */
export const WORKLOAD = 'ab'.repeat(32);

/** Made once: RSA keys take their time. */
const seedOwner = generateKeyPairSync('rsa', { modulusLength: 2048 });
const workloadOwner = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const node = nacl.sign.keyPair();

/** Whom a manifest of `manifestFor` names. */
export const OWNERS = {
  workload: createTlsIdentity(Date.now(), workloadOwner.privateKey),
  seedShare: createTlsIdentity(Date.now(), seedOwner.privateKey),
  /** Nobody. */
  stranger: createTlsIdentity(Date.now()),
  /** What a seed share opens with. */
  seedKey: seedOwner.privateKey,
  /** The private key of the workload owner, for canaries. */
  workloadKey: workloadOwner.privateKey,
  nodeKey: node,
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** A manifest that names these Coordinators and one workload. */
export const manifestFor = (nodeKeys: readonly string[], overrides: object = {}) =>
  parseMeshManifest({
    kind: 'MeshManifest',
    version: 1,
    trustDomain: 'mesh.local',
    policies: {
      [COORDINATOR_IDENTITY]: {
        name: 'coordinator',
        role: 'coordinator',
        san: ['coordinator', '127.0.0.1'],
        nodeKeys,
      },
      [WORKLOAD]: {
        name: 'hello',
        role: 'workload',
        san: ['hello.mesh.local', 'localhost', '127.0.0.1'],
        workloadSecretId: 'hello',
      },
    },
    workloadOwnerKeyDigests: [createHash('sha256').update(OWNERS.workload.publicKey).digest('hex')],
    seedShareOwnerKeys: [base64(OWNERS.seedShare.publicKey)],
    referenceValues: {
      process: { nodeKeys: [...nodeKeys, hex(node.publicKey)] },
      hardware: 'optional',
    },
    ...overrides,
  });

/** Its exact bytes. */
export const bytesOfManifest = (manifest: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(manifest));

type Address = Pick<Coordinator, 'host' | 'port'>;

/** A plain connection, as whom. */
export const userApiOf = (
  { host, port }: Address,
  identity?: TlsIdentity,
): Promise<UserApiClient> =>
  connectUserApi({ host, port, clock: systemClock, ...(identity && { identity }) });

/** An attested one, as a workload on the node that the manifests name. */
export const meshApiOf = (
  { host, port }: Address,
  nodeKeys: readonly string[],
  options: { readonly spore?: string; readonly identity?: TlsIdentity } = {},
): Promise<MeshApiClient> => {
  const { spore = WORKLOAD, identity = createTlsIdentity(Date.now()) } = options;
  const facts = { spore, binary: 'cc'.repeat(32), instance: 'hello-1' };
  const { referenceValues } = manifestFor(nodeKeys);
  return connectMeshApi({
    host,
    port,
    identity,
    issuer: createProcessIssuer(node, facts, systemClock),
    validator: createValidator(referenceValues, { clock: systemClock }),
    clock: systemClock,
  });
};

/** Sets a manifest as `identity`; `previous` in hex, none for the first. */
export async function setManifestAs(
  address: Address,
  manifest: unknown,
  { previous = '', identity = OWNERS.workload, key = hex(randomBytes(16)) } = {},
) {
  await using client = await userApiOf(address, identity);
  return await client.userApi.setManifest({
    manifest: manifest instanceof Uint8Array ? manifest : bytesOfManifest(manifest),
    previousTransitionHash: Buffer.from(previous, 'hex'),
    idempotencyKey: key,
  });
}

/** The guard and the front learn of a new state in turns of their own. */
async function certified(coordinator: Coordinator): Promise<void> {
  let isCertified = false;
  await until(() => {
    void coordinator.view().then(({ certificate }) => (isCertified ||= certificate !== null));
    return isCertified;
  }, 'the Coordinator to have a certificate');
}

/** Sets the first manifest and opens the one seed share. */
export async function setFirst(coordinator: Coordinator, others: readonly string[] = []) {
  const nodeKeys = [coordinator.nodeKey, ...others];
  const answer = await setManifestAs(coordinator, manifestFor(nodeKeys));
  const [share] = answer.seedShares;
  if (share === undefined) throw new Error('The first set answers with seed shares.');
  const { seed, salt } = openShare(share.ciphertext, OWNERS.seedKey);
  await certified(coordinator);
  return { nodeKeys, transition: hex(answer.transitionHash), seed, salt, answer };
}

/** Coordinators in this process, each in a folder of its own, on one history. */
export class CoordinatorFarm implements AsyncDisposable {
  readonly #folder = scratch();
  readonly #running: Coordinator[] = [];

  get folder(): string {
    return this.#folder.path;
  }

  async start(options: Partial<CoordinatorOptions> & { readonly name: string }) {
    const coordinator = await startCoordinator({
      folder: this.#folder.file(options.name),
      history: { store: 'sqlite', folder: this.#folder.file('history') },
      recoveryWaitMs: 200,
      ...options,
    });
    this.#running.push(coordinator);
    return coordinator;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop()));
    this.#folder[Symbol.dispose]();
  }
}
