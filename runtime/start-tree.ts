import type { CodedError } from '../machines/kernel/coded-error.ts';
import { createTree } from '../supervisor/index.ts';
import type {
  CheckedSpec,
  Journal,
  SupervisorSpec,
  Tree,
  TreeOf,
  TreeOptions,
} from '../supervisor/index.ts';
import { nodeAttribution } from './adapters/attribution.node.ts';
import { systemClock } from './adapters/clock.system.ts';
import { openJournal } from './adapters/journal.sqlite.ts';
import { systemRandom } from './adapters/random.system.ts';
import { createThreads } from './adapters/threads.node.ts';

/** What a tree can be given; all of it has a default. */
export interface StartTreeOptions extends Omit<Partial<TreeOptions>, 'journal'> {
  /**
   * The file in which children with `resume: 'snapshot'` survive, also a `kill -9`; made where it is
   * missing, and closed when the tree has ended. Or a journal that is its owner's to close.
   */
  readonly journal?: string | Journal;
}

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
 * `MESH_ERR_SUPERVISOR_START_FAILED` after everything that had started was stopped again. With a
 * journal also with what `openJournal` throws.
 */
export async function startTree<const Spec extends SupervisorSpec>(
  spec: Spec & CheckedSpec<Spec>,
  options: StartTreeOptions = {},
): Promise<TreeOf<Spec>> {
  // Typing adds nothing at run time: the tree takes any path, and answers for those there are.
  return (await startWithJournal(spec, options)) as TreeOf<Spec>;
}

async function startWithJournal(
  spec: SupervisorSpec,
  { journal, ...options }: StartTreeOptions,
): Promise<Tree> {
  if (typeof journal !== 'string')
    return start(spec, journal === undefined ? options : { ...options, journal });
  const { clock = systemClock, logger } = options;
  const onCorrupt = (error: CodedError): void =>
    logger?.({ level: 'error', message: error.message, details: error });
  const own = openJournal({ path: journal, clock, ...(logger ? { onCorrupt } : {}) });
  try {
    const tree = await start(spec, { ...options, journal: own });
    void closeAfter(tree, own);
    return tree;
  } catch (error) {
    own.close();
    throw error;
  }
}

async function closeAfter(tree: Tree, journal: Journal): Promise<void> {
  await tree.ended;
  journal.close();
}

async function start(spec: SupervisorSpec, options: Partial<TreeOptions>): Promise<Tree> {
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
