/**
 * The guard of a Coordinator's state: decides what a request gets, from what is in memory and what
 * the history's latest transition is. It holds no secret and no state itself, only which one there
 * is; memory is `StateCell`, which outlives it, and the history is told of by its watch. A stale
 * state is never served and ends only when a recovery swaps in a newer one.
 * Source: the Recover flow of the mesh API. Bound by `actors/coordinator/stateguard.actor.ts`.
 */
import { assign, setup } from 'xstate';
import type { Digest } from '../kernel/ids.ts';
import { unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';

/** What a request meets. */
export type GuardStatus = 'empty' | 'recovering' | 'ready' | 'stale' | 'storeUnavailable';

/** Which state is in memory; nothing of it is secret. */
export interface StateSummary {
  readonly transition: Digest;
  /** 1 for the first transition. */
  readonly generation: number;
}

/** Both sides at one moment. */
export interface GuardView {
  readonly held: StateSummary | null;
  /** The history has a latest transition. */
  readonly isStored: boolean;
  /** It is neither the held one nor one of its ancestors. */
  readonly isSuperseded: boolean;
}

export interface StateguardInput {
  /** What a predecessor served last, also one whose program was killed. */
  readonly served: StateSummary | null;
}

export interface StateguardContext extends GuardView, StateguardInput {
  /** What the history's last failure said; empty when there was none. */
  readonly failure: string;
}

export type StateguardCommand = { type: 'stop' };
export type StateguardFact =
  | { type: 'history.observed'; view: GuardView }
  | { type: 'history.failed'; message: string }
  | { type: 'state.swapped'; view: GuardView };
export type StateguardEvent = StateguardCommand | StateguardFact;

/** A history that does not answer one read in this time counts as unavailable. */
export const READ_TIMEOUT_MS = 10_000;
/** As long as the watch waits before it looks again. */
export const READ_RETRY_MS = 5_000;

export const isHeld = ({ held }: GuardView): boolean => held !== null;
export const isHeldSuperseded = (view: GuardView): boolean => isHeld(view) && view.isSuperseded;
export const isOnlyStored = (view: GuardView): boolean => !isHeld(view) && view.isStored;

export const stateguardMachine = setup({
  types: {} as {
    input: StateguardInput | undefined;
    context: StateguardContext;
    events: StateguardEvent;
  },
  actors: {
    readHistory: unbound<GuardView, Record<string, never>>('readHistory'),
    watchCell: unboundWatch<StateguardFact, Record<string, never>>('watchCell'),
  },
  guards: {
    isHeldSuperseded: (_, { view }: { view: GuardView }) => isHeldSuperseded(view),
    isHeld: (_, { view }: { view: GuardView }) => isHeld(view),
    isOnlyStored: (_, { view }: { view: GuardView }) => isOnlyStored(view),
  },
  actions: {
    publishStatus: unboundAction<{ status: GuardStatus; held: StateSummary | null }>(
      'publishStatus',
    ),
    assignView: assign(({ context }, { view }: { view: GuardView }) => ({
      ...view,
      served: isHeld(view) && !view.isSuperseded ? view.held : context.served,
      failure: '',
    })),
    assignFailure: assign((_, { message }: { message: string }) => ({ failure: message })),
  },
  delays: { READ_TIMEOUT_MS, READ_RETRY_MS },
}).createMachine({
  id: 'stateguard',
  context: ({ input }) => ({
    held: null,
    isStored: false,
    isSuperseded: false,
    served: input?.served ?? null,
    failure: '',
  }),
  invoke: { src: 'watchCell', input: {} },
  initial: 'storeUnavailable',
  on: {
    stop: '.stopped',
    'history.observed': {
      target: '.judging',
      actions: { type: 'assignView', params: ({ event: { view } }) => ({ view }) },
    },
    'state.swapped': {
      target: '.judging',
      actions: { type: 'assignView', params: ({ event: { view } }) => ({ view }) },
    },
  },
  states: {
    judging: {
      always: [
        {
          guard: { type: 'isHeldSuperseded', params: ({ context: view }) => ({ view }) },
          target: 'stale',
        },
        { guard: { type: 'isHeld', params: ({ context: view }) => ({ view }) }, target: 'ready' },
        {
          guard: { type: 'isOnlyStored', params: ({ context: view }) => ({ view }) },
          target: 'recovering',
        },
        { target: 'empty' },
      ],
    },
    storeUnavailable: {
      entry: { type: 'publishStatus', params: { status: 'storeUnavailable', held: null } },
      initial: 'reading',
      states: {
        reading: {
          invoke: {
            src: 'readHistory',
            input: {},
            onDone: {
              target: '#stateguard.judging',
              actions: { type: 'assignView', params: ({ event }) => ({ view: event.output }) },
            },
            onError: {
              target: 'waiting',
              actions: {
                type: 'assignFailure',
                params: ({ event }) => ({ message: String(event.error) }),
              },
            },
          },
          after: { READ_TIMEOUT_MS: 'waiting' },
        },
        waiting: { after: { READ_RETRY_MS: 'reading' } },
      },
    },
    empty: {
      entry: { type: 'publishStatus', params: { status: 'empty', held: null } },
      on: {
        'history.failed': {
          target: 'storeUnavailable.waiting',
          actions: { type: 'assignFailure', params: ({ event: { message } }) => ({ message }) },
        },
      },
    },
    recovering: {
      entry: { type: 'publishStatus', params: { status: 'recovering', held: null } },
      on: {
        'history.failed': {
          target: 'storeUnavailable.waiting',
          actions: { type: 'assignFailure', params: ({ event: { message } }) => ({ message }) },
        },
      },
    },
    // What is in memory is served whether the history can be read or not.
    ready: {
      entry: {
        type: 'publishStatus',
        params: ({ context: { held } }) => ({ status: 'ready', held }),
      },
    },
    stale: {
      entry: {
        type: 'publishStatus',
        params: ({ context: { held } }) => ({ status: 'stale', held }),
      },
      on: {
        // A later look at the history makes no stale state fresh: only a swap does.
        'history.observed': {},
      },
    },
    stopped: { type: 'final' },
  },
});
