import type { PublishedStatus } from '../../actors/coordinator/state-cell.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { createTree } from '../../supervisor/index.ts';
import type { ExitReason, Journal, Tree } from '../../supervisor/index.ts';
import { nodeAttribution } from '../adapters/attribution.node.ts';
import { systemClock } from '../adapters/clock.system.ts';
import { openJournal } from '../adapters/journal.sqlite.ts';
import { systemRandom } from '../adapters/random.system.ts';
import { createLateTree } from '../late-tree.ts';
import { composeCoordinator } from './compose-coordinator.ts';
import type { CoordinatorOptions, CoordinatorParts } from './compose-coordinator.ts';
import { coordinatorPaths } from './coordinator-identity.ts';
import type { CoordinatorView } from './coordinator-view.ts';

/** A running Coordinator. */
export interface Coordinator extends AsyncDisposable {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Ed25519 public key that signs its evidence, 64 hex digits: for `nodeKeys` of a manifest. */
  readonly nodeKey: string;
  readonly tree: Tree;
  /** Resolves when its tree has ended, also when that gave up. Never rejects. */
  readonly ended: Promise<ExitReason>;
  view(): Promise<CoordinatorView>;
  /** Tells what requests get from now on. Returns how to stop; the listener must not throw. */
  onStatus(listener: (published: PublishedStatus) => void): () => void;
  /** Lets calls in flight end, then ends. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts one Coordinator in this process, on the history of its folder. Resolves when it listens: it
 * may be in need of a manifest or of recovery by then, which `view()` says. Rejects as
 * `composeCoordinator`, and with MESH_ERR_SUPERVISOR_START_FAILED where the port is taken.
 *
 * @example
 * const coordinator = await startCoordinator({ folder: '.mesh/coordinator', port: 7443 });
 * const { state, reason } = await coordinator.view();
 * await coordinator.stop();
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { fill, supervision } = createLateTree();
  const parts = await composeCoordinator(options, { supervision });
  const { clock = systemClock, random = systemRandom, logger } = options;
  const journal = openActorJournal(options, clock, parts);
  const tree = createTree(parts.spec, {
    journal,
    clock,
    random,
    defer: (slice) => {
      setImmediate(slice);
    },
    attribute: nodeAttribution,
    ...(logger && { logger }),
  });
  fill(tree);
  try {
    await tree.start();
  } catch (error) {
    journal.close();
    await parts.close();
    throw error;
  }
  const { address } = await parts.view();
  if (address === null) throw new Error('A Coordinator that has started has an address.');
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await tree.stop();
    journal.close();
    await parts.close();
  };
  const { name, nodeKey, view } = parts;
  return {
    ...address,
    name,
    nodeKey,
    tree,
    ended: tree.ended,
    view,
    onStatus: (listener) => parts.ports.cell.onStatus(listener),
    stop: () => (stopping ??= stop()),
    [Symbol.asyncDispose]: () => (stopping ??= stop()),
  };
}

/** Of what its actors remember; what is damaged in it is told and set aside. */
function openActorJournal(
  { folder }: CoordinatorOptions,
  clock: Clock,
  { ports }: Pick<CoordinatorParts, 'ports'>,
): Journal {
  return openJournal({
    path: coordinatorPaths(folder).journal,
    clock,
    onCorrupt: (error) => ports.notice('the journal of actors', error),
  });
}
