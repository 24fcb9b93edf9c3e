/** Trees with children in real threads. */
import type { EventObject } from 'xstate';
import { startTree } from '../../../runtime/start-tree.ts';
import type { StartTreeOptions } from '../../../runtime/start-tree.ts';
import { threadLogic } from '../../../supervisor/index.ts';
import type {
  ChildSpec,
  SupervisorReport,
  SupervisorSpec,
  ThreadLogicOptions,
  Tree,
} from '../../../supervisor/index.ts';

export const module = new URL('./probe.machine.ts', import.meta.url);

export const placed = (
  spec: Partial<ChildSpec> = {},
  options: Partial<ThreadLogicOptions> = {},
): ChildSpec => ({
  id: 'a',
  placement: 'thread',
  input: { start: 0 },
  logic: threadLogic({ module, export: 'probeMachine', ...options }),
  ...spec,
});

/** A tree with what it reported; stopped at the end. */
export class World implements AsyncDisposable {
  readonly tree: Tree;
  readonly reports: SupervisorReport[] = [];

  constructor(tree: Tree) {
    this.tree = tree;
    tree.onReport((report) => this.reports.push(report));
  }

  static async of(
    children: readonly ChildSpec[],
    root: Partial<SupervisorSpec> = {},
    options: StartTreeOptions = {},
  ): Promise<World> {
    const spec: SupervisorSpec = { id: 'r', type: 'supervisor', intensity: 9, children, ...root };
    return new World(await startTree(spec, options));
  }

  send(event: EventObject & Record<string, unknown>, path = 'r/a'): boolean {
    return this.tree.send(path, event);
  }

  count(path = 'r/a'): number | undefined {
    const snapshot = this.tree.snapshotOf(path) as { context?: { count: number } } | undefined;
    return snapshot?.context?.count;
  }

  get incarnation(): number | undefined {
    return this.tree.describe().children[0]?.incarnation;
  }

  /** Code and message of the newest crash's cause. */
  get crash(): { readonly code?: string; readonly message?: string } {
    const last = this.reports.findLast((report) => report.type === 'crash');
    const cause = last?.type === 'crash' ? last.reason.cause : undefined;
    return cause ? { code: cause.code, message: cause.cause?.message ?? cause.message } : {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tree.stop();
  }
}

/** Threads, and ports to them, that this process has. */
export const threadsOf = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'MessagePort' || name === 'Worker')
    .length;
