/** A machine that is watched while its graph is explored: what it throws is told with the way there. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { pathMermaid } from './path-mermaid.ts';
import { eventName, stateName } from './state-names.ts';

/** A guard or an action that threw. */
export interface ThrownStep {
  readonly from: AnyMachineSnapshot;
  readonly event: EventObject;
  readonly error: unknown;
  /** The way there as a Mermaid state diagram, with this step at its end. */
  readonly mermaid: string;
}

/**
 * The same logic. A step that throws is given to `onThrow` and leaves the machine where it was; without
 * it, exploring ends with an error that has the way in its message.
 */
export function watched<TMachine extends AnyStateMachine>(
  machine: TMachine,
  onThrow: ((thrown: ThrownStep) => void) | undefined,
): TMachine {
  const before = new Map<AnyMachineSnapshot, readonly [AnyMachineSnapshot, EventObject]>();
  const failed = (from: AnyMachineSnapshot, event: EventObject, error: unknown): ThrownStep => {
    const steps = [{ event: eventName(event), to: stateName(from) }];
    let start = from;
    for (let way = before.get(start); way !== undefined; way = before.get(start)) {
      steps.unshift({ event: eventName(way[1]), to: stateName(start) });
      [start] = way;
    }
    return { from, event, error, mermaid: pathMermaid(stateName(start), steps) };
  };
  const transition: AnyStateMachine['transition'] = (from, event, scope) => {
    try {
      const to = machine.transition(from, event, scope);
      // The first way to a snapshot is the shortest: exploring goes breadth first.
      if (to !== from && !before.has(to)) before.set(to, [from, event]);
      return to;
    } catch (error) {
      const thrown = failed(from, event, error);
      if (onThrow === undefined) throw withWay(error, thrown.mermaid);
      onThrow(thrown);
      return from;
    }
  };
  return Object.create(machine, { transition: { value: transition } }) as TMachine;
}

/** The same complaint, and the way on which it came. */
export function withWay(error: unknown, mermaid: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`${message}\n\nThe way there:\n\n${mermaid}`, { cause: error });
}
