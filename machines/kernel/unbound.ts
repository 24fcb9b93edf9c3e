import { fromCallback, fromPromise } from 'xstate';
import type {
  CallbackActorLogic,
  EventObject,
  NonReducibleUnknown,
  PromiseActorLogic,
} from 'xstate';

/**
 * An effect that a machine names and an actor file binds. Running the machine without the binding
 * fails with the effect's name.
 */
export function unbound<Output, Input extends NonReducibleUnknown = NonReducibleUnknown>(
  name: string,
): PromiseActorLogic<Output, Input> {
  return fromPromise<Output, Input>(() =>
    Promise.reject(new Error(`Effect ${name} is not bound.`)),
  );
}

/** As `unbound`, for an effect that reports facts for as long as its state lasts. */
export function unboundWatch<Fact extends EventObject, Input extends NonReducibleUnknown>(
  name: string,
): CallbackActorLogic<Fact, Input> {
  return fromCallback<Fact, Input>(() => {
    throw new Error(`Effect ${name} is not bound.`);
  });
}

/** An action that a machine names and an actor file binds. */
export function unboundAction<Params extends object>(
  name: string,
): (args: unknown, params: Params) => void {
  return () => {
    throw new Error(`Action ${name} is not bound.`);
  };
}

/**
 * The effect of a state that gives up: entering it ends the actor with an error, so that its
 * supervisor decides. A state, not an action: the chart shows it, and pure transitions reach it.
 */
export const crash: PromiseActorLogic<never, { readonly message: string }> = fromPromise(
  ({ input }) => Promise.reject(new Error(input.message)),
);
