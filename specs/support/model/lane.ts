/** Walks a bound machine along a path of its model, and compares the two after each step. */
import { createActor } from 'xstate';
import type {
  AnyActorRef,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventObject,
  InspectionEvent,
} from 'xstate';
import { stateText } from '../../../supervisor/describe.ts';
import { inputOf } from './model-paths.ts';
import type { EdgePath } from './model-paths.ts';
import { VirtualClock, settle } from '../virtual-clock.ts';
import { transitionName } from './chart-transitions.ts';
import type { ChartTransition } from './chart-transitions.ts';
import { Gates } from './gates.ts';

/** A machine with its real bindings, on fake ports. */
export interface Bound {
  readonly logic: AnyStateMachine;
  /** Makes the world as it was, for the next walk. */
  readonly reset?: () => void;
  /** How the world settles an effect; default: the gate of the effect's name. */
  readonly effects?: {
    readonly [effect: string]: {
      readonly done?: (output: never) => void;
      readonly fail?: (error: unknown) => void;
    };
  };
  /** How the world brings a fact about that a binding reports; what is not named is sent. */
  readonly facts?: { readonly [type: string]: (event: never) => void | Promise<void> };
}

/** The walking actor, as the world sees it. */
export interface Walker {
  send(event: EventObject): void;
  snapshot(): AnyMachineSnapshot;
}

/** Makes a world for walks that come one after the other: `gates` and `walker` are the present one's. */
export type Bind = (gates: Gates, walker: Walker) => Bound;

export interface WalkOptions<Context> {
  readonly bind: Bind;
  /** What both must agree on; default the whole context. A binding makes times of its own. */
  readonly essence?: (context: Context) => unknown;
  /** States in which the actor ends with an error, and its message. `crash` effects are known. */
  readonly crashes?: { readonly [state: string]: (context: Context) => string };
}

/** Real promises have a few turns between them, and one turn of the event loop holds them all. */
const TURNS = 1;

/** One world, in which a machine is bound once and walks again and again. */
export class Lane<Context> {
  readonly #options: WalkOptions<Context>;
  readonly #gates = new Gates();
  readonly #bound: Bound;
  #actor: AnyActorRef | undefined;
  /** Transitions of the chart that the real actor took. */
  readonly taken = new Set<string>();

  constructor(options: WalkOptions<Context>) {
    this.#options = options;
    this.#bound = options.bind(this.#gates, {
      send: (event) => this.#actor?.send(event),
      snapshot: () => this.#actor?.getSnapshot() as AnyMachineSnapshot,
    });
  }

  /** Walks the path; gives the first disagreement of the actor and its model. */
  async walk<TMachine extends AnyStateMachine>(
    path: EdgePath<TMachine>,
    input: unknown,
  ): Promise<string | undefined> {
    const clock = new VirtualClock();
    this.#gates.clear();
    this.#bound.reset?.();
    const inspect = (seen: InspectionEvent): void => note(this.taken, seen);
    const actor: AnyActorRef = createActor(this.#bound.logic, { clock, input, inspect });
    this.#actor = actor;
    actor.subscribe({ error: () => undefined });
    actor.start();
    await settle(TURNS);
    const found = await this.#follow(path, actor, clock);
    if (actor.getSnapshot().status === 'active') actor.stop();
    return found;
  }

  async #follow<TMachine extends AnyStateMachine>(
    path: EdgePath<TMachine>,
    actor: AnyActorRef,
    clock: VirtualClock,
  ): Promise<string | undefined> {
    const expected = [...path.via, path.to] as readonly AnyMachineSnapshot[];
    for (const [at, event] of [...path.prefix, path.event].entries()) {
      const where = `${path.name}, step ${at + 1} (${event.type})`;
      try {
        await apply(actor, event, { clock, gates: this.#gates, bound: this.#bound });
      } catch (error) {
        return `${where}: ${String(error)}`;
      }
      const model = expected[at] && modelText(expected[at], this.#options);
      const real = realText(actor, this.#options);
      if (real !== model) return `${where}: ${real} is not ${model}`;
      const before = ([path.initial, ...path.via] as readonly AnyMachineSnapshot[])[at];
      // An action that throws ends the actor before it could say which transition it is in.
      if (before && actor.getSnapshot().status === 'error') this.#noteSelected(before, event);
    }
    return undefined;
  }
  #noteSelected(before: AnyMachineSnapshot, event: EventObject): void {
    const { machine } = before as unknown as { machine: AnyStateMachine };
    for (const one of machine.getTransitionData(before, event) ?? [])
      this.taken.add(transitionName(one as ChartTransition));
  }
}

/** Of the walking actor, which is its system's root; not of children that are machines, too. */
function note(taken: Set<string>, seen: InspectionEvent): void {
  if (seen.type !== '@xstate.microstep' || seen.actorRef.sessionId !== seen.rootId) return;
  for (const one of seen._transitions) taken.add(transitionName(one as ChartTransition));
}

function textOf<Context>(
  { value, context }: AnyMachineSnapshot,
  { essence }: WalkOptions<Context>,
): string {
  return `${stateText(value)} ${JSON.stringify(essence?.(context as Context) ?? context)}`;
}

const crashText = (message: string): string => `crashed: ${message}`;

const modelTexts = new WeakMap<AnyMachineSnapshot, string>();

/** Many paths lead over the same states of the model. */
function modelText<Context>(snapshot: AnyMachineSnapshot, options: WalkOptions<Context>): string {
  const known = modelTexts.get(snapshot);
  if (known !== undefined) return known;
  const text = freshModelText(snapshot, options);
  modelTexts.set(snapshot, text);
  return text;
}

function freshModelText<Context>(
  snapshot: AnyMachineSnapshot,
  options: WalkOptions<Context>,
): string {
  if (snapshot.status === 'error') return crashText((snapshot.error as Error).message);
  const crash = inputOf(snapshot, 'crash') as { message: string } | undefined;
  if (crash && snapshot.status === 'active') return crashText(crash.message);
  const message = options.crashes?.[stateText(snapshot.value)];
  if (message) return crashText(message(snapshot.context as Context));
  return textOf(snapshot, options);
}

function realText<Context>(actor: AnyActorRef, options: WalkOptions<Context>): string {
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  return snapshot.status === 'error'
    ? crashText((snapshot.error as Error).message)
    : textOf(snapshot, options);
}

interface World {
  readonly clock: VirtualClock;
  readonly gates: Gates;
  readonly bound: Bound;
}

async function apply(
  actor: AnyActorRef,
  event: EventObject & { output?: unknown; error?: unknown },
  { clock, gates, bound }: World,
): Promise<void> {
  const { type } = event;
  const ended = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type);
  if (ended) {
    const effect = effectOf(actor.getSnapshot() as AnyMachineSnapshot, ended[2] ?? '');
    const { done, fail } = bound.effects?.[effect] ?? {};
    if (ended[1] === 'done')
      (done ?? ((output) => gates.open(effect, output)))(event.output as never);
    else (fail ?? ((error) => gates.fail(effect, error)))(event.error);
  } else if (type.startsWith('xstate.after.')) await clock.fireNext();
  else if (bound.facts?.[type]) await bound.facts[type](event as never);
  else actor.send(event);
  await settle(TURNS);
}

function effectOf(snapshot: AnyMachineSnapshot, id: string): string {
  const invoke = snapshot._nodes.flatMap((node) => node.invoke).find((one) => one.id === id);
  return typeof invoke?.src === 'string' ? invoke.src : id;
}
