import { createTree } from '../supervisor/index.ts';
import type { SupervisorSpec, Tree, TreeOptions } from '../supervisor/index.ts';
import { nodeAttribution } from './adapters/attribution.node.ts';
import { systemClock } from './adapters/clock.system.ts';
import { systemRandom } from './adapters/random.system.ts';
import { createThreads } from './adapters/threads.node.ts';

/**
 * Supervises any XState actors: creates the tree that `spec` describes on the system's clock, and
 * resolves when all its children are ready.
 *
 * @example
 * const tree = await startTree({
 *   id: 'house',
 *   type: 'supervisor',
 *   children: [childSpec({ id: 'door', logic: doorMachine })],
 * });
 * tree.send('house/door', { type: 'open' });
 * await tree.stop();
 *
 * Rejects with `MESH_ERR_SUPERVISOR_SPEC_INVALID` before anything has started, and with
 * `MESH_ERR_SUPERVISOR_START_FAILED` after everything that had started was stopped again.
 */
export async function startTree(
  spec: SupervisorSpec,
  options: Partial<TreeOptions> = {},
): Promise<Tree> {
  const tree = createTree(spec, {
    clock: systemClock,
    random: systemRandom,
    defer: (slice) => {
      setImmediate(slice);
    },
    attribute: nodeAttribution,
    threads: createThreads(),
    ...options,
  });
  await tree.start();
  return tree;
}
