/** The tree as plain data, for the CLI and the visualizer. */
import type { Child, ChildStatus } from './child.ts';
import type { MailboxInfo } from './delivery/mailbox.ts';
import type { Supervisor } from './supervisor.ts';
import type { SupervisorStatus } from './supervisor-snapshot.ts';

/** One child or supervisor, with all under it. */
export interface TreeNode {
  readonly path: string;
  readonly id: string;
  readonly kind: 'supervisor' | 'worker';
  /**
   * Where its chart is: for a machine its state value, nested states joined by dots and parallel ones
   * by commas; for other logic its snapshot's status; undefined while no incarnation exists.
   */
  readonly state: string | undefined;
  readonly status: ChildStatus | SupervisorStatus;
  readonly incarnation: number;
  readonly restarts: number;
  /** When it took its status, in milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly children: readonly TreeNode[];
  /** Of a child whose spec gives it a mailbox. */
  readonly mailbox?: MailboxInfo;
}

/** The tree as it is at this moment. */
export const describeTree = (root: Supervisor): TreeNode => ({
  path: root.path,
  id: root.spec.id,
  kind: 'supervisor',
  state: root.status,
  status: root.status,
  incarnation: root.incarnation,
  restarts: 0,
  sinceMs: root.sinceMs,
  children: childrenOf(root),
});

const childrenOf = (supervisor: Supervisor): readonly TreeNode[] =>
  [...supervisor.table.values()].map(describeChild);

function describeChild(child: Child): TreeNode {
  const { nested } = child;
  return {
    path: child.path,
    id: child.id,
    kind: child.isSupervisor ? 'supervisor' : 'worker',
    state: nested ? nested.status : stateOf(child),
    status: child.status,
    incarnation: child.incarnation,
    restarts: child.restarts,
    sinceMs: child.sinceMs,
    children: nested ? childrenOf(nested) : [],
    ...(child.mailbox ? { mailbox: child.mailbox.info(waitingMail(child)) } : {}),
  };
}

const waitingMail = ({ cell, held }: Child): number => (cell?.size ?? 0) + (held?.size ?? 0);

function stateOf(child: Child): string | undefined {
  const { snapshot } = child;
  if (!snapshot) return undefined;
  return 'value' in snapshot ? stateText(snapshot.value) : snapshot.status;
}

/** `{ a: { b: 'c' }, d: 'e' }` is `a.b.c,d.e`. */
export function stateText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, inner]) => {
      const rest = stateText(inner);
      return rest === '' ? key : `${key}.${rest}`;
    })
    .join(',');
}
