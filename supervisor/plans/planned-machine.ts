/**
 * XState's machines, faster: what an event does to a configuration is worked out once by XState and
 * then carried out from a plan. Guards are asked and actions run each time. Where a step is not
 * proved to be the same (final states, invokes, history, eventless transitions, actions that decide
 * what follows, XState's own events), XState itself takes it. `specs/supervisor/plans` shows that
 * snapshots, actions, emitted events and inspection are the same.
 */
import { StateMachine } from 'xstate';
import type { AnyActorLogic, EventObject, Snapshot } from 'xstate';
import { candidatesOf, isTaken, transitionsOf } from './guards.ts';
import type { Candidate } from './guards.ts';
import type {
  Callable,
  Context,
  Machine,
  MachineSnapshot,
  Scope,
  StateNode,
  Transition,
} from './machine-shape.ts';
import { Run, isPlainSequence, isXstateOwn, operationOf, snapshotAfter } from './operations.ts';
import type { Operation } from './operations.ts';
import { contextOperation, startFrom } from './start-plan.ts';
import type { StartPlan } from './start-plan.ts';
import { Skeleton } from './skeleton.ts';
import type { Trace } from './skeleton.ts';

/** Configurations of one machine that plans are kept for; in others XState takes each step. */
export const CONFIGURATIONS_MAX = 1024;
/** Event types of one configuration that plans are kept for; wildcards take any. */
export const EVENT_TYPES_MAX = 128;

/** Where a machine is, and what its events do there. */
interface Configuration {
  readonly _nodes: readonly StateNode[];
  readonly value: unknown;
  readonly tags: ReadonlySet<string>;
  /** Undefined: XState takes it. */
  readonly byType: Map<string, Choice | undefined>;
}

/** One of these is taken, or none. */
type Choice = readonly Option[];

interface Option {
  /** Undefined when there is nothing to ask. */
  readonly candidate: Candidate | undefined;
  readonly transitions: readonly Transition[];
  readonly operations: readonly Operation[];
  /** Undefined: it stays where it is. */
  readonly target: Configuration | undefined;
}

/** XState copies it to change it; frozen, because actors share it. */
const NO_CHILDREN = Object.freeze({});

/** XState's event for stopping at once. */
const STOP_TYPE = 'xstate.stop';

const plannedMachines = new WeakMap<AnyActorLogic, AnyActorLogic>();

/** The same logic with plans if it is a machine that they are possible for, else the logic itself. */
export function planned(logic: AnyActorLogic): AnyActorLogic {
  let found = plannedMachines.get(logic);
  if (!found) {
    found = isPlannable(logic) ? withPlans(logic) : logic;
    plannedMachines.set(logic, found);
    plannedMachines.set(found, found);
  }
  return found;
}

const plansOf = new WeakMap<AnyActorLogic, MachinePlans>();

/** The first snapshot of all actors of logic with plans, if there is nothing to compute or do. */
export const sharedStartOf = (logic: AnyActorLogic): Snapshot<unknown> | undefined =>
  plansOf.get(logic)?.sharedStart as Snapshot<unknown> | undefined;

/** A subclass or a patched machine may step in its own way. */
const isPlannable = (logic: AnyActorLogic): boolean =>
  Object.getPrototypeOf(logic) === StateMachine.prototype &&
  (logic as unknown as Machine).options.maxIterations === Infinity &&
  [...(logic as unknown as Machine).idMap.values()].every(
    ({ type, initial }) => type === 'history' || !initial.target?.some(isHistory),
  );

const hasEventless = ({ always }: StateNode): boolean => always !== undefined && always.length > 0;

const isHistory = ({ type }: StateNode): boolean => type === 'history';

function withPlans(logic: AnyActorLogic): AnyActorLogic {
  const plans = new MachinePlans(logic as unknown as Machine);
  const { transition, getInitialSnapshot } = plans;
  const withThem = { transition, getInitialSnapshot };
  const found = Object.assign(Object.create(logic), withThem) as AnyActorLogic;
  plansOf.set(found, plans);
  return found;
}

