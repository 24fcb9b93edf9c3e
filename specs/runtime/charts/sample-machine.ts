import { and, assign, fromPromise, not, setup } from 'xstate';

/** One of everything that a chart can show. */
export const sampleMachine = setup({
  actors: { fetchIt: fromPromise(async () => 1) },
  guards: { isReady: () => true, isLate: () => false },
  actions: { remember: assign({}), shout: () => undefined },
  delays: { pause: 90_000, computed: () => 1 },
}).createMachine({
  id: 'sample',
  initial: 'idle',
  on: { 'log.<all>': { actions: 'shout' }, stop: '.ended' },
  states: {
    idle: {
      tags: ['quiet'],
      entry: 'remember',
      exit: ['shout'],
      on: { go: [{ guard: and(['isReady', not('isLate')]), target: 'both' }, { target: 'ended' }] },
      after: { pause: 'ended', 250: { actions: 'shout' }, computed: 'ended' },
    },
    both: {
      type: 'parallel',
      invoke: { src: 'fetchIt', onDone: 'ended', onError: { target: 'idle', reenter: true } },
      onDone: 'idle',
      states: {
        left: { initial: 'a', states: { a: { always: 'b' }, b: { type: 'final' } } },
        right: { initial: 'c', states: { c: {}, past: { type: 'history' } } },
      },
    },
    ended: { type: 'final' },
  },
});
