/** Where a peer's actors stand: in a tree of their own, or in one that is there. */
import { workerPoolSpec } from '../../../actors/pool/worker-pool.actor.ts';
import type { WorkerPool } from '../../../actors/pool/ports.ts';
import type { Supervision } from '../../../actors/gossip/ports/services.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import type { Random } from '../../../machines/kernel/random.ts';
import { createTree } from '../../../supervisor/index.ts';
import type { Logger, SupervisorSpec, Tree } from '../../../supervisor/index.ts';
import { nodeAttribution } from '../../adapters/attribution.node.ts';
import { systemClock } from '../../adapters/clock.system.ts';
import { openJournal } from '../../adapters/journal.sqlite.ts';
import { systemRandom } from '../../adapters/random.system.ts';
import { createSupervisedWorkerPool } from '../../adapters/worker-pool.piscina.ts';
import { createLateTree } from '../../late-tree.ts';
import type { PeerPaths } from './peer-home.ts';

/** Root of a tree of a peer's own. */
export const PEER_ROOT = 'peer';

/** A tree that is there, and what it has that a peer needs. */
export interface GroundHost {
  readonly tree: Tree;
  /** The supervisor to stand below. */
  readonly path: string;
  readonly pool: WorkerPool;
}

export interface Ground {
  /** Path of the supervisor above the peer's. */
  readonly path: string;
  readonly supervision: Supervision;
  readonly pool: WorkerPool;
  /** Starts the peer's actors there. */
  plant(spec: SupervisorSpec): Promise<Tree>;
  /** Ends them, and what came with the ground. Idempotent. */
  uproot(): Promise<void>;
  /** Resolves when they have ended, with why. Never rejects. */
  readonly ended: Promise<unknown>;
}

/**
 * In another tree: what happens to the peer does not happen to its host, which goes on without it if
 * it gives up.
 */
export function groundIn({ tree, path, pool }: GroundHost): Ground {
  const ended = Promise.withResolvers<unknown>();
  let planted: string | undefined;
  return {
    path,
    pool,
    supervision: tree,
    ended: ended.promise,
    plant: async (spec) => {
      const started = await tree.startChild(path, { ...spec, restart: 'temporary' });
      if (!started.ok)
        throw started.cause ?? new Error(`The tree has no place for it: ${started.reason}.`);
      planted = spec.id;
      tree.monitor(`${path}/${spec.id}`, ({ reason }) => {
        ended.resolve(reason);
      });
      return tree;
    },
    uproot: async () => {
      if (planted === undefined) return;
      await tree.terminateChild(path, planted);
      await tree.deleteChild(path, planted);
    },
  };
}

/** A tree of its own, with workers and a journal. */
export function ownGround(
  paths: PeerPaths,
  options: { readonly clock?: Clock; readonly random?: Random; readonly logger?: Logger },
): Ground {
  const { clock = systemClock, random = systemRandom, logger } = options;
  const { fill, supervision } = createLateTree();
  const { pool, threads } = createSupervisedWorkerPool({ clock });
  const journal = openJournal({
    path: paths.journal,
    clock,
    onCorrupt: (error) => logger?.({ level: 'error', message: error.message, details: error }),
  });
  const ended = Promise.withResolvers<unknown>();
  let tree: Tree | undefined;
  const free = async (): Promise<void> => {
    await pool.close();
    journal.close();
  };
  return {
    path: PEER_ROOT,
    pool,
    supervision,
    ended: ended.promise,
    plant: async (spec) => {
      tree = createTree(
        {
          id: PEER_ROOT,
          type: 'supervisor',
          strategy: 'rest_for_one',
          children: [workerPoolSpec(threads), spec],
        },
        {
          journal,
          clock,
          random,
          attribute: nodeAttribution,
          defer: (slice) => {
            setImmediate(slice);
          },
          ...(logger === undefined ? {} : { logger }),
        },
      );
      fill(tree);
      try {
        await tree.start();
      } catch (error) {
        await free();
        throw error;
      }
      void tree.ended.then(ended.resolve);
      return tree;
    },
    uproot: async () => {
      await tree?.stop();
      await free();
    },
  };
}
