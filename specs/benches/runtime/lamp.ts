/** The machine that all contenders run: three states, an assignment per event, a crash on request. */
import { assign, setup } from 'xstate';
import { typesOf } from '../../support/supervised.ts';

/** Its events; `ask` is answered by a call. */
export type LampEvent = { type: 'next' } | { type: 'crash' } | { type: 'ask'; answer: () => void };

export const lampMachine = setup({
  types: typesOf<{ context: { turns: number }; events: LampEvent }>(),
  actions: {
    countTurn: assign({ turns: ({ context }) => context.turns + 1 }),
    answer: ({ event }) => {
      if (event.type === 'ask') event.answer();
    },
    crash: () => {
      throw new Error('crashed on request');
    },
  },
}).createMachine({
  id: 'lamp',
  context: { turns: 0 },
  initial: 'red',
  on: { ask: { actions: 'answer' }, crash: { actions: 'crash' } },
  states: {
    red: { on: { next: { target: 'green', actions: 'countTurn' } } },
    green: { on: { next: { target: 'yellow', actions: 'countTurn' } } },
    yellow: { on: { next: { target: 'red', actions: 'countTurn' } } },
  },
});