class MachinePlans {
  readonly #machine: Machine;
  readonly #byNodes = new WeakMap<readonly StateNode[], Configuration>();
  readonly #byKey = new Map<string, Configuration>();
  #skeleton: Skeleton | undefined;
  #start: StartPlan | 'unknown' | undefined = 'unknown';

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  readonly transition = (
    snapshot: MachineSnapshot,
    event: EventObject,
    scope: Scope,
  ): MachineSnapshot => {
    if (event.type === STOP_TYPE && this.#isPlainlyStopped(snapshot))
      return this.#seen(stoppedAt(snapshot), event, scope, []);
    const configuration = isXstateOwn(event.type) ? undefined : this.#configurationOf(snapshot);
    const choice = configuration && this.#choiceOf(configuration, snapshot, event);
    if (!choice) return this.#machine.transition(snapshot, event, scope);
    for (const option of choice)
      if (!option.candidate || isTaken(option.candidate, snapshot, event))
        return this.#take(option, snapshot, event, scope);
    return this.#seen(snapshot, event, scope, []);
  };

  readonly getInitialSnapshot = (scope: Scope, input: unknown): MachineSnapshot => {
    const plan = this.#startPlan;
    return plan ? startFrom(plan, scope, input) : this.#machine.getInitialSnapshot(scope, input);
  };

  get #startPlan(): StartPlan | undefined {
    if (this.#start === 'unknown') this.#start = this.#learnStart();
    return this.#start;
  }

  get sharedStart(): MachineSnapshot | undefined {
    const plan = this.#startPlan;
    return plan && !plan.compute && plan.operations.length === 0 ? plan.entered : undefined;
  }

  #learnStart(): StartPlan | undefined {
    this.#skeleton ??= new Skeleton(this.#machine);
    const { before, ...trace } = this.#skeleton.traceStart();
    const operations = this.#operationsIn(trace, [], 0);
    if (!operations) return undefined;
    const target = this.#configurationAt(trace.nodes ?? [], trace.value);
    if (!target) return undefined;
    const { context } = this.#machine.config;
    const isComputed = typeof context === 'function';
    const atFirst = (!isComputed && context ? context : {}) as Context;
    const base = snapshotAfter(before, atFirst, NO_CHILDREN, before);
    const entered = snapshotAfter(base, base.context, NO_CHILDREN, target);
    const compute = isComputed ? contextOperation(context as Callable) : undefined;
    return { base, compute, operations, target, entered };
  }

