/** Collects the view of one Coordinator from where its parts are. */
import { X509Certificate, createHash } from 'node:crypto';
import type { CoordinatorState } from '../../actors/coordinator/coordinator-state.ts';
import { FRONT_ID, RECOVERY_ID, STATEGUARD_ID } from '../../actors/coordinator/paths.ts';
import type { CoordinatorPorts } from '../../actors/coordinator/ports/services.ts';
import type { Supervision } from '../../actors/workload/ports/supervision.ts';
import type { FrontContext } from '../../machines/coordinator/coordinator-front.machine.ts';
import type { RecoveryReason } from '../../machines/coordinator/recovery.machine.ts';
import type {
  GuardStatus,
  StateguardContext,
} from '../../machines/coordinator/stateguard.machine.ts';
import type { KnownPeer } from '../adapters/peers.fs.ts';
import { spiffeIdOf } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { MeshManifest } from '../../machines/coordinator/mesh-manifest.schema.ts';
import { MANIFESTS_SHOWN_MAX, POLICIES_SHOWN_MAX } from './coordinator-view.ts';
import type {
  AuthorityCertificate,
  CoordinatorView,
  ManifestEntry,
  OwnerKeys,
  PolicyEntry,
} from './coordinator-view.ts';

export interface ViewSources {
  readonly name: string;
  readonly ports: Pick<CoordinatorPorts, 'cell' | 'clock'>;
  readonly supervision: Pick<Supervision, 'snapshotOf'>;
  /** Of the Coordinator's supervisor. */
  readonly path: string;
  readonly peers: () => Promise<readonly KnownPeer[]>;
  readonly counts: () => { readonly pending: number; readonly open: number };
  readonly refused: () => number;
  readonly startedAtMs: number;
}

const REASONS: Readonly<Record<Exclude<GuardStatus, 'ready'>, string>> = {
  empty: 'No manifest is set.',
  recovering: 'The history has a state that is not in memory.',
  stale: 'The history has a newer state than is in memory.',
  storeUnavailable: 'The history cannot be read.',
};

/** Transitions whose first sight is remembered. */
const SEEN_MAX = 1024;

/** Gives the view of any moment. It remembers when it first saw a transition, and nothing else. */
export function createViewReader(sources: ViewSources): () => Promise<CoordinatorView> {
  const { cell, clock } = sources.ports;
  const seenAt = new Map<string, string>();
  const timeOf = (atMs: number): string => new Date(atMs).toISOString();
  cell.onStatus(({ held }) => {
    if (held === null || seenAt.has(held.transition) || seenAt.size >= SEEN_MAX) return;
    // What is there at the first look was set at some time before.
    const isFirst = seenAt.size === 0 && held.generation > 1;
    seenAt.set(held.transition, isFirst ? '' : timeOf(clock.now()));
  });
  const contextOf = <Context>(id: string): Context | undefined =>
    (
      sources.supervision.snapshotOf(`${sources.path}/${id}`) as
        | { readonly context?: Context }
        | undefined
    )?.context;
  return async () => {
    const { status: state } = cell.published;
    const { held } = cell;
    const front = contextOf<FrontContext>(FRONT_ID);
    const recovery = contextOf<{ failure: RecoveryReason | null }>(RECOVERY_ID);
    const guard = contextOf<StateguardContext>(STATEGUARD_ID);
    const failure = recovery?.failure ?? null;
    const isBehind = state === 'recovering' || state === 'stale';
    const detail = state === 'storeUnavailable' ? guard?.failure : isBehind ? failure?.message : '';
    const served = state === 'recovering' ? guard?.served : null;
    const lost = served ? `Generation ${served.generation} was served before this start.` : '';
    return {
      name: sources.name,
      address: front && front.port > 0 ? { host: front.host, port: front.port } : null,
      state,
      reason: state === 'ready' ? null : [REASONS[state], lost, detail].filter(Boolean).join(' '),
      generation: held?.generation ?? null,
      transition: held?.record.transition ?? null,
      manifests: held ? entriesOf(held, seenAt) : [],
      policies: held ? policiesOf(held.manifest) : [],
      policyCount: held ? Object.keys(held.manifest.policies).length : 0,
      owners: held && ownersOf(held.manifest),
      authority: held && authorityOf(held),
      certificate: front?.certificate
        ? {
            spiffeId: front.certificate.spiffeId,
            notAfter: timeOf(front.certificate.notAfterMs),
          }
        : null,
      peers: await sources.peers(),
      connections: { ...sources.counts(), refused: sources.refused() },
      lastRecoveryFailure: failure,
      startedAt: timeOf(sources.startedAtMs),
    };
  };
}

const entriesOf = (
  { chain, manifests }: CoordinatorState,
  seenAt: ReadonlyMap<string, string>,
): readonly ManifestEntry[] =>
  chain
    .map((transition, index): ManifestEntry => ({
      generation: index + 1,
      transition,
      manifest: manifests[index] ?? '',
      seenAt: seenAt.get(transition) || null,
    }))
    .slice(-MANIFESTS_SHOWN_MAX)
    .toReversed();

/** By role, then by name, then by identity: two spores of one app have the same name. */
export const policiesOf = (manifest: MeshManifest): readonly PolicyEntry[] =>
  Object.entries(manifest.policies)
    .map(([identity, policy]): PolicyEntry => ({
      identity,
      name: policy.name,
      role: policy.role,
      spiffeId: spiffeIdOf(manifest, policy),
      san: policy.san,
      nodeKeys: policy.nodeKeys?.length ?? null,
    }))
    .toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
    .slice(0, POLICIES_SHOWN_MAX);

const rank = ({ role, name, identity }: PolicyEntry): string => `${role} ${name} ${identity}`;

const ownersOf = ({ workloadOwnerKeyDigests, seedShareOwnerKeys }: MeshManifest): OwnerKeys => ({
  workload: workloadOwnerKeyDigests.length,
  seedShare: seedShareOwnerKeys.length,
});

const authorityOf = ({ authority }: CoordinatorState) => ({
  root: certificateOf(authority.rootCertificate),
  mesh: certificateOf(authority.meshCertificate),
});

function certificateOf(der: Uint8Array): AuthorityCertificate {
  const { subject, publicKey, validFromDate, validToDate } = new X509Certificate(der);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    subject,
    fingerprint: createHash('sha256').update(spki).digest('hex'),
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
  };
}
