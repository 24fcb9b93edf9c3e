/**
 * Sees to it that every pending deployment has its rollout, and that leases end when nobody renews
 * them. Which slots a plan gets, the fabric decides when the plan is published.
 * Bound by `actors/workload/planner.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unboundAction, unboundWatch } from '../kernel/unbound.ts';
import type { Plan } from './plan.ts';

export interface PlannerContext {
  /** What this actor gives up over. */
  readonly crash: string;
}

export type PlannerEvent =
  | { type: 'plans.changed'; plans: readonly Plan[] }
  | { type: 'sweep.failed'; message: string }
  | { type: 'stop' };

export const plannerMachine = setup({
  types: {} as { context: PlannerContext; events: PlannerEvent },
  actors: {
    crash,
    watchPlans: unboundWatch<PlannerEvent, Record<string, never>>('watchPlans'),
    sweepLeases: unboundWatch<PlannerEvent, Record<string, never>>('sweepLeases'),
  },
  actions: {
    startRollouts: unboundAction<{ plans: readonly Plan[] }>('startRollouts'),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
}).createMachine({
  id: 'planner',
  context: { crash: '' },
  initial: 'watching',
  states: {
    watching: {
      invoke: [
        { src: 'watchPlans', input: {} },
        { src: 'sweepLeases', input: {} },
      ],
      on: {
        'plans.changed': {
          actions: { type: 'startRollouts', params: ({ event }) => ({ plans: event.plans }) },
        },
        // A store that refuses is the supervisor's matter: a restart watches it anew.
        'sweep.failed': {
          target: 'crashing',
          actions: { type: 'assignCrash', params: ({ event }) => ({ message: event.message }) },
        },
        stop: 'detached',
      },
    },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
    detached: { type: 'final' },
  },
});
