import { fromPromise } from 'xstate';
import type { AnyStateMachine, PromiseActorLogic } from 'xstate';
import type { Gates } from './gates.ts';

type Creator = Parameters<typeof fromPromise>[0];

/**
 * Lets bindings that would answer at once wait for the gate of their name; then the real binding
 * answers by itself, from the world as it is by then.
 */
export function held(
  logic: AnyStateMachine,
  gates: Gates,
  names: readonly string[],
): AnyStateMachine {
  const actors = names.map((name) => {
    const { config } = logic.implementations.actors[name] as PromiseActorLogic<unknown> & {
      readonly config: Creator;
    };
    const waiting = fromPromise(async (given) => {
      await gates.wait(name, given.signal);
      return config(given);
    });
    return [name, waiting] as const;
  });
  return logic.provide({ actors: Object.fromEntries(actors) });
}
