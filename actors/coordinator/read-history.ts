/** From the history's latest record to a state: unverified first, then proved by a seed. */
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { historyError } from '../../machines/coordinator/history-errors.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { GENERATIONS_MAX, decodeTransition } from '../../machines/coordinator/transition.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import type { CoordinatorState, UnverifiedState } from './coordinator-state.ts';
import type { Floor } from './ports/history.ts';
import type { SeedEngine } from './ports/keys.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { readManifest } from './read-manifest.ts';
import type { Secret } from './secret.ts';

type Reading = Pick<CoordinatorPorts, 'history' | 'floor'>;

interface Chain {
  readonly chain: readonly Digest[];
  readonly manifests: readonly Digest[];
}

/**
 * What the history says now; `null` where it has no latest transition. MESH_ERR_HISTORY_ROLLED_BACK
 * where it is older than the floor, and the history's own errors.
 */
export async function readUnverified(ports: Reading): Promise<UnverifiedState | null> {
  const record = await ports.history.latest();
  const floor = await ports.floor.read();
  if (record === null) {
    if (floor !== null) throw rolledBack(floor);
    return null;
  }
  const { chain, manifests } = await readChain(ports, record);
  if (floor !== null && chain[floor.generation - 1] !== floor.transition) throw rolledBack(floor);
  const newest = manifests.at(-1);
  if (newest === undefined) throw chainTooLong(record);
  const manifestBytes = await ports.history.get('manifests', newest);
  const manifest = readManifest(manifestBytes);
  return { record, generation: chain.length, manifest, manifestBytes, manifests, chain };
}

/** From the latest transition back to the first; each id is checked against its bytes on reading. */
async function readChain({ history }: Reading, record: LatestRecord): Promise<Chain> {
  const chain: Digest[] = [];
  const manifests: Digest[] = [];
  for (let next: Digest | null = record.transition; next !== null;) {
    if (chain.length >= GENERATIONS_MAX) throw chainTooLong(record);
    const { manifest, previous } = decodeTransition(await history.get('transitions', next));
    chain.push(next);
    manifests.push(manifest);
    next = previous;
  }
  return { chain: chain.toReversed(), manifests: manifests.toReversed() };
}

/** Proves a state by its seed; MESH_ERR_COORDINATOR_WRONG_SEED where the signature is another's. */
export function verifyState(
  { keys, authorities }: Pick<CoordinatorPorts, 'keys' | 'authorities'>,
  unverified: UnverifiedState,
  { engine, meshKey }: { readonly engine: SeedEngine; readonly meshKey: Secret },
): CoordinatorState {
  if (!keys.isSignedBy(engine.signingKey, unverified.record))
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_WRONG_SEED',
      `Verifying transition ${unverified.record.transition}: its signature is not of this seed.`,
    );
  return stateOf({ authorities }, unverified, { engine, meshKey });
}

/** Completes a state that is known to be sound. */
export function stateOf(
  { authorities }: Pick<CoordinatorPorts, 'authorities'>,
  unverified: UnverifiedState,
  { engine, meshKey }: { readonly engine: SeedEngine; readonly meshKey: Secret },
): CoordinatorState {
  const authority = authorities.create(engine, meshKey);
  return { ...unverified, engine, meshKey, authority, ancestors: new Set(unverified.chain) };
}

/** The floor that a state is. */
export const floorOf = ({ record, generation }: UnverifiedState): Floor => ({
  generation,
  transition: record.transition,
});

/**
 * Looks at the history and tells the cell. Rejects with the history's errors, the cell told; a record
 * that was judged before is not walked again.
 */
export async function lookAtHistory(
  ports: Pick<CoordinatorPorts, 'history' | 'floor' | 'cell'>,
): Promise<void> {
  try {
    ports.cell.observe(await judgedLatest(ports));
  } catch (error) {
    ports.cell.fail(String(error));
    throw error;
  }
}

async function judgedLatest(
  ports: Pick<CoordinatorPorts, 'history' | 'floor' | 'cell'>,
): Promise<LatestRecord | null> {
  const { held, observed } = ports.cell;
  // Without a state in memory nothing is compared with, so the floor has to judge.
  if (held === null && !observed) return (await readUnverified(ports))?.record ?? null;
  const record = await ports.history.latest();
  const floor = await ports.floor.read();
  if (record === null && floor !== null) throw rolledBack(floor);
  if (held === null && record?.transition !== observed?.transition)
    return (await readUnverified(ports))?.record ?? null;
  if (record && held && floor && isBelow(held, record, floor)) throw rolledBack(floor);
  return record;
}

/** An ancestor of what is held, from before the floor. */
const isBelow = (held: CoordinatorState, record: LatestRecord, floor: Floor): boolean =>
  held.ancestors.has(record.transition) &&
  held.chain.indexOf(record.transition) + 1 < floor.generation;

const rolledBack = ({ generation, transition }: Floor): Error =>
  historyError(
    'MESH_ERR_HISTORY_ROLLED_BACK',
    `Reading the history: generation ${generation}, transition ${transition}, is not in it.`,
    { details: { generation, transition } },
  );

const chainTooLong = ({ transition }: LatestRecord): Error =>
  historyError(
    'MESH_ERR_HISTORY_CORRUPT',
    `Reading the history of transition ${transition}: it has over ${GENERATIONS_MAX} generations.`,
  );
