/**
 * Whom a peer asks, and when: looks who is due, begins their sessions, waits. Decides when to look; who is due
 * follows from the store and the query interval, which the binding measures on a clock that does not jump.
 * Bound by `actors/gossip/sync.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound } from '../kernel/unbound.ts';
import { STEP_TIMEOUT_MS, SYNC_TICK_MS } from './session-limits.ts';

/** A session to begin, or to go on with after a restart. */
export interface SyncStart {
  readonly peer: string;
  readonly completedAtMs: number | null;
  /** The one that was open when the program ended. */
  readonly open: {
    readonly sessionId: string;
    readonly startedAtMs: number;
    readonly sinceMs: number;
  } | null;
}

/** Who is due now, and in how many milliseconds the next one is. */
export interface SyncChoice {
  readonly starts: readonly SyncStart[];
  readonly waitMs: number;
}

export interface SyncContext {
  readonly starts: readonly SyncStart[];
  readonly waitMs: number;
  /** Something happened while it was looking. */
  readonly isAgain: boolean;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type SyncEvent =
  /** Look now; nobody is asked before its time. */
  { type: 'sync' } | { type: 'peers.changed' } | { type: 'session.ended'; peer: string };

/** Never longer than a tick, for clocks jump; never in a rush. */
export const syncWaitMs = (waitMs: number): number => Math.min(SYNC_TICK_MS, Math.max(1, waitMs));

export const syncMachine = setup({
  types: {} as { context: SyncContext; events: SyncEvent },
  actors: {
    crash,
    choosePeers: unbound<SyncChoice, Record<string, never>>('choosePeers'),
    startSessions: unbound<void, { starts: readonly SyncStart[] }>('startSessions'),
  },
  guards: {
    hasStarts: (_, { choice }: { choice: SyncChoice }) => choice.starts.length > 0,
    isAgain: ({ context }) => context.isAgain,
  },
  actions: {
    assignChoice: assign((_, { choice }: { choice: SyncChoice }) => ({
      starts: choice.starts,
      waitMs: syncWaitMs(choice.waitMs),
    })),
    lookAgain: assign({ isAgain: true }),
    beginLook: assign({ isAgain: false, starts: [] }),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { wait: ({ context }) => context.waitMs, STEP_TIMEOUT_MS },
}).createMachine({
  id: 'sync',
  context: { starts: [], waitMs: SYNC_TICK_MS, isAgain: false, crash: '' },
  initial: 'choosing',
  states: {
    choosing: {
      entry: 'beginLook',
      on: {
        sync: { actions: 'lookAgain' },
        'peers.changed': { actions: 'lookAgain' },
        'session.ended': { actions: 'lookAgain' },
      },
      invoke: {
        src: 'choosePeers',
        input: {},
        onDone: [
          {
            guard: { type: 'hasStarts', params: ({ event }) => ({ choice: event.output }) },
            target: 'starting',
            actions: { type: 'assignChoice', params: ({ event }) => ({ choice: event.output }) },
          },
          {
            target: 'waiting',
            actions: { type: 'assignChoice', params: ({ event }) => ({ choice: event.output }) },
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
    starting: {
      on: {
        sync: { actions: 'lookAgain' },
        'peers.changed': { actions: 'lookAgain' },
        'session.ended': { actions: 'lookAgain' },
      },
      invoke: {
        src: 'startSessions',
        input: ({ context: { starts } }) => ({ starts }),
        // Others may be due that there was no room for.
        onDone: 'choosing',
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
          actions: { type: 'assignCrash', params: { message: 'Starting did not end in time.' } },
        },
      },
    },
    waiting: {
      always: { guard: 'isAgain', target: 'choosing' },
      on: { sync: 'choosing', 'peers.changed': 'choosing', 'session.ended': 'choosing' },
      after: { wait: 'choosing' },
    },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
