/**
 * ResetState: from a state that is missing or stale to the verified newest one, in the order of the
 * Recover flow. Whatever fails on the way leaves what is in memory as it was.
 */
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { historyError } from '../../machines/coordinator/history-errors.ts';
import { policyFor } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { MeshManifest } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { StateSummary } from '../../machines/coordinator/stateguard.machine.ts';
import { isSameRecord } from '../../machines/coordinator/transition.ts';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import { summaryOf } from './coordinator-state.ts';
import type { UnverifiedState } from './coordinator-state.ts';
import type { ProvenIdentity } from './ports/attestation.ts';
import type { SeedEngine } from './ports/keys.ts';
import type { RecoverResponse } from './ports/peers.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { floorOf, readUnverified, verifyState } from './read-history.ts';
import type { Secret } from './secret.ts';

/** Whether there is something to recover: memory is behind the history. */
export const isRecoveryNeeded = ({ cell }: Pick<CoordinatorPorts, 'cell'>): boolean =>
  ['recovering', 'stale'].includes(cell.published.status);

/**
 * Recovers from one peer. Rejects with MESH_ERR_COORDINATOR_PEER_REFUSED, _WRONG_SEED,
 * _STATE_CHANGED, or the history's errors.
 */
export async function recoverFromPeer(
  ports: CoordinatorPorts,
  peer: string,
  signal: AbortSignal,
): Promise<StateSummary> {
  return resetState(ports, signal, async (unverified) => {
    const response = await askPeer(ports, peer, unverified, signal);
    const found = response.transition;
    ports.trace?.('answered', found);
    if (found !== unverified.record.transition || response.generation !== unverified.generation)
      throw changed(`the peer ${peer} serves transition ${found}`, unverified);
    const engine = ports.keys.engineOf(response.seed, response.salt);
    ports.trace?.('engine', found);
    return { engine, meshKey: response.meshKey };
  });
}

/** What the owner of a seed share sends. */
export interface UserRecovery {
  readonly seed: Secret;
  readonly salt: Secret;
  /** SubjectPublicKeyInfo of the key that the caller proved to hold. */
  readonly callerKey: Uint8Array | null;
  /** Recovers although a peer is ready. */
  readonly isForced: boolean;
}

/**
 * Recovers by a seed share, with a new mesh key: certificates of before verify against the root only.
 * Rejects with MESH_ERR_COORDINATOR_RECOVERY_NEEDLESS, _NOT_SEED_OWNER, _PEER_AVAILABLE,
 * _SEED_MALFORMED, _WRONG_SEED, _STATE_CHANGED, or the history's errors.
 */
export async function recoverByUser(
  ports: CoordinatorPorts,
  { seed, salt, callerKey, isForced }: UserRecovery,
  signal: AbortSignal,
): Promise<StateSummary> {
  const { status } = ports.cell.published;
  if (!isRecoveryNeeded(ports))
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_RECOVERY_NEEDLESS',
      `Recovering by a seed share: the Coordinator is ${status}.`,
    );
  const engine = ports.keys.engineOf(seed, salt);
  return resetState(ports, signal, async ({ manifest }) => {
    authoriseSeedOwner(manifest, callerKey);
    if (!isForced) await refuseWithPeers(ports, signal);
    return { engine, meshKey: ports.keys.createMeshKey() };
  });
}

type Source = (
  unverified: UnverifiedState,
) => Promise<{ readonly engine: SeedEngine; readonly meshKey: Secret }>;

async function resetState(
  ports: CoordinatorPorts,
  signal: AbortSignal,
  source: Source,
): Promise<StateSummary> {
  const { cell } = ports;
  const held = cell.held;
  ports.trace?.('reset', held?.record.transition ?? '');
  const unverified = await readUnverified(ports);
  if (unverified === null)
    throw historyError(
      'MESH_ERR_HISTORY_MISSING',
      'Recovering the state: the history has no latest transition.',
    );
  const { transition } = unverified.record;
  ports.trace?.('unverified', transition);
  const keys = await source(unverified);
  const again = await readUnverified(ports);
  ports.trace?.('reread', again?.record.transition ?? '');
  if (again === null || !isSameRecord(again.record, unverified.record))
    throw changed(`the latest transition became ${again?.record.transition}`, unverified);
  const verified = verifyState(ports, again, keys);
  ports.trace?.('verified', transition);
  signal.throwIfAborted();
  await ports.floor.raise(floorOf(verified));
  signal.throwIfAborted();
  if (!cell.swap(held, verified)) throw changed('another recovery came first', unverified);
  ports.trace?.('swapped', transition);
  return summaryOf(verified);
}

async function askPeer(
  ports: CoordinatorPorts,
  peer: string,
  { manifest, record: { transition } }: UnverifiedState,
  signal: AbortSignal,
): Promise<RecoverResponse> {
  const appraisal = {
    validator: ports.validators.validatorFor(manifest.referenceValues),
    authorise: (proven: ProvenIdentity) => {
      ports.trace?.('attested', transition);
      authoriseCoordinator(manifest, proven);
      ports.trace?.('authorised', transition);
      // The transport's next step, and no other's.
      ports.trace?.('requested', transition);
    },
  };
  try {
    return await ports.transport.recover(peer, appraisal, signal);
  } catch (cause) {
    if (signal.aborted) throw cause;
    if (!(cause instanceof CodedError)) throw cause;
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_PEER_REFUSED',
      `Recovering from ${peer}: it refused with ${codeOf(cause)}.`,
      { cause },
    );
  }
}

/** MESH_ERR_COORDINATOR_NOT_AUTHORISED unless the manifest gives the identity that role. */
export function authoriseCoordinator(manifest: MeshManifest, proven: ProvenIdentity): void {
  const { identity, isHardware } = proven;
  const role = policyFor(manifest, proven)?.role;
  const isSufficient = isHardware || manifest.referenceValues.hardware === 'optional';
  if (role === 'coordinator' && isSufficient) return;
  throw coordinatorError(
    'MESH_ERR_COORDINATOR_NOT_AUTHORISED',
    isSufficient
      ? `Authorising ${identity} as a coordinator: the manifest gives it ${role ?? 'no policy'}.`
      : `Authorising ${identity}: its evidence is of software, the manifest requires hardware.`,
  );
}

function authoriseSeedOwner(manifest: MeshManifest, callerKey: Uint8Array | null): void {
  const owners = manifest.seedShareOwnerKeys;
  if (callerKey !== null && owners.includes(base64Of(callerKey))) return;
  throw coordinatorError(
    'MESH_ERR_COORDINATOR_NOT_SEED_OWNER',
    'Recovering by a seed share: the manifest does not name the key of the caller.',
  );
}

const base64Of = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

async function refuseWithPeers({ directory }: CoordinatorPorts, signal: AbortSignal) {
  const [peer] = await directory.peers(signal);
  if (peer === undefined) return;
  throw coordinatorError(
    'MESH_ERR_COORDINATOR_PEER_AVAILABLE',
    `Recovering by a seed share: the peer ${peer} is ready.`,
    { details: { peer } },
  );
}

const changed = (found: string, { record: { transition } }: UnverifiedState): Error =>
  coordinatorError(
    'MESH_ERR_COORDINATOR_STATE_CHANGED',
    `Recovering transition ${transition}: ${found}.`,
  );
