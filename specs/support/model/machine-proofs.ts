/**
 * What is wrong with a machine, as lists that should be empty: the findings behind
 * `machine.suite.ts`, apart from it so that a spec can show that each defect is found.
 */
import { isDeepStrictEqual } from 'node:util';
import { createActor, initialTransition, transition } from 'xstate';
import type {
  AnyActorRef,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  EventObject,
} from 'xstate';
import { lifecycleEvents, stateKey, stateName } from './model-paths.ts';
import type { Model, ModelOptions } from './model-paths.ts';

/** Excuses, by state name as in `a.b`: each says why. */
export interface MachineSuiteOptions<
  TMachine extends AnyStateMachine,
> extends ModelOptions<TMachine> {
  /** Why a state may wait for an effect without an `after`. */
  readonly untimed?: { readonly [state: string]: string };
  /** Why a state cannot be reached from `input` and `samples`. */
  readonly unreachable?: { readonly [state: string]: string };
  /** Why an effect, action or delay is not used from `input`, as in `actors: adoptProcess`. */
  readonly unused?: { readonly [name: string]: string };
}

/** Resting states that no path reaches, and excused ones that a path does reach. */
export function unreachedStates<TMachine extends AnyStateMachine>(
  machine: TMachine,
  model: Model<TMachine>,
  options: MachineSuiteOptions<TMachine>,
): string[] {
  const reached = new Set(statesOf(model).flatMap(({ _nodes }) => _nodes.map(nodeName)));
  const excused = options.unreachable ?? {};
  return [
    ...restingStates(machine.root).filter((name) => !reached.has(name) && !(name in excused)),
    ...Object.keys(excused).filter((name) => reached.has(name)),
  ];
}

/** Samples that no state handles, and events that the machine names without a sample. */
export function unhandledEvents<TMachine extends AnyStateMachine>(
  machine: TMachine,
  model: Model<TMachine>,
  options: ModelOptions<TMachine>,
): string[] {
  const samples = options.samples as readonly EventObject[];
  const types = [...new Set(samples.map(({ type }) => type))];
  const handled = new Set(model.edges.map(({ event }) => event.type));
  const descriptors = machine.events.filter((descriptor) => !descriptor.startsWith('xstate.'));
  return [
    ...types.filter((type) => !handled.has(type)),
    ...descriptors.filter((descriptor) => !types.some((type) => isMatch(descriptor, type))),
  ];
}

/** States whose snapshot is another one after a trip through JSON. */
export function unpersistableStates<TMachine extends AnyStateMachine>(
  machine: TMachine,
  model: Model<TMachine>,
  options: ModelOptions<TMachine>,
): string[] {
  const exact = ({ value, context, status }: AnyMachineSnapshot): unknown[] => [
    value,
    context,
    status,
  ];
  return statesOf(model)
    .filter(({ status }) => status !== 'error')
    .filter((snapshot) => {
      const persisted: unknown = JSON.parse(JSON.stringify(machine.getPersistedSnapshot(snapshot)));
      const actor = createActor(machine, { snapshot: persisted as never, input: options.input });
      const restored = actor.getSnapshot() as AnyMachineSnapshot;
      return !isDeepStrictEqual(exact(restored), exact(snapshot));
    })
    .map(stateName);
}

const statesOf = <TMachine extends AnyStateMachine>(model: Model<TMachine>): AnyMachineSnapshot[] =>
  model.states as unknown as AnyMachineSnapshot[];

const nodeName = (node: AnyStateNode): string => node.path.join('.');

/** Leaves in which a snapshot can rest: an unguarded `always` leaves its state at once. */
function restingStates(node: AnyStateNode): string[] {
  const children = Object.values(node.states);
  if (children.length > 0) return children.flatMap(restingStates);
  if (node.type === 'history') return [];
  return node.always?.some(({ guard }) => guard === undefined) ? [] : [nodeName(node)];
}

function isMatch(descriptor: string, type: string): boolean {
  if (descriptor === '*') return true;
  if (!descriptor.endsWith('.*')) return descriptor === type;
  return type === descriptor.slice(0, -2) || type.startsWith(descriptor.slice(0, -1));
}

