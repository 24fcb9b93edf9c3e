/**
 * The actions of a planned step, carried out as XState carries them out: each gets the context that
 * those before it left, XState's own resolve themselves, and all go through the actor's executor.
 */
import type { EventObject } from 'xstate';
import { isBuiltinAction } from './machine-shape.ts';
import type {
  ActionInfo,
  ActionReference,
  BuiltinAction,
  Callable,
  Context,
  Machine,
  MachineSnapshot,
  Scope,
} from './machine-shape.ts';

/** An action with its implementation. */
export interface Operation {
  readonly kind: 'custom' | 'assign' | 'builtin';
  readonly type: string;
  readonly implementation: unknown;
  /** A value, or what makes it of context and event. */
  readonly params: unknown;
  /** Of an assignment by property; undefined when it is one function. */
  readonly keys: readonly string[] | undefined;
}

/** XState's own actions that neither change the children nor decide at run time what follows. */
const PLANNED_BUILTINS: ReadonlySet<string> = new Set([
  'xstate.raise',
  'xstate.sendTo',
  'xstate.emit',
  'xstate.log',
  'xstate.cancel',
]);

/** Undefined for an action that only XState may carry out. */
export function operationOf(machine: Machine, action: ActionReference): Operation | undefined {
  const isInline = typeof action === 'function';
  const name = typeof action === 'string' ? action : action.type;
  const implementation = isInline ? action : machine.implementations.actions[name as string];
  const params = typeof action === 'object' && 'params' in action ? action.params : undefined;
  if (implementation !== undefined && typeof implementation !== 'function') return undefined;
  if (implementation === undefined || !('resolve' in implementation)) {
    const type = isInline ? action.name || '(anonymous)' : (name as string);
    return { kind: 'custom', type, implementation, params, keys: undefined };
  }
  if (!isBuiltinAction(implementation)) return undefined;
  const { type, assignment } = implementation;
  if (type === 'xstate.assign') {
    const keys = typeof assignment === 'function' ? undefined : Object.keys(assignment as object);
    return { kind: 'assign', type, implementation, params, keys };
  }
  if (!PLANNED_BUILTINS.has(type)) return undefined;
  return { kind: 'builtin', type, implementation, params, keys: undefined };
}

/**
 * Whether these actions may follow each other in a plan: at most `raisesMax` events, one or none, are
 * raised to be taken in the same macrostep, and it is known that they are none of XState's own.
 */
export function isPlainSequence(
  machine: Machine,
  operations: readonly Operation[],
  raisesMax: 0 | 1,
): boolean {
  const raises = operations.filter(
    ({ type, implementation }) =>
      type === 'xstate.raise' && !isDelayed(machine, implementation as BuiltinAction),
  );
  return raises.length <= raisesMax && raises.every(raisesPlainly);
}

/** Its delay is a number whatever happens; a function may give none. */
const isDelayed = ({ implementations }: Machine, { delay }: BuiltinAction): boolean =>
  typeof (typeof delay === 'string' ? implementations.delays[delay] : delay) === 'number';

function raisesPlainly({ implementation }: Operation): boolean {
  const { event } = implementation as BuiltinAction;
  const type = (event as Partial<EventObject> | undefined)?.type;
  return typeof event === 'object' && typeof type === 'string' && !isXstateOwn(type);
}

/** Lifecycle signals have rules of their own; delayed transitions do not. */
export const isXstateOwn = (type: string): boolean =>
  typeof type !== 'string' || (type.startsWith('xstate.') && !type.startsWith('xstate.after.'));

/** What a step works on and leaves behind. */
export class Run {
  context: Context;
  children: Readonly<Record<string, unknown>>;
  /** Events raised without a delay, to be taken next. */
  readonly raised: EventObject[] = [];
  readonly #before: MachineSnapshot;
  readonly #event: EventObject;
  readonly #scope: Scope;

  constructor(before: MachineSnapshot, event: EventObject, scope: Scope) {
    this.context = before.context;
    this.children = before.children;
    this.#before = before;
    this.#event = event;
    this.#scope = scope;
  }

  perform(operation: Operation): void {
    const { kind, implementation, params: given } = operation;
    const scope = this.#scope;
    const info: ActionInfo = {
      context: this.context,
      event: this.#event,
      self: scope.self,
      system: scope.system,
    };
    const params =
      typeof given === 'function'
        ? (given as Callable)({ context: this.context, event: this.#event })
        : given;
    if (kind === 'assign') this.#assign(operation, params);
    else if (kind === 'custom')
      scope.actionExecutor({ type: operation.type, info, params, exec: implementation });
    else this.#resolve(implementation as BuiltinAction, info, params);
  }

  #resolve(action: BuiltinAction, info: ActionInfo, given: unknown): void {
    const scope = this.#scope;
    const extra = { internalQueue: this.raised, deferredActorIds: undefined };
    const [, params] = action.resolve(scope, this.#between(), info, given, action, extra);
    if (!action.execute) return;
    const exec = action.execute.bind(null, scope, params);
    scope.actionExecutor({ type: action.type, info, params, exec });
  }

  /** Between the actions of a step a machine is where it was, with what was assigned so far. */
  #between(): MachineSnapshot {
    return snapshotAfter(this.#before, this.context, this.children, this.#before);
  }

  #assign({ implementation, keys }: Operation, params: unknown): void {
    const { assignment } = implementation as BuiltinAction;
    const { context } = this;
    const args = {
      context,
      event: this.#event,
      spawn: (src: unknown, options: unknown) =>
        this.#spawn(context, implementation as BuiltinAction, src, options),
      self: this.#scope.self,
      system: this.#scope.system,
    };
    let update: Record<string, unknown> = {};
    if (keys === undefined)
      update = (assignment as Callable)(args, params) as Record<string, unknown>;
    else
      for (const key of keys) {
        const value = (assignment as Context)[key];
        update[key] = typeof value === 'function' ? (value as Callable)(args, params) : value;
      }
    this.context = Object.assign({}, context, update);
  }

  /** XState's own spawn is to be had only inside of an assignment, so it gets one that spawns. */
  #spawn(context: Context, assign: BuiltinAction, src: unknown, options: unknown): unknown {
    let actor: unknown;
    const spawning = {
      assignment: ({ spawn }: { spawn: (src: unknown, options: unknown) => unknown }) => {
        actor = spawn(src, options);
        return {};
      },
    } as unknown as BuiltinAction;
    const snapshot = snapshotAfter(this.#before, context, this.children, this.#before);
    const info = { context, event: this.#event, self: undefined, system: undefined };
    const extra = { internalQueue: this.raised, deferredActorIds: undefined };
    const [next] = assign.resolve(this.#scope, snapshot, info, undefined, spawning, extra);
    this.children = next.children;
    return actor;
  }
}

/** The snapshot that XState makes of `before`, in its order of properties. */
export const snapshotAfter = (
  before: MachineSnapshot,
  context: Context,
  children: Readonly<Record<string, unknown>>,
  where: Pick<MachineSnapshot, '_nodes' | 'value' | 'tags'>,
): MachineSnapshot => ({
  status: before.status,
  output: before.output,
  error: before.error,
  machine: before.machine,
  context,
  _nodes: where._nodes,
  value: where.value,
  tags: where.tags,
  children,
  historyValue: before.historyValue,
  matches: before.matches,
  hasTag: before.hasTag,
  can: before.can,
  getMeta: before.getMeta,
  toJSON: before.toJSON,
});
