/** Walks a bound machine along a path of its model, and compares where both end. */
import { createActor, initialTransition, transition } from 'xstate';
import type { AnyActorRef, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { stateText } from '../../supervisor/describe.ts';
import type { Gates } from './gates.ts';
import type { EdgePath } from './model-paths.ts';
import { VirtualClock, settle } from './virtual-clock.ts';

export interface WalkOptions<TMachine extends AnyStateMachine> {
  /** The machine with its real bindings, on fake ports that are made anew for each walk. */
  readonly bind: (gates: Gates) => TMachine;
  readonly gates: Gates;
  readonly input: unknown;
  /** The port call that an effect waits in, by the effect's name; default the same name. */
  readonly gateOf?: { readonly [effect: string]: string };
}

export interface WalkEnd {
  readonly state: string;
  readonly context: unknown;
}

const effectOf = (snapshot: AnyMachineSnapshot, id: string): string => {
  const invoke = snapshot._nodes.flatMap((node) => node.invoke).find((one) => one.id === id);
  return typeof invoke?.src === 'string' ? invoke.src : id;
};

/** `crashing` in the model is an actor that ended with an error. */
const endOf = (actor: AnyActorRef): WalkEnd => {
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  const state = snapshot.status === 'error' ? 'crashing' : stateText(snapshot.value);
  return { state, context: snapshot.context };
};

/**
 * Where pure transitions along the path end; undefined where it cannot be walked. A model may take
 * two contexts for one, so that the way to a state leads to another one that only looks the same.
 */
export function expectedEnd<TMachine extends AnyStateMachine>(
  machine: TMachine,
  path: EdgePath<TMachine>,
  input: unknown,
  outputs: Outputs = {},
): WalkEnd | undefined {
  const logic = machine as AnyStateMachine;
  let snapshot: AnyMachineSnapshot = initialTransition(logic, input)[0];
  for (const event of [...path.prefix, path.event]) {
    if (snapshot.status !== 'active' || snapshot.value === 'crashing') return undefined;
    if (!isPossible(snapshot, event)) return undefined;
    snapshot = transition(logic, snapshot, answered(snapshot, event, outputs))[0];
  }
  return {
    state: snapshot.status === 'error' ? 'crashing' : stateText(snapshot.value),
    context: snapshot.context,
  };
}

/** What the binding of an effect makes of a context, where a model's fixed sample would differ. */
export type Outputs = { readonly [effect: string]: (context: never) => unknown };

function answered(snapshot: AnyMachineSnapshot, event: EventObject, outputs: Outputs): EventObject {
  const id = /^xstate\.done\.actor\.(.*)$/.exec(event.type)?.[1];
  const output = id === undefined ? undefined : outputs[effectOf(snapshot, id)];
  return output === undefined
    ? event
    : Object.assign({}, event, { output: output(snapshot.context as never) });
}

/** What effects and delays report comes only from a state that waits for it. */
function isPossible({ _nodes }: AnyMachineSnapshot, { type }: EventObject): boolean {
  const id = /^xstate\.(?:done|error)\.actor\.(.*)$/.exec(type)?.[1];
  if (id !== undefined) return _nodes.some((node) => node.invoke.some((one) => one.id === id));
  if (!type.startsWith('xstate.after.')) return true;
  return _nodes.some((node) => node.after.some(({ eventType }) => eventType === type));
}

export async function walkPath<TMachine extends AnyStateMachine>(
  path: EdgePath<TMachine>,
  options: WalkOptions<TMachine>,
): Promise<WalkEnd> {
  const clock = new VirtualClock();
  const machine = options.bind(options.gates);
  const actor = createActor(machine as AnyStateMachine, { clock, input: options.input });
  actor.subscribe({ error: () => undefined });
  actor.start();
  await settle(1);
  for (const event of [...path.prefix, path.event]) await apply(actor, event, clock, options);
  const end = endOf(actor);
  if (actor.getSnapshot().status === 'active') actor.stop();
  return end;
}

async function apply<TMachine extends AnyStateMachine>(
  actor: AnyActorRef,
  event: EventObject & { output?: unknown; error?: unknown },
  clock: VirtualClock,
  { gates, gateOf }: WalkOptions<TMachine>,
): Promise<void> {
  const { type } = event;
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  const ended = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type);
  if (ended) {
    const effect = effectOf(snapshot, ended[2] ?? '');
    const gate = gateOf?.[effect] ?? effect;
    if (ended[1] === 'done') gates.open(gate, event.output);
    else gates.fail(gate, event.error);
  } else if (type.startsWith('xstate.after.')) await clock.fireNext();
  else actor.send(event);
  await settle(1);
}
