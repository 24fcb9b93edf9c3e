/**
 * SetManifest: everything is prepared before the one step that counts, the compare-and-swap of the
 * latest transition. What was kept before that step harms nobody if the step never comes.
 */
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { POLICY_BYTES_MAX } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { MeshManifest } from '../../machines/coordinator/mesh-manifest.schema.ts';
import { encodeTransition, isSameRecord } from '../../machines/coordinator/transition.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { summaryOf } from './coordinator-state.ts';
import type { CoordinatorState } from './coordinator-state.ts';
import { checkIdempotencyKey, keepShares, redeliver, withdrawShares } from './seed-shares.ts';
import type { SealedShare, SeedEngine } from './ports/keys.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { floorOf, lookAtHistory, stateOf } from './read-history.ts';
import { readManifest } from './read-manifest.ts';

/** What a caller sends. */
export interface SetManifestRequest {
  readonly manifest: Uint8Array;
  /** Policy documents, each of which the manifest names by its SHA-256. */
  readonly policies: readonly Uint8Array[];
  /** The latest transition as the caller knows it; `null` for the first manifest. */
  readonly previous: Digest | null;
  /** 32 to 128 hex digits of fresh randomness; the same for a repetition. */
  readonly idempotencyKey: string;
  /** SubjectPublicKeyInfo of the key that the caller proved to hold; `null` for none. */
  readonly callerKey: Uint8Array | null;
}

/** What it gets. Certificates are DER. */
export interface SetManifestResponse {
  readonly transition: Digest;
  readonly generation: number;
  readonly rootCertificate: Uint8Array;
  readonly meshCertificate: Uint8Array;
  /** For the first manifest only, until confirmed. */
  readonly shares: readonly SealedShare[];
}

/**
 * Sets the manifest of the mesh. Rejects with MESH_ERR_COORDINATOR_MANIFEST_INVALID, _NOT_OWNER,
 * _MANIFEST_CONFLICT or _IDEMPOTENCY_KEY having changed nothing; with _NEEDS_RECOVERY where the state
 * is not the latest; with _STORE_UNAVAILABLE where it may have been set: repeat the same request.
 */
export async function setManifest(
  ports: CoordinatorPorts,
  request: SetManifestRequest,
): Promise<SetManifestResponse> {
  checkIdempotencyKey(request.idempotencyKey);
  const manifest = readManifest(request.manifest);
  checkPolicies(ports, manifest, request.policies);
  await settlePending(ports);
  const again = await redeliver(ports, request);
  if (again) return again;
  const base = baseOf(ports);
  if (base !== null && (await isRepeated(ports, base, request))) return responseOf(base, []);
  if (base !== null) authorise(ports, base.manifest, request.callerKey);
  const previous = base?.record.transition ?? null;
  if (request.previous !== previous) throw conflict(request.previous, previous);
  const engine = base?.engine ?? ports.keys.createSeed();
  const next = await prepare(ports, { base, engine, manifest, request });
  return base === null ? setFirst(ports, next, request) : commit(ports, base, next, []);
}

/**
 * An earlier attempt whose answer was lost may have been done: then it is what there is to build on,
 * and its keys are nowhere but here.
 */
async function settlePending(ports: CoordinatorPorts): Promise<void> {
  if (!ports.cell.isPending) return;
  await lookAtHistory(ports).catch((cause: unknown) => {
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
      'Setting a manifest: the history did not say what became of the attempt before.',
      { cause },
    );
  });
}

/** The state to build on: `null` on an empty history. */
function baseOf({ cell }: CoordinatorPorts): CoordinatorState | null {
  return cell.published.status === 'empty' && cell.held === null ? null : cell.take();
}

function checkPolicies(
  { keys }: CoordinatorPorts,
  manifest: MeshManifest,
  policies: readonly Uint8Array[],
): void {
  for (const policy of policies) {
    const digest = keys.digest(policy);
    if (policy.length > POLICY_BYTES_MAX || !Object.hasOwn(manifest.policies, digest))
      throw coordinatorError(
        'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
        policy.length > POLICY_BYTES_MAX
          ? `Reading policy ${digest}: it has ${policy.length} bytes, at most ${POLICY_BYTES_MAX}.`
          : `Reading policy ${digest}: the manifest does not name it.`,
      );
  }
}

function authorise(
  { keys }: CoordinatorPorts,
  { workloadOwnerKeyDigests }: MeshManifest,
  callerKey: Uint8Array | null,
): void {
  if (callerKey !== null && workloadOwnerKeyDigests.includes(keys.digest(callerKey))) return;
  const found = callerKey === null ? 'no key' : `key ${keys.digest(callerKey)}`;
  throw coordinatorError(
    'MESH_ERR_COORDINATOR_NOT_OWNER',
    `Setting a manifest: the caller has ${found}, which is no workload owner of the present one.`,
  );
}

