/**
 * What a peer may forget, and what it can make up for: removes what has expired, and verifies quarantined messages
 * whose key has come, batch by batch. Decides when to look. Bound by `actors/gossip/expiry.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound } from '../kernel/unbound.ts';
import { PRUNE_INTERVAL_MS, STEP_TIMEOUT_MS } from './session-limits.ts';

export interface ExpiryContext {
  /** Rows removed since this actor began. */
  readonly pruned: number;
  /** What this actor gives up over. */
  readonly crash: string;
}

/** One batch: whether another one may follow at once. */
export interface Swept {
  readonly pruned: number;
  readonly isMore: boolean;
}

export type ExpiryEvent = { type: 'keys.added' };

export const expiryMachine = setup({
  types: {} as { context: ExpiryContext; events: ExpiryEvent },
  actors: { crash, sweepStore: unbound<Swept, Record<string, never>>('sweepStore') },
  guards: { isMore: (_, { swept }: { swept: Swept }) => swept.isMore },
  actions: {
    countPruned: assign(({ context }, { swept }: { swept: Swept }) => ({
      pruned: context.pruned + swept.pruned,
    })),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { PRUNE_INTERVAL_MS, STEP_TIMEOUT_MS },
}).createMachine({
  id: 'expiry',
  context: { pruned: 0, crash: '' },
  initial: 'sweeping',
  states: {
    sweeping: {
      invoke: {
        src: 'sweepStore',
        input: {},
        onDone: [
          {
            guard: { type: 'isMore', params: ({ event }) => ({ swept: event.output }) },
            target: 'sweeping',
            reenter: true,
            actions: { type: 'countPruned', params: ({ event }) => ({ swept: event.output }) },
          },
          {
            target: 'waiting',
            actions: { type: 'countPruned', params: ({ event }) => ({ swept: event.output }) },
          },
        ],
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: {
        STEP_TIMEOUT_MS: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: { message: 'The store did not answer in time.' },
          },
        },
      },
    },
    waiting: {
      on: { 'keys.added': 'sweeping' },
      after: { PRUNE_INTERVAL_MS: 'sweeping' },
    },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
