/**
 * As much of XState's machines, state nodes, snapshots and actions as plans count on, beyond what
 * their types say. The version that this was checked against is asserted by the host of the actors.
 */
import type { EventObject } from 'xstate';

/** An action as it stands in a node or a transition: named, with parameters, or in place. */
export type ActionReference =
  | string
  | { readonly type: string; readonly params?: unknown }
  | Callable;

/** A function, perhaps one of XState's own actions or guards. */
export interface Callable {
  (...args: readonly unknown[]): unknown;
  readonly type?: string;
}

/** One of XState's own actions. */
export interface BuiltinAction extends Callable {
  readonly type: string;
  resolve(
    scope: Scope,
    snapshot: MachineSnapshot,
    info: ActionInfo,
    params: unknown,
    action: BuiltinAction,
    extra: { readonly internalQueue: EventObject[]; readonly deferredActorIds: undefined },
  ): readonly [MachineSnapshot, unknown, readonly unknown[] | undefined];
  readonly execute?: (scope: Scope, params: unknown) => void;
  /** Of `assign`. */
  readonly assignment?: unknown;
  /** Of `raise`. */
  readonly event?: unknown;
  readonly delay?: unknown;
}

/** What an action is called with. */
export interface ActionInfo {
  readonly context: Context;
  readonly event: EventObject;
  readonly self: unknown;
  readonly system: unknown;
}

/** A machine's memory. */
export type Context = Readonly<Record<string, unknown>>;

/** What an actor offers its logic. */
export interface Scope {
  readonly self: unknown;
  readonly system: { _sendInspectionEvent(this: void, seen: unknown): void };
  actionExecutor(this: void, action: ExecutableAction): void;
}

/** An action on its way to be carried out. */
export interface ExecutableAction {
  readonly type: string;
  readonly info: ActionInfo;
  readonly params: unknown;
  readonly exec: unknown;
}

/** A way out of a state node. */
export interface Transition {
  readonly target: readonly StateNode[] | undefined;
  readonly guard?: GuardReference;
  actions: readonly ActionReference[];
}

/** A guard as it stands in a transition. */
export type GuardReference =
  | string
  | { readonly type: string; readonly params?: unknown }
  | Callable;

/** One of XState's own guards. */
export interface BuiltinGuard extends Callable {
  check(snapshot: MachineSnapshot, args: unknown, guard: BuiltinGuard): boolean;
}

/** A node of a machine's tree of states. */
export interface StateNode {
  readonly id: string;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly path: readonly string[];
  readonly parent: StateNode | undefined;
  readonly tags: readonly string[];
  readonly transitions: ReadonlyMap<string, Transition[]>;
  readonly invoke: readonly unknown[];
  readonly initial: { readonly target: readonly StateNode[]; readonly actions: ActionReference[] };
  always?: readonly Transition[] | undefined;
  entry: readonly ActionReference[];
  exit: readonly ActionReference[];
}

/** A machine. */
export interface Machine {
  readonly id: string;
  readonly root: StateNode;
  readonly config: { readonly context?: unknown };
  readonly idMap: ReadonlyMap<string, StateNode>;
  readonly options: { readonly maxIterations?: number };
  readonly implementations: {
    readonly actions: Readonly<Record<string, unknown>>;
    readonly guards: Readonly<Record<string, unknown>>;
    readonly delays: Readonly<Record<string, unknown>>;
  };
  provide(implementations: object): Machine;
  resolveState(config: { value: unknown; context: object }): MachineSnapshot;
  getTransitionData: (snapshot: MachineSnapshot, event: EventObject) => readonly Transition[];
  readonly transition: (
    snapshot: MachineSnapshot,
    event: EventObject,
    scope: Scope,
  ) => MachineSnapshot;
  readonly getInitialSnapshot: (scope: Scope, input: unknown) => MachineSnapshot;
  /** Before anything was entered; own and replaceable on a skeleton. */
  _getPreInitialState: (
    this: void,
    scope: Scope,
    event: EventObject,
    internalQueue: EventObject[],
  ) => MachineSnapshot;
}

/** What a machine is at a moment. */
export interface MachineSnapshot {
  readonly status: string;
  readonly output: unknown;
  readonly error: unknown;
  readonly machine: Machine;
  readonly context: Context;
  readonly _nodes: readonly StateNode[];
  readonly value: unknown;
  readonly tags: ReadonlySet<string>;
  readonly children: Readonly<Record<string, unknown>>;
  readonly historyValue: Readonly<Record<string, unknown>>;
  readonly matches: unknown;
  readonly hasTag: unknown;
  readonly can: unknown;
  readonly getMeta: unknown;
  readonly toJSON: unknown;
}

/** Whether an action is one of XState's own. */
export const isBuiltinAction = (action: unknown): action is BuiltinAction =>
  typeof action === 'function' && 'resolve' in action;