/** The request that made the present state comes again, because its answer was lost. */
async function isRepeated(
  ports: CoordinatorPorts,
  base: CoordinatorState,
  { manifest, previous, callerKey }: SetManifestRequest,
): Promise<boolean> {
  const before = base.chain.at(-2);
  const manifestBefore = base.manifests.at(-2);
  if (before === undefined || manifestBefore === undefined || previous !== before) return false;
  if (base.manifests.at(-1) !== ports.keys.digest(manifest)) return false;
  const old = readManifest(await ports.history.get('manifests', manifestBefore));
  authorise(ports, old, callerKey);
  return true;
}

interface Preparation {
  readonly base: CoordinatorState | null;
  readonly engine: SeedEngine;
  readonly manifest: MeshManifest;
  readonly request: SetManifestRequest;
}

/** Keeps the content and makes keys and certificates; nothing of it counts yet. */
async function prepare(
  ports: CoordinatorPorts,
  { base, engine, manifest, request }: Preparation,
): Promise<CoordinatorState> {
  const { history, keys } = ports;
  for (const policy of request.policies) await history.put('policies', policy);
  const manifestDigest = await history.put('manifests', request.manifest);
  const previous = base?.record.transition ?? null;
  const transition = await history.put(
    'transitions',
    encodeTransition({ manifest: manifestDigest, previous }),
  );
  const unverified = {
    record: engine.sign(transition),
    generation: (base?.generation ?? 0) + 1,
    manifest,
    manifestBytes: request.manifest,
    manifests: [...(base?.manifests ?? []), manifestDigest],
    chain: [...(base?.chain ?? []), transition],
  };
  return stateOf(ports, unverified, { engine, meshKey: keys.createMeshKey() });
}

async function setFirst(
  ports: CoordinatorPorts,
  next: CoordinatorState,
  request: SetManifestRequest,
): Promise<SetManifestResponse> {
  const shares = ports.keys.sealShares(next.engine, next.manifest.seedShareOwnerKeys);
  const response = responseOf(next, shares);
  const delivery = await keepShares(ports, next, request, response);
  try {
    return await commit(ports, null, next, shares);
  } catch (error) {
    await withdrawShares(ports, delivery, error);
    throw error;
  }
}

/** The step that counts, and what follows from it. */
async function commit(
  ports: CoordinatorPorts,
  base: CoordinatorState | null,
  next: CoordinatorState,
  shares: readonly SealedShare[],
): Promise<SetManifestResponse> {
  const { cell, history } = ports;
  const expected = base?.record.transition ?? null;
  cell.prepare(base, next);
  const result = await history.compareAndSwap(expected, next.record);
  // An answer that was lost is looked up: the record says whose it is.
  const found =
    result.type === 'swapped'
      ? next.record
      : result.type === 'mismatch'
        ? result.found
        : await reread(ports, expected, result.cause);
  if (!isSameRecord(found, next.record)) {
    cell.forget(next);
    cell.observe(found);
    throw conflict(expected, found?.transition ?? null);
  }
  cell.swap(base, next);
  await ports.floor.raise(floorOf(next)).catch((error: unknown) => {
    // It is set all the same; the history's watch raises the floor at its next look.
    ports.notice('raising the generation floor', error);
  });
  await lookAtHistory(ports).catch((error: unknown) => {
    ports.notice('looking at the history after a manifest was set', error);
  });
  return responseOf(next, shares);
}

/** A lost answer: it counts as refused only once the latest transition is somebody else's. */
async function reread(
  { history }: CoordinatorPorts,
  expected: Digest | null,
  cause: unknown,
): Promise<LatestRecord | null> {
  const unsure = (cause: unknown): Error =>
    coordinatorError(
      'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
      'Setting a manifest: the history did not say whether it was set.',
      { cause },
    );
  const found = await history.latest().catch((error: unknown) => {
    throw unsure(error);
  });
  if ((found?.transition ?? null) === expected) throw unsure(cause);
  return found;
}

const responseOf = (
  state: CoordinatorState,
  shares: readonly SealedShare[],
): SetManifestResponse => ({
  ...summaryOf(state),
  rootCertificate: state.authority.rootCertificate,
  meshCertificate: state.authority.meshCertificate,
  shares,
});

const conflict = (expected: Digest | null, found: Digest | null): Error =>
  coordinatorError(
    'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT',
    `Setting a manifest on transition ${expected ?? 'none'}: the latest is ${found ?? 'none'}.`,
    { details: { expected, found } },
  );
