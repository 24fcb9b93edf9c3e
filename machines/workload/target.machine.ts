/**
 * One edge target: decides when it may take traffic and when it is gone. Requests are the probe:
 * connections that fail in a row take it out for a while, longer each time (passive ejection). It
 * proxies nothing and picks nothing; the edge's routing table obeys it, and tries ejected targets
 * anyway when no other is left. Bound by `actors/workload/target.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';

export interface TargetInput {
  readonly instance: string;
  readonly app: string;
  /** How long its requests may take to end once it drains. */
  readonly drainTimeoutMs: number;
}

export interface TargetContext extends TargetInput {
  /** Times it was taken out since it last responded. */
  readonly ejections: number;
}

/** What went wrong with a connection to the target. */
export type TargetFailure = 'connect' | 'reset' | 'timeout';

export type TargetCommand = { type: 'drain' } | { type: 'remove' };
export type TargetFact =
  | { type: 'target.published' }
  | {
      type: 'connection.failed';
      kind: TargetFailure;
      /** Connections that failed since its last response, this one included. */
      failuresInRow: number;
    }
  | { type: 'connection.recovered' };
export type TargetEvent = TargetCommand | TargetFact;

/** Connections that may fail in a row before a target is taken out; one more than a lost race. */
export const FAILURES_MAX = 3;
/** A restart of a service takes about this long. */
export const EJECTION_MS_MIN = 1_000;
/** A target that is back must not wait for longer than this for traffic. */
export const EJECTION_MS_MAX = 60_000;
/** From the actor's start to the first routing table that names the target. */
export const PUBLISH_TIMEOUT_MS = 30_000;
/** The table resolves a drain at its deadline and then closes; beyond this it hangs. */
export const DRAIN_MARGIN_MS = 5_000;

export const isBeyondTolerance = (failuresInRow: number): boolean => failuresInRow >= FAILURES_MAX;

/** Doubles with each ejection: 1, 2, 4 … 60 s. */
export const ejectionMs = (ejections: number): number =>
  Math.min(EJECTION_MS_MAX, EJECTION_MS_MIN * 2 ** Math.min(16, Math.max(0, ejections - 1)));

export const targetMachine = setup({
  types: {} as { input: TargetInput; context: TargetContext; events: TargetEvent },
  actors: {
    watchConnections: unboundWatch<TargetFact, { instance: string }>('watchConnections'),
    drainRequests: unbound<
      { readonly cancelled: number },
      { instance: string; deadlineMs: number }
    >('drainRequests'),
  },
  guards: {
    isBeyondTolerance: (_, { failuresInRow }: { failuresInRow: number }) =>
      isBeyondTolerance(failuresInRow),
  },
  actions: {
    setAvailable: unboundAction<{ instance: string; available: boolean }>('setAvailable'),
    countEjection: assign({ ejections: ({ context }) => context.ejections + 1 }),
    forgetEjections: assign({ ejections: 0 }),
  },
  delays: {
    publishTimeout: PUBLISH_TIMEOUT_MS,
    ejection: ({ context }) => ejectionMs(context.ejections),
    drainTimeout: ({ context }) => context.drainTimeoutMs + DRAIN_MARGIN_MS,
  },
}).createMachine({
  id: 'target',
  context: ({ input }) => ({ ...input, ejections: 0 }),
  // No onError: it only listens, so its failure is a fault of the program.
  invoke: { src: 'watchConnections', input: ({ context: { instance } }) => ({ instance }) },
  initial: 'adding',
  on: { remove: '.removed', drain: '.draining' },
  states: {
    adding: {
      on: { 'target.published': 'healthy' },
      after: { publishTimeout: 'removed' },
    },
    healthy: {
      on: {
        'connection.failed': {
          guard: {
            type: 'isBeyondTolerance',
            params: ({ event: { failuresInRow } }) => ({ failuresInRow }),
          },
          target: 'ejected',
        },
        'connection.recovered': { actions: 'forgetEjections' },
      },
    },
    ejected: {
      entry: [
        'countEjection',
        {
          type: 'setAvailable',
          params: ({ context: { instance } }) => ({ instance, available: false }),
        },
      ],
      exit: {
        type: 'setAvailable',
        params: ({ context: { instance } }) => ({ instance, available: true }),
      },
      // Its count of failures still stands, so the first failure afterwards ejects it again.
      after: { ejection: 'healthy' },
      on: { 'connection.recovered': { target: 'healthy', actions: 'forgetEjections' } },
    },
    draining: {
      on: { drain: {} },
      invoke: {
        src: 'drainRequests',
        input: ({ context: { instance, drainTimeoutMs } }) => ({
          instance,
          deadlineMs: drainTimeoutMs,
        }),
        onDone: 'removed',
        onError: 'removed',
      },
      after: { drainTimeout: 'removed' },
    },
    removed: { type: 'final' },
  },
});
