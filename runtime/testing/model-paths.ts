/**
 * A machine's reachable graph, and from it one path for each transition: the shortest way to its
 * source, then the transition. Simple paths would explode (16 states made 90,677); this is linear.
 * A way leads to the very snapshot that stands for a state, so that each path can be replayed also
 * where `serialize` takes several contexts for one: the graph package's own shortest paths cannot.
 *
 * The machine runs with its effects unbound. What they would report is fed in their place, in the
 * states that wait for it: `xstate.done.actor.*`, `xstate.error.actor.*` and `xstate.after.*`.
 */
import { getAdjacencyMap } from '@xstate/graph';
import type { AdjacencyValue, Step, TraversalOptions } from '@xstate/graph';
import type {
  ActorLogic,
  AnyActorRef,
  AnyMachineSnapshot,
  AnyStateMachine,
  ContextFrom,
  EventFrom,
  EventObject,
  InputFrom,
  SnapshotFrom,
} from 'xstate';
import { eventName, stateName } from './state-names.ts';
import { watched } from './watched.ts';
import type { ThrownStep } from './watched.ts';

export { stateName } from './state-names.ts';

export interface ModelOptions<TMachine extends AnyStateMachine> {
  readonly input: InputFrom<TMachine>;
  /** At least one sample of every event that the machine takes from outside. */
  readonly samples: readonly EventFrom<TMachine>[];
  /**
   * Outputs by name of the effect that gives them, or what makes them of the effect's input; an
   * effect left out gives `undefined`.
   */
  readonly outputs?: {
    readonly [effect: string]: readonly unknown[] | ((input: never) => readonly unknown[]);
  };
  /** Errors by name of the effect that fails with them; default one plain `Error`. */
  readonly errors?: { readonly [effect: string]: readonly unknown[] };
  /**
   * The part of the context that tells two states apart. Leave out what only counts up, or the
   * graph has no end. What an effect under way was given may matter, too. Default: the whole
   * context.
   */
  readonly serialize?: (
    context: ContextFrom<TMachine>,
    inputOf: (effect: string) => unknown,
  ) => unknown;
  /** Told of each guard or action that throws, which then counts as no transition. Default: exploring fails. */
  readonly onThrow?: (thrown: ThrownStep) => void;
  /** States beyond which exploring fails rather than goes on. Default 5,000. */
  readonly statesMax?: number;
}

/** One transition that was taken, and how to get there. */
export interface EdgePath<TMachine extends AnyStateMachine> {
  /** `running: worker.died → degraded`; made unique by payload, then by number. */
  readonly name: string;
  readonly from: SnapshotFrom<TMachine>;
  readonly event: EventObject;
  readonly to: SnapshotFrom<TMachine>;
  readonly initial: SnapshotFrom<TMachine>;
  /** From the initial state to `from`; then comes `event`. */
  readonly prefix: readonly EventObject[];
  /** Where each event of the prefix leads to. */
  readonly via: readonly SnapshotFrom<TMachine>[];
}

export interface Model<TMachine extends AnyStateMachine> {
  /** Every reached snapshot, the initial one first. */
  readonly states: readonly SnapshotFrom<TMachine>[];
  /** Every transition that is enabled in a reached state, each once. */
  readonly edges: readonly EdgePath<TMachine>[];
}

/** Machines at large, as the graph package's signatures need them. */
type AnyLogic = ActorLogic<AnyMachineSnapshot, EventObject, unknown>;
type Reached = AdjacencyValue<AnyMachineSnapshot, EventObject>;
type GraphStep = Step<AnyMachineSnapshot, EventObject>;
type Traversal = TraversalOptions<AnyMachineSnapshot, EventObject, unknown>;

/** Explores `machine` from its initial state. Throws where an action fails on a sample. */
export function exploreMachine<TMachine extends AnyStateMachine>(
  machine: TMachine,
  options: ModelOptions<TMachine>,
): Model<TMachine> {
  const serializeState = (snapshot: AnyMachineSnapshot): string => stateKey(snapshot, options);
  const seen = new Set<string>();
  const statesMax = options.statesMax ?? 5000;
  const traversal: Traversal = {
    input: options.input,
    serializeState,
    serializeEvent: (event) => JSON.stringify(event, errorsByMessage),
    events: (snapshot) => {
      seen.add(serializeState(snapshot));
      if (seen.size > statesMax)
        throw new Error(`${machine.id} has over ${statesMax} states: give a coarser serialize.`);
      return eventsIn(snapshot, options);
    },
  };
  const failed = new Failed();
  const logic = watched(machine, options.onThrow && failed.noting(options.onThrow));
  const map: unknown = getAdjacencyMap(logic as AnyLogic, traversal);
  // The map's keys are branded strings, which Object.values does not take for keys.
  const nodes = Object.values(map as { [state: string]: Reached });
  const ways = waysTo(nodes);
  const names = new Map<string, number>();
  const taken = nodes.flatMap(({ state: from, transitions }) =>
    Object.values<GraphStep>(transitions)
      .filter(({ event, state: to }) => !failed.has(from, event) && isTaken(from, event, to))
      .map(({ event, state: to }) => ({ from, event, to })),
  );
  const edges = taken.map(({ from, event, to }) => {
    const way = ways.get(from) ?? [];
    return {
      name: unique(names, edgeName(from, event, to)),
      from: from as SnapshotFrom<TMachine>,
      event,
      to: to as SnapshotFrom<TMachine>,
      initial: nodes[0]?.state as SnapshotFrom<TMachine>,
      prefix: way.map((step) => step.event),
      via: way.map((step) => step.state as SnapshotFrom<TMachine>),
    };
  });
  return { states: nodes.map(({ state }) => state as SnapshotFrom<TMachine>), edges };
}

