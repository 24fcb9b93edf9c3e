/** The first snapshot of a machine, from a plan. */
import { assign } from 'xstate';
import type { EventObject } from 'xstate';
import type { BuiltinAction, Callable, MachineSnapshot, Scope } from './machine-shape.ts';
import { Run, snapshotAfter } from './operations.ts';
import type { Operation } from './operations.ts';

/** How a machine comes to its first snapshot. */
export interface StartPlan {
  /** Before anything was entered, with the context if it is the same for all. */
  readonly base: MachineSnapshot;
  /** Makes the context of the input. */
  readonly compute: Operation | undefined;
  readonly operations: readonly Operation[];
  readonly target: Pick<MachineSnapshot, '_nodes' | 'value' | 'tags'>;
  /** All there is to it when nothing has to be computed or done: one for all actors. */
  readonly entered: MachineSnapshot;
}

/** What XState does with a context that is a function: it assigns what that returns. */
export function contextOperation(context: Callable): Operation {
  const assignment = ({ spawn, event, self }: Record<string, unknown>): unknown =>
    context({ spawn, input: (event as { input?: unknown }).input, self });
  const implementation = assign(assignment as never) as unknown as BuiltinAction;
  return {
    kind: 'assign',
    type: implementation.type,
    implementation,
    params: undefined,
    keys: undefined,
  };
}

/** Computes and does what the plan says; what fails is in the snapshot, as in XState's. */
export function startFrom(plan: StartPlan, scope: Scope, input: unknown): MachineSnapshot {
  const { base, compute, operations, target, entered } = plan;
  if (!compute && operations.length === 0) return entered;
  const run = new Run(base, { type: 'xstate.init', input } as EventObject, scope);
  let { context, children } = base;
  try {
    if (compute) {
      run.perform(compute);
      ({ context, children } = run);
    }
    for (const operation of operations) run.perform(operation);
  } catch (error) {
    const failed = { ...base, status: 'error', error };
    return snapshotAfter(failed, context, children, base);
  }
  return snapshotAfter(base, run.context, run.children, target);
}
