/** Which transitions of the chart a step of the graph takes, those by `always` and raised ones included. */
import { createActor } from 'xstate';
import type {
  AnyActorScope,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventObject,
  InspectionEvent,
} from 'xstate';
import { transitionIdOf } from '../charts/transition-id.ts';

type Take = (from: AnyMachineSnapshot, event: EventObject) => readonly string[];

/** Gives the ids of the chart's transitions that a step takes; no effect runs. */
export function createTaken(machine: AnyStateMachine, input: unknown): Take {
  const actor = createActor(machine, { input });
  const { _actorScope: scope } = actor as unknown as { _actorScope: AnyActorScope };
  const nothing = (): void => undefined;
  return (from, event) => {
    const taken: string[] = [];
    const tell = (seen: InspectionEvent): void => {
      if (seen.type !== '@xstate.microstep') return;
      for (const one of seen._transitions) taken.push(transitionIdOf(one));
    };
    const system = Object.create(scope.system, { _sendInspectionEvent: { value: tell } });
    machine.transition(from, event, {
      ...scope,
      system: system as AnyActorScope['system'],
      defer: nothing,
      emit: nothing,
      stopChild: nothing,
      actionExecutor: nothing,
    });
    return taken;
  };
}
