/**
 * A machine's reachable graph, and from it one path for each transition: the shortest way to its
 * source, then the transition. Simple paths would explode (16 states made 90,677); this is linear.
 *
 * The machine runs with its effects unbound. What they would report is fed in their place, in the
 * states that wait for it: `xstate.done.actor.*`, `xstate.error.actor.*` and `xstate.after.*`.
 */
import { getAdjacencyMap, getShortestPaths } from '@xstate/graph';
import type { AdjacencyValue, Step, TraversalOptions } from '@xstate/graph';
import type {
  ActorLogic,
  AnyMachineSnapshot,
  AnyStateMachine,
  ContextFrom,
  EventFrom,
  EventObject,
  InputFrom,
  SnapshotFrom,
} from 'xstate';

export interface ModelOptions<TMachine extends AnyStateMachine> {
  readonly input: InputFrom<TMachine>;
  /** At least one sample of every event that the machine takes from outside. */
  readonly samples: readonly EventFrom<TMachine>[];
  /** Outputs by name of the effect that gives them; an effect left out gives `undefined`. */
  readonly outputs?: { readonly [effect: string]: readonly unknown[] };
  /** Errors by name of the effect that fails with them; default one plain `Error`. */
  readonly errors?: { readonly [effect: string]: readonly unknown[] };
  /**
   * The part of the context that tells two states apart. Leave out what only counts up, or the
   * graph has no end. Default: the whole context.
   */
  readonly serialize?: (context: ContextFrom<TMachine>) => unknown;
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
  /** From the initial state to `from`; then comes `event`. */
  readonly prefix: readonly EventObject[];
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
  // The map's keys are branded strings, which Object.values does not take for keys.
  const map: unknown = getAdjacencyMap(machine as AnyLogic, traversal);
  const nodes = Object.values(map as { [state: string]: Reached });
  const prefixes = new Map<string, EventObject[]>();
  for (const { state, steps } of getShortestPaths(machine as AnyLogic, traversal)) {
    const events = steps.map(({ event }) => event);
    prefixes.set(
      serializeState(state),
      events.filter(({ type }) => type !== 'xstate.init'),
    );
  }
  const names = new Map<string, number>();
  const edges = nodes.flatMap(({ state: from, transitions }) =>
    Object.values<Step<AnyMachineSnapshot, EventObject>>(transitions)
      .filter(({ event, state: to }) => isTaken(from, event, to))
      .map(({ event, state: to }) => ({
        name: unique(names, edgeName(from, event, to)),
        from: from as SnapshotFrom<TMachine>,
        event,
        to: to as SnapshotFrom<TMachine>,
        prefix: prefixes.get(serializeState(from)) ?? [],
      })),
  );
  return { states: nodes.map(({ state }) => state as SnapshotFrom<TMachine>), edges };
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
      const outputs = options.outputs?.[effect] ?? [undefined];
      const errors = options.errors?.[effect] ?? [new Error(`${effect} failed.`)];
      return [
        ...outputs.map((output) => ({ type: `xstate.done.actor.${id}`, output, actorId: id })),
        ...errors.map((error) => ({ type: `xstate.error.actor.${id}`, error, actorId: id })),
      ];
    }),
    ...node.after.map(({ eventType }) => ({ type: eventType })),
  ]);
}

/** `serving.running`, and for parallel regions `left.idle + right.busy`. */
export function stateName(snapshot: AnyMachineSnapshot): string {
  const leaves = snapshot._nodes.filter(({ type }) => type === 'atomic' || type === 'final');
  return leaves.map(({ path }) => path.join('.')).join(' + ');
}

/** The identity of a state in the graph. */
export function stateKey<TMachine extends AnyStateMachine>(
  snapshot: AnyMachineSnapshot,
  options: Pick<ModelOptions<TMachine>, 'serialize'>,
): string {
  const { status, value, context } = snapshot;
  const part = options.serialize?.(context as ContextFrom<TMachine>) ?? context;
  return JSON.stringify([status, value, part], errorsByMessage);
}

/** An unhandled event leaves the snapshot alone; an unhandled error of an effect is a crash. */
function isTaken(from: AnyMachineSnapshot, event: EventObject, to: AnyMachineSnapshot): boolean {
  return to.status === 'error' || from.can(event);
}

function edgeName(from: AnyMachineSnapshot, event: EventObject, to: AnyMachineSnapshot): string {
  const target = to.status === 'error' ? 'crash' : stateName(to);
  return `${stateName(from)}: ${event.type.replace(/^xstate\./, '')} → ${target}`;
}

function unique(names: Map<string, number>, name: string): string {
  const count = (names.get(name) ?? 0) + 1;
  names.set(name, count);
  return count === 1 ? name : `${name} (${count})`;
}

function errorsByMessage(_key: string, value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}
