import { assign, createMachine, raise, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { exploreMachine, testMachine } from '../../../runtime/testing/index.ts';

/** Its counter has no end, and one of its guards reads what a bare event does not have. */
const tillMachine = setup({
  types: {} as { context: { sold: number } },
  guards: {
    isDear: ({ event }) => (event as unknown as { price: { cents: number } }).price.cents > 100,
  },
}).createMachine({
  id: 'till',
  context: { sold: 0 },
  initial: 'shut',
  states: {
    shut: { on: { open: 'ready' } },
    ready: {
      on: {
        sell: [
          { guard: 'isDear', target: 'asking' },
          { actions: assign({ sold: ({ context }) => context.sold + 1 }) },
        ],
        shut: 'shut',
      },
    },
    asking: { entry: raise({ type: 'settled' }), on: { settled: 'passing' } },
    passing: { always: 'ready' },
    broken: {},
  },
});

const model = {
  samples: [
    { type: 'open' },
    { type: 'shut' },
    { type: 'sell', price: { cents: 5 } },
    { type: 'sell', price: { cents: 500 } },
  ],
  serialize: () => null,
};

describe('testMachine', () => {
  it('counts each transition, raised ones and those without an event included', () => {
    const { steps, uncovered, failures, coverage } = testMachine(tillMachine, model);
    expect([steps, uncovered, failures]).toEqual([4, [], []]);
    expect(
      coverage.transitions.map(({ source, event, index, count }) => [source, event, index, count]),
    ).toEqual([
      ['shut', 'open', 0, 1],
      ['ready', 'sell', 0, 1],
      ['ready', 'sell', 1, 1],
      ['ready', 'shut', 0, 1],
      ['asking', 'settled', 0, 1],
      ['passing', '', 0, 1],
    ]);
  });

  it('goes on after what throws, and shows the way there', () => {
    const { failures, uncovered } = testMachine(tillMachine, { serialize: () => null });
    expect(uncovered).toEqual(['ready: sell', 'asking: settled', 'passing: always']);
    expect(failures).toMatchObject([
      {
        state: 'ready',
        event: 'sell',
        message: expect.stringContaining('isDear'),
        mermaid: expect.stringContaining('s0 --> s1 : 1 open\n  s1 --> s1 : 2 sell ✗'),
      },
    ]);
  });

  it.each([
    [
      'has no end',
      tillMachine,
      { ...model, serialize: ({ sold }: { sold: number }) => sold, statesMax: 50 },
    ],
    [
      'needs an input',
      createMachine({ context: ({ input }) => ({ at: (input as { at: number }).at }) }),
      {},
    ],
  ])('refuses a walk that %s by code', (_, machine, given) => {
    expect(() => testMachine(machine, given)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_CHART_MODEL' }) as Error,
    );
  });
});

describe('exploreMachine', () => {
  it('names the way where something throws and nobody takes it', () => {
    const options = { input: undefined, samples: [{ type: 'open' }, { type: 'sell' }] };
    expect(() => exploreMachine(tillMachine, { ...options, serialize: () => null })).toThrow(
      /isDear[^]*s1 --> s1 : 2 sell ✗/,
    );
  });
});
