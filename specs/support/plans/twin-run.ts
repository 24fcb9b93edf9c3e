/**
 * Runs the same machine twice, once in plain XState and once as a supervisor runs it, with plans and
 * in an actor that makes what it needs when it needs it. Writes down all that
 * can be seen of each: snapshots with their methods, inspection, actions, emitted events, errors.
 */
import * as fc from 'fast-check';
import { SimulatedClock, createActor, fromTransition } from 'xstate';
import type {
  AnyActorRef,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventObject,
  InspectionEvent,
} from 'xstate';
import { planned } from '../../../supervisor/plans/planned-machine.ts';
import { createLeanActor } from '../../../supervisor/xstate-actor.ts';
import { ParentPort } from '../../../supervisor/xstate-shape.ts';

/** An event to send, or milliseconds to let pass. */
export type Step = EventObject | number;

/** What was seen of one run. */
export interface Sight {
  readonly lines: readonly string[];
  /** Macrosteps that began from outside, or from a plan. */
  readonly macrosteps: number;
  /** Those of them that XState took. */
  readonly fallbacks: number;
  /** It started from a plan. */
  readonly hasStartPlan: boolean;
}

/** A machine that says more is in an endless loop. */
const LINES_MAX = 2000;

/** Where actions of machines under test write; cleared for each run. */
export const journal: string[] = [];

/** A run in plain XState. */
export const runPlainly = (machine: AnyStateMachine, steps: readonly Step[], input?: unknown) =>
  watchRun((parent) => createActor(machine, { id: 'subject', parent, input } as never), steps);

/** A run with plans. */
export function runPlanned(
  machine: AnyStateMachine,
  steps: readonly Step[],
  input?: unknown,
): Sight {
  let fallbacks = 0;
  const { transition, getInitialSnapshot } = machine;
  let hasStartPlan = true;
  machine.getInitialSnapshot = (...args) => {
    hasStartPlan = false;
    return getInitialSnapshot(...args);
  };
  machine.transition = (...args) => {
    fallbacks++;
    return transition(...args);
  };
  const logic = planned(machine) as AnyStateMachine;
  const fromPlan = logic.transition;
  let macrosteps = 0;
  logic.transition = (...args) => {
    macrosteps++;
    return fromPlan(...args);
  };
  const lines = watchRun(
    (parent) => createLeanActor(logic, { id: 'subject', parent, input, snapshot: undefined }),
    steps,
  );
  logic.transition = fromPlan;
  Object.assign(machine, { transition, getInitialSnapshot });
  return { lines, macrosteps, fallbacks, hasStartPlan };
}

const RESTLESS = 'This machine never rests.';

/** Leaves out a random machine that goes round in circles without end: there is nothing to compare. */
export function unlessRestless<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    fc.pre(!String(error).includes(RESTLESS));
    throw error;
  }
}

function watchRun(make: (parent: ParentPort) => AnyActorRef, steps: readonly Step[]): string[] {
  journal.length = 0;
  const lines = journal;
  const clock = new SimulatedClock();
  const names = new Map<string, string>();
  const nothing = fromTransition((state: undefined) => state, undefined);
  const { system } = createActor(nothing, {
    clock,
    inspect: (seen) => {
      if (lines.length > LINES_MAX) throw new Error(RESTLESS);
      lines.push(inspectionLine(seen, names));
    },
    logger: (...what: unknown[]) => lines.push(`log ${text(what)}`),
  });
  const actor = make(new ParentPort('root', 'root', system));
  actor.on('*', (event) => lines.push(`emitted ${text(event)}`));
  actor.subscribe({
    next: (snapshot: AnyMachineSnapshot) => lines.push(`next ${snapshotText(snapshot)}`),
    error: (error: unknown) => lines.push(`error ${String(error)}`),
    complete: () => lines.push('complete'),
  });
  actor.start();
  for (const step of steps) {
    const before = actor.getSnapshot() as AnyMachineSnapshot;
    if (before.status !== 'active') break;
    lines.push(`step ${JSON.stringify(step)}`);
    if (typeof step === 'number') clock.increment(step);
    else actor.send(step);
    const after = actor.getSnapshot() as AnyMachineSnapshot;
    lines.push(after === before ? 'same snapshot' : `became ${snapshotText(after)}`);
  }
  (actor as AnyActorRef & { _stop(): void })._stop();
  lines.push(`ended as ${snapshotText(actor.getSnapshot() as AnyMachineSnapshot)}`);
  return lines.slice();
}

function inspectionLine(seen: InspectionEvent, names: Map<string, string>): string {
  const who = nameOf(seen.actorRef.sessionId, names);
  if (seen.type === '@xstate.microstep') {
    const transitions = seen._transitions.map((transition) => text(transition.toJSON?.()));
    const sight = snapshotText(seen.snapshot as AnyMachineSnapshot);
    return `microstep ${who} ${text(seen.event)} ${transitions.join(' ')} ${sight}`;
  }
  if (seen.type === '@xstate.snapshot')
    return `snapshot ${who} ${text(seen.event)} ${snapshotText(seen.snapshot as AnyMachineSnapshot)}`;
  if (seen.type === '@xstate.event')
    return `event ${nameOf(seen.sourceRef?.sessionId ?? '-', names)} ${who} ${text(seen.event)}`;
  if (seen.type === '@xstate.action') return `action ${who} ${text(seen.action)}`;
  return `${seen.type} ${who}`;
}

/** All that a snapshot tells, its methods asked with every event of its machine. */
export function snapshotText(snapshot: AnyMachineSnapshot): string {
  if (!('machine' in snapshot)) return text(snapshot);
  const { machine, historyValue, children } = snapshot as AnyMachineSnapshot & {
    historyValue: Record<string, { id: string }[]>;
  };
  const events = ['a', 'b', 'c.d', 'nobody', ...machine.events];
  return text({
    keys: Object.keys(snapshot),
    nodes: snapshot._nodes.map(({ id }) => id),
    value: snapshot.value,
    tags: [...snapshot.tags],
    status: snapshot.status,
    output: snapshot.output,
    error: String(snapshot.error),
    context: snapshot.context,
    machine: machine.id,
    children: Object.keys(children),
    history: Object.entries(historyValue).map(([id, nodes]) => [id, nodes.map((node) => node.id)]),
    can: events.filter((type) => can(snapshot, type)),
    matches: snapshot._nodes.map(({ path }) => snapshot.matches(path.join('.') as never)),
    meta: snapshot.getMeta(),
    json: snapshot.toJSON(),
    persisted: machine.getPersistedSnapshot(snapshot),
  });
}

/** Guards write to the journal; asking whether an event can be taken must not be seen there. */
function can(snapshot: AnyMachineSnapshot, type: string): boolean | string {
  const { length } = journal;
  try {
    return snapshot.can({ type });
  } catch (error) {
    return String(error);
  } finally {
    journal.length = length;
  }
}

/** Session ids count on from run to run, so each gets the number of its first appearance. */
function nameOf(sessionId: string, names: Map<string, string>): string {
  let name = names.get(sessionId);
  if (name === undefined) names.set(sessionId, (name = `actor ${names.size}`));
  return name;
}

function text(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'function') return `function ${part.name}`;
    if (part instanceof Error) return String(part);
    return part;
  });
}
