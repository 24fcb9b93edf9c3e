/** Which transitions of a chart are taken: by a machine in any system, and by a step of its graph. */
import { createActor } from 'xstate';
import type {
  AnyActorScope,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventObject,
  InspectionEvent,
} from 'xstate';
import { transitionName } from './chart-transitions.ts';
import type { ChartTransition } from './chart-transitions.ts';

type Note = (transition: string) => void;

interface Inspected {
  _sendInspectionEvent(this: void, seen: InspectionEvent): void;
}

/** The scope of an actor, with an ear at what its own steps say. */
function heard(scope: AnyActorScope, note: Note): AnyActorScope {
  const inspected = scope.system as unknown as Inspected;
  const tell = (seen: InspectionEvent): void => {
    if (seen.type === '@xstate.microstep')
      for (const one of seen._transitions) note(transitionName(one as ChartTransition));
    inspected._sendInspectionEvent(seen);
  };
  const system = Object.create(scope.system, {
    _sendInspectionEvent: { value: tell },
  }) as AnyActorScope['system'];
  return { ...scope, system };
}

/** The same logic; `note` is told of each transition that an actor of it takes, `see` of its state. */
export function noting<TMachine extends AnyStateMachine>(
  logic: TMachine,
  note: Note,
  see: (snapshot: AnyMachineSnapshot) => void = () => undefined,
): TMachine {
  const seen = (snapshot: AnyMachineSnapshot): AnyMachineSnapshot => {
    see(snapshot);
    return snapshot;
  };
  const own: Pick<AnyStateMachine, 'transition' | 'getInitialSnapshot'> = {
    transition: (snapshot, event, scope) =>
      seen(logic.transition(snapshot, event, heard(scope, note))),
    getInitialSnapshot: (scope, input) => seen(logic.getInitialSnapshot(heard(scope, note), input)),
  };
  return Object.create(logic, {
    transition: { value: own.transition },
    getInitialSnapshot: { value: own.getInitialSnapshot },
  }) as TMachine;
}

/** Gives the transitions that a step of the graph takes, eventless ones included. */
export function createTakenBy<TMachine extends AnyStateMachine>(
  machine: TMachine,
  input: unknown,
): (from: AnyMachineSnapshot, event: EventObject) => readonly string[] {
  const actor = createActor(machine as AnyStateMachine, { input });
  const { _actorScope: scope } = actor as unknown as { _actorScope: AnyActorScope };
  const nothing = (): void => undefined;
  return (from, event) => {
    const taken: string[] = [];
    const inert = { ...scope, defer: nothing, emit: nothing, stopChild: nothing };
    const mute = { ...inert, actionExecutor: nothing };
    machine.transition(
      from,
      event,
      heard(mute, (name) => taken.push(name)),
    );
    return taken;
  };
}