/** Steps that threw. */
class Failed {
  readonly #steps = new Map<AnyMachineSnapshot, Set<EventObject>>();

  has(from: AnyMachineSnapshot, event: EventObject): boolean {
    return this.#steps.get(from)?.has(event) ?? false;
  }

  noting(tell: (thrown: ThrownStep) => void): (thrown: ThrownStep) => void {
    return (thrown) => {
      const events = this.#steps.get(thrown.from) ?? new Set();
      this.#steps.set(thrown.from, events.add(thrown.event));
      tell(thrown);
    };
  }
}

/** The steps that lead to each node, by its snapshot: exploring went breadth first. */
function waysTo(nodes: readonly Reached[]): Map<AnyMachineSnapshot, readonly GraphStep[]> {
  const [first, ...others] = nodes.map(({ state }) => state);
  const undiscovered = new Set(others);
  const ways = new Map<AnyMachineSnapshot, readonly GraphStep[]>();
  if (first) ways.set(first, []);
  for (const { state: from, transitions } of nodes)
    for (const step of Object.values<GraphStep>(transitions))
      if (undiscovered.delete(step.state)) ways.set(step.state, [...(ways.get(from) ?? []), step]);
  return ways;
}

/** `exploreMachine(…).edges`: every transition once, for `it.each`. */
export function edgePaths<TMachine extends AnyStateMachine>(
  machine: TMachine,
  options: ModelOptions<TMachine>,
): readonly EdgePath<TMachine>[] {
  return exploreMachine(machine, options).edges;
}

/** What can happen in a state: the samples, and what its effects and delays may report. */
export function eventsIn<TMachine extends AnyStateMachine>(
  snapshot: AnyMachineSnapshot,
  options: ModelOptions<TMachine>,
): EventObject[] {
  if (snapshot.status !== 'active') return [];
  // The effect of a state that gives up fails at once: nothing else can come before that.
  if (inputOf(snapshot, 'crash') !== undefined)
    return lifecycleEvents(snapshot, options).filter(({ type }) => type.includes('.error.'));
  return [...(options.samples as readonly EventObject[]), ...lifecycleEvents(snapshot, options)];
}

/** What the effects and delays of a state may report. */
export function lifecycleEvents<TMachine extends AnyStateMachine>(
  snapshot: AnyMachineSnapshot,
  options: Pick<ModelOptions<TMachine>, 'outputs' | 'errors'>,
): EventObject[] {
  return snapshot._nodes.flatMap((node) => [
    ...node.invoke.flatMap(({ id, src }) => {
      const effect = typeof src === 'string' ? src : id;
      const given = options.outputs?.[effect] ?? [undefined];
      const outputs =
        typeof given === 'function' ? given(inputOf(snapshot, effect) as never) : given;
      const errors = options.errors?.[effect] ?? [new Error(`${effect} failed.`)];
      return [
        ...outputs.map((output) => ({ type: `xstate.done.actor.${id}`, output, actorId: id })),
        ...errors.map((error) => ({ type: `xstate.error.actor.${id}`, error, actorId: id })),
      ];
    }),
    // A delay with several guarded transitions is one event.
    ...new Set(node.after.map(({ eventType }) => eventType)).values().map((type) => ({ type })),
  ]);
}

/** What the effect of that name was given, while it is under way. */
export function inputOf(snapshot: AnyMachineSnapshot, effect: string): unknown {
  const children = Object.values<AnyActorRef | undefined>(snapshot.children);
  const child = children.find((one) => one?.src === effect);
  return (child?.getSnapshot() as { input?: unknown } | undefined)?.input;
}

/** The identity of a state in the graph. */
export function stateKey<TMachine extends AnyStateMachine>(
  snapshot: AnyMachineSnapshot,
  options: Pick<ModelOptions<TMachine>, 'serialize'>,
): string {
  const { status, value, context } = snapshot;
  const given = (effect: string): unknown => inputOf(snapshot, effect);
  const part = options.serialize
    ? options.serialize(context as ContextFrom<TMachine>, given)
    : context;
  return JSON.stringify([status, value, part], errorsByMessage);
}

/** An unhandled event selects nothing; an unhandled error of an effect is a crash. */
function isTaken(from: AnyMachineSnapshot, event: EventObject, to: AnyMachineSnapshot): boolean {
  const { machine } = from as unknown as { machine: AnyStateMachine };
  return to.status === 'error' || (machine.getTransitionData(from, event) ?? []).length > 0;
}

function edgeName(from: AnyMachineSnapshot, event: EventObject, to: AnyMachineSnapshot): string {
  const target = to.status === 'error' ? 'crash' : stateName(to);
  return `${stateName(from)}: ${eventName(event)} → ${target}`;
}

function unique(names: Map<string, number>, name: string): string {
  const count = (names.get(name) ?? 0) + 1;
  names.set(name, count);
  return count === 1 ? name : `${name} (${count})`;
}

function errorsByMessage(_key: string, value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}
