/** UserAPI of one Coordinator: messages in, the services of `actors/coordinator`, messages out. */
import { recoverByUser } from '../../actors/coordinator/recover-state.ts';
import { readUnverified } from '../../actors/coordinator/read-history.ts';
import { Secret } from '../../actors/coordinator/secret.ts';
import { confirmShares } from '../../actors/coordinator/seed-shares.ts';
import { getManifests } from '../../actors/coordinator/serve-requests.ts';
import { setManifest } from '../../actors/coordinator/set-manifest.ts';
import type { SetManifestResponse } from '../../actors/coordinator/set-manifest.ts';
import type { CoordinatorPorts } from '../../actors/coordinator/ports/services.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { UserApiHandlers } from '../rpc/server.ts';
import type { CoordinatorView } from './coordinator-view.ts';

const bytesOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);
const fromHex = (hex: string): Uint8Array<ArrayBuffer> => bytesOf(Buffer.from(hex, 'hex'));
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => bytesOf(Buffer.from(text, 'base64'));

/** Bytes that are no digest are compared and reported as one: they are the latest of nobody. */
const DIGEST_BYTES = 32;
const digestIn = (bytes: Uint8Array): Digest =>
  Buffer.from(bytes.subarray(0, DIGEST_BYTES)).toString('hex') as Digest;

/** The handlers; each takes the caller's key as its TLS connection has proved it. */
export const createUserApi = (
  ports: CoordinatorPorts,
  view: () => Promise<CoordinatorView>,
): UserApiHandlers => ({
  setManifest: async ({ manifest, policies, previousTransitionHash, idempotencyKey }, { peer }) =>
    setMessage(
      await setManifest(ports, {
        manifest,
        policies,
        previous: previousTransitionHash.length === 0 ? null : digestIn(previousTransitionHash),
        idempotencyKey,
        callerKey: peer.publicKey ?? null,
      }),
    ),
  confirmSeedShares: async ({ idempotencyKey }) => {
    // A delivery is of the first manifest, whatever was set since.
    const [first] = (await readUnverified(ports))?.manifests ?? [];
    const manifest =
      first === undefined ? new Uint8Array() : await ports.history.get('manifests', first);
    await confirmShares(ports, { idempotencyKey, manifest });
    return {};
  },
  getManifests: async () => {
    const { manifests, transitions, rootCertificate, meshCertificate } = await getManifests(ports);
    return {
      manifests: manifests.map(bytesOf),
      transitionHashes: transitions.map(fromHex),
      rootCaCert: bytesOf(rootCertificate),
      meshCaCert: bytesOf(meshCertificate),
    };
  },
  recover: async ({ seed, salt, force }, { peer, signal }) => {
    const callerKey = peer.publicKey ?? null;
    const request = { seed: new Secret(seed), salt: new Secret(salt), callerKey, isForced: force };
    seed.fill(0);
    salt.fill(0);
    const { transition, generation } = await recoverByUser(ports, request, signal);
    return { transitionHash: fromHex(transition), generation: BigInt(generation) };
  },
  getStatus: async () => statusMessage(await view()),
});

const setMessage = (response: SetManifestResponse) => ({
  rootCaCert: bytesOf(response.rootCertificate),
  meshCaCert: bytesOf(response.meshCertificate),
  transitionHash: fromHex(response.transition),
  generation: BigInt(response.generation),
  seedShares: response.shares.map(({ owner, ciphertext }) => ({
    ownerKey: fromBase64(owner),
    ciphertext: fromBase64(ciphertext),
  })),
});

const statusMessage = (view: CoordinatorView) => ({
  name: view.name,
  state: view.state,
  reason: view.reason ?? '',
  generation: BigInt(view.generation ?? 0),
  transitionHash: fromHex(view.transition ?? ''),
  meshCaNotAfterMs: BigInt(view.authority ? Date.parse(view.authority.mesh.notAfter) : 0),
  peers: view.peers.map(({ name, host, port, state, isLive }) => ({
    name,
    host,
    port,
    state: state ?? '',
    live: isLive,
  })),
  ...(view.lastRecoveryFailure && {
    recoveryFailure: view.lastRecoveryFailure.reason,
    recoveryFailureMessage: view.lastRecoveryFailure.message,
  }),
  pendingConnections: view.connections.pending,
  openConnections: view.connections.open,
  refused: BigInt(view.connections.refused),
  startedAtMs: BigInt(Date.parse(view.startedAt)),
  policies: view.policies.map(({ identity, nodeKeys, san, ...policy }) => ({
    ...policy,
    identity: fromHex(identity),
    san: [...san],
    ...(nodeKeys !== null && { nodeKeys }),
  })),
  policyCount: view.policyCount,
});