function allNodes(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(allNodes)];
}

/** Effects, actions and delays that are declared and not used. */
export function unusedNames<TMachine extends AnyStateMachine>(
  machine: TMachine,
  model: Model<TMachine>,
  options: ModelOptions<TMachine>,
): string[] {
  const used = { actors: new Set<string>(), actions: new Set<string>(), delays: new Set<string>() };
  for (const { children } of statesOf(model))
    for (const child of Object.values<AnyActorRef | undefined>(children))
      if (typeof child?.src === 'string') used.actors.add(child.src);
  // Actions under enqueueActions show only when they run; assigns show only in the definition.
  const ran: { type: string }[][] = [initialTransition(machine, options.input)[1]];
  for (const { from, event } of model.edges) ran.push(transition(machine, from, event as never)[1]);
  for (const { type } of ran.flat()) used.actions.add(type);
  for (const node of allNodes(machine.root)) {
    const transitions = [...node.transitions.values()].flat();
    const always = node.always ?? [];
    const actions = [
      ...node.entry,
      ...node.exit,
      ...[...transitions, ...always].flatMap(({ actions }) => actions),
    ];
    for (const action of actions) used.actions.add(actionName(action));
    for (const { delay } of node.after) used.delays.add(String(delay));
  }
  const declared = machine.implementations;
  return (['actors', 'actions', 'delays'] as const).flatMap((kind) =>
    Object.keys(declared[kind] ?? {})
      .filter((name) => !used[kind].has(name))
      .map((name) => `${kind}: ${name}`),
  );
}

function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  const named = action as { type?: unknown } | undefined;
  return typeof named?.type === 'string' ? named.type : '';
}

/** States that nothing leads out of, and waits that an effect's silence or failure would not end. */
export function traps<TMachine extends AnyStateMachine>(
  machine: TMachine,
  model: Model<TMachine>,
  options: MachineSuiteOptions<TMachine>,
): string[] {
  const leaving = new Set(
    model.edges.filter(({ from, to }) => keyOf(from) !== keyOf(to)).map(({ from }) => keyOf(from)),
  );
  function keyOf(snapshot: unknown): string {
    return stateKey(snapshot as AnyMachineSnapshot, options);
  }
  const found = statesOf(model).flatMap((snapshot) => {
    if (snapshot.status !== 'active') return [];
    const name = stateName(snapshot);
    const isExcused = snapshot._nodes.some((node) => options.untimed?.[nodeName(node)]);
    return [
      ...(leaving.has(keyOf(snapshot)) ? [] : [`${name}: nothing leads out`]),
      ...(isExcused || !awaitsEffect(snapshot) || hasTimer(snapshot)
        ? []
        : [`${name}: waits for an effect without an after`]),
      ...stuckFailures(machine, snapshot, options).map((type) => `${name}: stays after ${type}`),
    ];
  });
  return [...new Set(found)];
}

const hasTimer = ({ _nodes }: AnyMachineSnapshot): boolean =>
  _nodes.some(({ after }) => after.length > 0);

/** An effect with an answer is awaited; a watch has none. */
function awaitsEffect({ _nodes }: AnyMachineSnapshot): boolean {
  return _nodes.some((node) =>
    node.invoke.some(({ id }) => node.transitions.has(`xstate.done.actor.${id}`)),
  );
}

/** Failures after which the machine still stands in the same place, with no timer to end that. */
function stuckFailures<TMachine extends AnyStateMachine>(
  machine: TMachine,
  snapshot: AnyMachineSnapshot,
  options: ModelOptions<TMachine>,
): string[] {
  if (hasTimer(snapshot)) return [];
  return lifecycleEvents(snapshot, options)
    .filter(({ type }) => type.startsWith('xstate.error.actor.'))
    .filter((event) => {
      const [next] = transition(machine, snapshot as never, event as never);
      return stateKey(next as AnyMachineSnapshot, options) === stateKey(snapshot, options);
    })
    .map(({ type }) => type);
}
