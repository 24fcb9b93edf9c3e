import { describe, expect, it } from 'vitest';
import { createActor, setup } from 'xstate';
import type { StateValue } from 'xstate';
import { modelTests } from '../../../runtime/testing/index.ts';
import type { SystemUnderTest } from '../../../runtime/testing/index.ts';
import { readCoverage } from '../../../runtime/charts/coverage.ts';
import { scratch } from '../../support/scratch.ts';
import { typesOf } from '../../support/supervised.ts';

const doorMachine = setup({
  types: typesOf<{
    context: { knocks: number };
    events: { type: 'open' } | { type: 'close' } | { type: 'lock' } | { type: 'knock' };
  }>(),
}).createMachine({
  id: 'door',
  context: { knocks: 0 },
  initial: 'closed',
  on: { knock: {} },
  states: {
    closed: { on: { open: 'open', lock: 'locked' } },
    open: { on: { close: 'closed' } },
    locked: {},
  },
});

type Door = SystemUnderTest<typeof doorMachine>;

/** A door as its user would write it by hand, with the fault that is asked for. */
class HandmadeDoor implements Door {
  readonly log: string[];
  readonly #isJammed: boolean;
  #state = 'closed';

  constructor(log: string[], isJammed = false) {
    this.log = log;
    this.#isJammed = isJammed;
  }

  apply({ type }: { type: string }): void {
    this.log.push(type);
    if (type === 'open' && this.#state === 'closed') this.#state = 'open';
    if (type === 'close' && this.#state === 'open' && !this.#isJammed) this.#state = 'closed';
    if (type === 'lock' && this.#state === 'closed') this.#state = 'locked';
  }

  check({ value }: { value: StateValue }): void {
    if (value !== this.#state)
      throw new Error(`expected ${JSON.stringify(value)}, found ${this.#state}`);
  }

  dispose(): void {
    this.log.push('disposed');
  }
}

const EVENTS = [{ type: 'open' }, { type: 'close' }, { type: 'lock' }] as const;

describe('modelTests', () => {
  const log: string[] = [];
  const tests = modelTests(doorMachine, { events: EVENTS, sut: () => new HandmadeDoor(log) });

  it('has one case for each transition, by its name', () => {
    expect(tests.cases.map(({ name }) => name)).toEqual([
      'closed: open → open',
      'closed: lock → locked',
      'open: close → closed',
    ]);
  });

  it.each(tests.cases)('passes a system that does as the machine says: $name', ({ run }) => run());

  it('goes the shortest way in a fresh system, and disposes of it', async () => {
    log.length = 0;
    await tests.cases[2]?.run();
    expect(log).toEqual(['open', 'close', 'disposed']);
  });

  it('lists the transitions that no sample takes', () => {
    expect(tests.uncovered).toEqual(['door: knock']);
  });

  it('finds where a system differs, and disposes of it too', async () => {
    const jammed = modelTests(doorMachine, {
      events: EVENTS,
      sut: () => new HandmadeDoor(log, true),
    });
    log.length = 0;
    const outcomes = await Promise.allSettled(jammed.cases.map(({ run }) => run()));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await expect(jammed.cases[2]?.run()).rejects.toThrow('expected "closed", found open');
    await expect(jammed.cases[2]?.run()).rejects.toThrow(`The way there:

stateDiagram-v2
  state "closed" as s0
  state "open" as s1
  [*] --> s0
  s0 --> s1 : 1 open
  s1 --> s0 : 2 close ✗
`);
    expect(log.at(-1)).toBe('disposed');
  });

  it('writes what the tests that passed have taken', async () => {
    using dir = scratch();
    const file = dir.file('coverage/door.json');
    const { cases } = modelTests(doorMachine, {
      events: EVENTS,
      sut: () => new HandmadeDoor([], true),
      coverage: { file },
    });
    await Promise.allSettled(cases.map(({ run }) => run()));
    const { machine, transitions } = await readCoverage(file);
    expect([
      machine,
      transitions.map(({ source, event, count }) => [source, event, count]),
    ]).toEqual([
      'door',
      [
        ['', 'knock', 0],
        ['closed', 'open', 1],
        ['closed', 'lock', 1],
        ['open', 'close', 0],
      ],
    ]);
  });

  it('takes an actor of the machine itself, and input', async () => {
    const counterMachine = setup({
      types: typesOf<{
        input: { from: number };
        context: { at: number };
        events: { type: 'go' };
      }>(),
    }).createMachine({
      id: 'counter',
      context: ({ input }) => ({ at: input.from }),
      initial: 'low',
      states: {
        low: { always: { guard: ({ context }) => context.at > 1, target: 'high' } },
        high: {},
      },
      on: { go: { actions: [] } },
    });
    const { cases } = modelTests(counterMachine, {
      events: [{ type: 'go' }],
      input: { from: 2 },
      sut: () => {
        const actor = createActor(counterMachine, { input: { from: 2 } }).start();
        return {
          apply: (event) => actor.send(event),
          check: ({ value }) => expect(actor.getSnapshot().value).toBe(value),
          dispose: () => void actor.stop(),
        };
      },
    });
    expect(cases.map(({ name }) => name)).toEqual(['high: go → high']);
    await cases[0]?.run();
  });
});
