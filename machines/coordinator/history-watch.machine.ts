/**
 * Keeps an eye on the history's latest transition: by its watch, and by asking too, as events may be
 * lost. Decides when a watch that failed is set up again; what an observation means is the guard's
 * to say. Bound by `actors/coordinator/history-watch.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { unboundWatch } from '../kernel/unbound.ts';

export interface HistoryWatchContext {
  /** Watches that failed since the last one that told something. */
  readonly failures: number;
  /** What the last failure said. */
  readonly failure: string;
}

export type HistoryWatchCommand = { type: 'stop' };
export type HistoryWatchFact =
  | { type: 'latest.observed' }
  | { type: 'watch.failed'; message: string };
export type HistoryWatchEvent = HistoryWatchCommand | HistoryWatchFact;

/** A failed watch is set up again after this. */
export const REWATCH_MS = 5_000;
/** An event that was lost is made good within this time. */
export const POLL_MS = 5_000;
/** Failures beyond which only "many" matters. */
export const FAILURES_COUNTED_MAX = 1_000;

/** One more, up to where it stops counting. */
export const countedFailures = (failures: number): number =>
  Math.min(failures + 1, FAILURES_COUNTED_MAX);

export const historyWatchMachine = setup({
  types: {} as { context: HistoryWatchContext; events: HistoryWatchEvent },
  actors: {
    watchLatest: unboundWatch<HistoryWatchFact, Record<string, never>>('watchLatest'),
    pollLatest: unboundWatch<HistoryWatchFact, { intervalMs: number }>('pollLatest'),
  },
  actions: {
    countFailure: assign(({ context }, { message }: { message: string }) => ({
      failures: countedFailures(context.failures),
      failure: message,
    })),
    forgetFailures: assign({ failures: 0, failure: '' }),
  },
  delays: { REWATCH_MS },
}).createMachine({
  id: 'history-watch',
  context: { failures: 0, failure: '' },
  initial: 'watching',
  on: { stop: '.stopped' },
  states: {
    watching: {
      invoke: [
        { src: 'watchLatest', input: {} },
        { src: 'pollLatest', input: { intervalMs: POLL_MS } },
      ],
      on: {
        'latest.observed': { actions: 'forgetFailures' },
        'watch.failed': {
          target: 'backingOff',
          actions: { type: 'countFailure', params: ({ event: { message } }) => ({ message }) },
        },
      },
    },
    backingOff: { after: { REWATCH_MS: 'watching' } },
    stopped: { type: 'final' },
  },
});