  /** With children, XState has something to stop. */
  #isPlainlyStopped({ machine, context, children }: MachineSnapshot): boolean {
    return machine === this.#machine && Boolean(context) && Object.keys(children).length === 0;
  }

  #take(
    { operations, target, transitions }: Option,
    before: MachineSnapshot,
    event: EventObject,
    scope: Scope,
  ): MachineSnapshot {
    let after = before;
    let raised: EventObject | undefined;
    if (operations.length > 0) {
      const run = new Run(before, event, scope);
      for (const operation of operations) run.perform(operation);
      raised = run.raised[0];
      if (target || run.context !== before.context || run.children !== before.children)
        after = snapshotAfter(before, run.context, run.children, target ?? before);
    } else if (target) after = snapshotAfter(before, before.context, before.children, target);
    this.#seen(after, event, scope, transitions);
    return raised ? this.transition(after, raised, scope) : after;
  }

  #seen(
    snapshot: MachineSnapshot,
    event: EventObject,
    scope: Scope,
    transitions: readonly Transition[],
  ): MachineSnapshot {
    scope.system._sendInspectionEvent({
      type: '@xstate.microstep',
      actorRef: scope.self,
      event,
      snapshot,
      _transitions: transitions,
    });
    return snapshot;
  }

  #configurationOf(snapshot: MachineSnapshot): Configuration | undefined {
    const { machine, status, context, _nodes, value } = snapshot;
    if (machine !== this.#machine || status !== 'active' || !context) return undefined;
    return this.#byNodes.get(_nodes) ?? this.#configurationAt(_nodes, value);
  }

  #configurationAt(_nodes: readonly StateNode[], value: unknown): Configuration | undefined {
    const key = _nodes.map(({ id }) => id).join('\n');
    let configuration = this.#byKey.get(key);
    if (configuration || this.#byKey.size >= CONFIGURATIONS_MAX) return configuration;
    const tags = new Set(_nodes.flatMap((node) => node.tags));
    configuration = { _nodes, value, tags, byType: new Map() };
    this.#byKey.set(key, configuration);
    this.#byNodes.set(_nodes, configuration);
    return configuration;
  }

  #choiceOf(
    configuration: Configuration,
    snapshot: MachineSnapshot,
    event: EventObject,
  ): Choice | undefined {
    const { byType } = configuration;
    const { type } = event;
    const known = byType.get(type);
    if (known || byType.has(type) || byType.size >= EVENT_TYPES_MAX) return known;
    const choice = this.#learn(configuration, snapshot, event);
    byType.set(type, choice);
    return choice;
  }

  #learn(
    configuration: Configuration,
    snapshot: MachineSnapshot,
    event: EventObject,
  ): Choice | undefined {
    const { _nodes } = configuration;
    if (_nodes.some(hasEventless)) return undefined;
    const alternatives = this.#alternatives(_nodes, snapshot, event);
    const choice: Option[] = [];
    for (const [candidate, transitions] of alternatives ?? []) {
      const option = this.#optionOf(candidate, transitions, snapshot);
      if (!option) return undefined;
      choice.push(option);
    }
    return alternatives && choice;
  }

  /** Which sets of transitions may be taken, best first; undefined where that is not known. */
  #alternatives(
    nodes: readonly StateNode[],
    snapshot: MachineSnapshot,
    event: EventObject,
  ): readonly [Candidate | undefined, readonly Transition[]][] | undefined {
    if (isChain(nodes))
      return candidatesOf(this.#machine, nodes, event.type)?.map((candidate) => [
        candidate.guard ? candidate : undefined,
        [candidate.transition],
      ]);
    const isGuarded = nodes.some((node) =>
      transitionsOf(node, event.type).some(({ guard }) => guard),
    );
    if (isGuarded) return undefined;
    const transitions = this.#machine.getTransitionData(snapshot, event);
    return transitions.length === 0 ? [] : [[undefined, transitions]];
  }

  #optionOf(
    candidate: Candidate | undefined,
    transitions: readonly Transition[],
    snapshot: MachineSnapshot,
  ): Option | undefined {
    if (transitions.some(({ target }) => target?.some(isHistory))) return undefined;
    this.#skeleton ??= new Skeleton(this.#machine);
    const trace = this.#skeleton.trace(snapshot, transitions);
    const operations = this.#operationsIn(trace, snapshot._nodes, 1);
    const target = operations && trace.nodes && this.#configurationAt(trace.nodes, trace.value);
    if (!operations || (trace.nodes && !target)) return undefined;
    return { candidate, transitions, operations, target };
  }

  /** Undefined if XState must take the step. */
  #operationsIn(
    { actions, hasInvokes, hasHistory, isActive, nodes }: Trace,
    nodesBefore: readonly StateNode[],
    raisesMax: 0 | 1,
  ): readonly Operation[] | undefined {
    if (hasInvokes || hasHistory || !isActive) return undefined;
    if ((nodes ?? nodesBefore).some((node) => hasEventless(node) || node.type === 'final'))
      return undefined;
    const operations: Operation[] = [];
    for (const action of actions) {
      const operation = operationOf(this.#machine, action);
      if (!operation) return undefined;
      operations.push(operation);
    }
    return isPlainSequence(this.#machine, operations, raisesMax) ? operations : undefined;
  }
}

/** Neither exit actions nor anything else runs when XState stops an actor. */
const stoppedAt = (snapshot: MachineSnapshot): MachineSnapshot => {
  const { context, children } = snapshot;
  return snapshotAfter({ ...snapshot, status: 'stopped' }, context, children, snapshot);
};

/** One atomic node and its ancestors, so at most one transition is taken at a time. */
const isChain = (nodes: readonly StateNode[]): boolean =>
  nodes.every(({ type }, at) => type === (at === nodes.length - 1 ? 'atomic' : 'compound')) &&
  nodes.every(({ path }, at) => path.length === at);
