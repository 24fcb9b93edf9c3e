/** What a Coordinator answers from the one snapshot of the state that a request took. */
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { policyFor, spiffeIdOf } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { IssuedCertificate } from '../../machines/coordinator/mesh-cert.machine.ts';
import { summaryOf } from './coordinator-state.ts';
import type { CoordinatorState } from './coordinator-state.ts';
import type { ProvenIdentity } from './ports/attestation.ts';
import type { NewMeshCertResponse } from './ports/connection.ts';
import type { RecoverResponse } from './ports/peers.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { authoriseCoordinator } from './recover-state.ts';

/**
 * NewMeshCert: a leaf for the TLS key of a peer whose evidence proved an identity.
 * MESH_ERR_COORDINATOR_NOT_AUTHORISED, _CERTIFICATE_REFUSED.
 */
export function issueMeshCert(
  { manifest, authority, engine }: CoordinatorState,
  proven: ProvenIdentity,
  publicKey: Uint8Array,
): { readonly issued: IssuedCertificate; readonly response: NewMeshCertResponse } {
  const policy = policyFor(manifest, proven);
  const { identity, isHardware } = proven;
  if (policy === undefined || (!isHardware && manifest.referenceValues.hardware === 'required'))
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_NOT_AUTHORISED',
      policy
        ? `Certifying ${identity}: its evidence is of software, the manifest requires hardware.`
        : `Certifying ${identity}: the manifest has no policy for it.`,
    );
  const spiffeId = spiffeIdOf(manifest, policy);
  const leaf = authority.issue({ publicKey, commonName: policy.name, san: policy.san, spiffeId });
  const secretId = policy.workloadSecretId;
  return {
    issued: { spiffeId, serialNumber: leaf.serialNumber, notAfterMs: leaf.notAfterMs },
    response: {
      meshCaCertificate: authority.meshCertificate,
      certificateChain: [leaf.certificate, authority.intermediateCertificate],
      rootCaCertificate: authority.rootCertificate,
      ...(secretId === undefined ? {} : { workloadSecret: engine.workloadSecret(secretId) }),
    },
  };
}

/**
 * Recover, on the serving side: the peer is authorised again, by the manifest in force. A Coordinator
 * that is not ready serves nothing. MESH_ERR_COORDINATOR_NO_MANIFEST, _NEEDS_RECOVERY,
 * _STORE_UNAVAILABLE, _NOT_AUTHORISED.
 */
export function serveRecover(
  { cell, trace }: Pick<CoordinatorPorts, 'cell' | 'trace'>,
  proven: ProvenIdentity,
): RecoverResponse {
  const state = cell.take();
  const { transition } = state.record;
  trace?.('serving.requested', transition);
  authoriseCoordinator(state.manifest, proven);
  trace?.('serving.authorised', transition);
  const { engine, meshKey } = state;
  trace?.('serving.answered', transition);
  return { seed: engine.seed, salt: engine.salt, meshKey, ...summaryOf(state) };
}

/** The history of the mesh, for whoever wants to check it. */
export interface ManifestHistory {
  /** Exact bytes, the first one first; the last one is in force. */
  readonly manifests: readonly Uint8Array[];
  /** Transition ids in the same order. */
  readonly transitions: CoordinatorState['chain'];
  readonly rootCertificate: Uint8Array;
  readonly meshCertificate: Uint8Array;
}

/** Manifests given in one answer: the newest of a long history. */
export const MANIFESTS_ANSWERED_MAX = 256;

/** GetManifests. As `StateCell.take`, and the history's errors. */
export async function getManifests({
  cell,
  history,
}: Pick<CoordinatorPorts, 'cell' | 'history'>): Promise<ManifestHistory> {
  const { manifests, chain, authority } = cell.take();
  const read: Uint8Array[] = [];
  for (const digest of manifests.slice(-MANIFESTS_ANSWERED_MAX))
    read.push(await history.get('manifests', digest));
  return {
    manifests: read,
    transitions: chain.slice(-MANIFESTS_ANSWERED_MAX),
    rootCertificate: authority.rootCertificate,
    meshCertificate: authority.meshCertificate,
  };
}
