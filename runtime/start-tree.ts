import type { CodedError } from '../machines/kernel/coded-error.ts';
import { createTree } from '../supervisor/index.ts';
import type {
  CheckedSpec,
  Journal,
  Logger,
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
import type { InspectorOptions } from './web/inspector.ts';

/** What a tree can be given; all of it has a default. */
export interface StartTreeOptions extends Omit<Partial<TreeOptions>, 'journal'> {
  /**
   * The file in which children with `resume: 'snapshot'` survive, also a `kill -9`; made where it is
   * missing, and closed when the tree has ended. Or a journal that is its owner's to close.
   */
  readonly journal?: string | Journal;
  /**
   * Serves the inspector on 127.0.0.1 for as long as the tree runs; `true` is a free port, and a page
   * that may look and not touch. Default: none.
   */
  readonly inspect?: boolean | InspectorOptions;
}

/** Where to look at a tree that was started with `inspect`. */
export interface TreeInspector {
  /** Works once, for whoever opens it first. */
  readonly url: string;
  readonly port: number;
  /** A further address that works once; the one before it, if nobody used it, is void. */
  invite(): string;
}

/** A tree that shows itself. */
export interface Inspected {
  readonly inspector: TreeInspector;
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
 * journal also with what `openJournal` throws, with `inspect` with MESH_ERR_INSPECT_PORT and
 * MESH_ERR_INSPECT_PAGE.
 */
export async function startTree<const Spec extends SupervisorSpec>(
  spec: Spec & CheckedSpec<Spec>,
  options: StartTreeOptions & { readonly inspect: true | InspectorOptions },
): Promise<TreeOf<Spec> & Inspected>;
export async function startTree<const Spec extends SupervisorSpec>(
  spec: Spec & CheckedSpec<Spec>,
  options?: StartTreeOptions,
): Promise<TreeOf<Spec>>;
export async function startTree<const Spec extends SupervisorSpec>(
  spec: Spec & CheckedSpec<Spec>,
  { inspect = false, ...options }: StartTreeOptions = {},
): Promise<TreeOf<Spec>> {
  const tree = await startWithJournal(spec, options);
  if (inspect !== false) await show(tree, inspect === true ? {} : inspect, options.logger);
  // Typing adds nothing at run time: the tree takes any path, and answers for those there are.
  return tree as TreeOf<Spec>;
}

/** A tree that cannot be shown as it was asked for does not run either. */
async function show(
  tree: Tree,
  options: InspectorOptions,
  logger: Logger | undefined,
): Promise<void> {
  try {
    const { startInspector } = await import('./web/inspector.ts');
    const inspector = await startInspector(tree, options, {
      onAudit: (path, text) => logger?.({ level: 'warn', message: `audit: ${path}: ${text}` }),
    });
    void tree.ended.then(() => inspector.close());
    const { port } = inspector;
    const seen: TreeInspector = { url: inspector.invite(), port, invite: () => inspector.invite() };
    Object.defineProperty(tree, 'inspector', { value: seen, enumerable: true });
  } catch (error) {
    await tree.stop();
    throw error;
  }
}

async function startWithJournal(
  spec: SupervisorSpec,
  { journal, ...options }: Omit<StartTreeOptions, 'inspect'>,
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
