import fc from 'fast-check';
import { assign, createMachine, emit, raise } from 'xstate';
import type { AnyStateMachine } from 'xstate';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { planned } from '../../../supervisor/plans/planned-machine.ts';
import { SupervisedWorld, child } from '../../support/supervised.ts';
import { machineOf, sketches, walks } from '../../support/plans/random-machine.ts';
import { journal, runPlainly, runPlanned, unlessRestless } from '../../support/plans/twin-run.ts';
import type { Step } from '../../support/plans/twin-run.ts';

const note =
  (what: string) =>
  ({ context }: { context: unknown }) =>
    void journal.push(`${what} ${JSON.stringify(context)}`);
const count = assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 });
const events = (types: string): Step[] => types.split(' ').map((type) => ({ type }));

/** Charts after the themes of the SCXML conformance cases; `planned` says whether plans apply. */
const CHARTS: readonly (readonly [string, boolean, object, readonly Step[]])[] = [
  [
    'leaves inner before outer states and enters outer before inner ones',
    true,
    {
      initial: 'a',
      states: {
        a: {
          exit: note('leave a'),
          initial: 'b',
          states: {
            b: {
              exit: [note('leave b'), count],
              on: { go: { target: '#d', actions: note('go') } },
            },
          },
        },
        c: {
          entry: [count, note('enter c')],
          initial: 'd',
          states: { d: { id: 'd', entry: note('enter d') } },
        },
      },
    },
    events('go go nobody'),
  ],
  [
    'tells an inner transition from one that reenters',
    true,
    {
      initial: 'a',
      states: {
        a: {
          entry: note('enter a'),
          exit: note('leave a'),
          initial: 'x',
          on: {
            inner: '.y',
            outer: { target: '.y', reenter: true },
            self: 'a',
            stay: { actions: count },
          },
          states: {
            x: { entry: note('enter x'), exit: note('leave x') },
            y: { exit: note('leave y') },
          },
        },
      },
    },
    events('inner inner outer outer self stay self'),
  ],
  [
    'lets the inner state, the exact event and the longer wildcard go first',
    true,
    {
      initial: 'a',
      on: { '*': { actions: note('any') }, 'x.*': { actions: note('outer x') } },
      states: {
        a: {
          on: {
            'x.y': {
              actions: note('exact'),
              guard: ({ context }: { context: { n: number } }) => context.n < 1,
            },
            'x.y.*': { actions: [note('longer'), count] },
            'x.*': { actions: note('shorter') },
            forbidden: undefined,
          },
        },
      },
    },
    events('x.y x.y.z x.y x x.q forbidden other'),
  ],
  [
    'steps in all regions at once, and lets the inner one win a conflict',
    true,
    {
      type: 'parallel',
      on: { all: { target: ['#p1', '#q1'] } },
      states: {
        p: {
          initial: 'p0',
          states: { p0: { on: { go: 'p1', both: '#q1' } }, p1: { id: 'p1', entry: note('p1') } },
        },
        q: {
          initial: 'q0',
          states: { q0: { on: { go: 'q1', both: '#p1' } }, q1: { id: 'q1', entry: note('q1') } },
        },
      },
    },
    events('go both all go'),
  ],
  [
    'takes a raised event within the same macrostep',
    true,
    {
      initial: 'a',
      states: {
        a: { on: { go: { target: 'b', actions: [raise({ type: 'next' }), count] } } },
        b: {
          entry: emit({ type: 'b.entered' }),
          on: { next: { target: 'c', actions: note('next') } },
        },
        c: { on: { go: 'a' } },
      },
    },
    events('go go go'),
  ],
  [
    'waits, and forgets to wait when it leaves',
    true,
    {
      initial: 'a',
      states: {
        a: { after: { 10: 'b' }, on: { go: 'c' } },
        b: { on: { go: 'a' } },
        c: { on: { go: 'a' } },
      },
    },
    [5, { type: 'go' }, 20, { type: 'go' }, 5, 5, { type: 'go' }, 9, 1],
  ],
  [
    'leaves history to XState',
    false,
    {
      initial: 'a',
      states: {
        a: {
          initial: 'x',
          states: { x: { on: { on: 'y' } }, y: {}, h: { type: 'history' } },
          on: { go: 'b' },
        },
        b: { on: { go: 'a.h' } },
      },
    },
    events('go go go go'),
  ],
  [
    'leaves final states and eventless transitions to XState',
    false,
    {
      initial: 'a',
      states: {
        a: { on: { go: 'b' } },
        b: {
          always: {
            target: 'c',
            guard: ({ context }: { context: { n: number } }) => context.n === 0,
          },
        },
        c: { on: { go: { target: 'd', actions: count } } },
        d: { type: 'final' },
      },
    },
    events('go go'),
  ],
];

const build = (config: object): AnyStateMachine =>
  createMachine({ id: 'root', context: { n: 0 }, ...config } as never) as never;

describe('planned', () => {
  // XState warns in development of events to actors that have ended.
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));

  it.each(CHARTS)('%s', (_name, hasPlans, config, steps) => {
    const expected = runPlainly(build(config), steps);
    const twin = build(config);
    runPlanned(twin, steps);
    const found = runPlanned(twin, steps);
    expect(found.lines).toEqual(expected);
    expect(found.fallbacks === 0).toBe(hasPlans);
    expect(found.hasStartPlan).toBe(true);
  });

  it('is seen to do what XState does, in random machines', () => {
    let macrosteps = 0;
    let fallbacks = 0;
    let starts = 0;
    let plannedStarts = 0;
    const isTheSame = fc.property(sketches, walks, (sketch, walk) => {
      const plain = machineOf(sketch);
      const twin = machineOf(sketch);
      if (!plain || !twin) return;
      const expected = unlessRestless(() => runPlainly(plain, walk, 1));
      expect(runPlanned(twin, walk, 1).lines).toEqual(expected);
      const found = runPlanned(twin, walk, 1);
      expect(found.lines).toEqual(expected);
      macrosteps += found.macrosteps;
      fallbacks += found.fallbacks;
      starts++;
      plannedStarts += Number(found.hasStartPlan);
    });
    fc.assert(isTheSame, { numRuns: 150 });
    // Else it would prove that XState does what XState does.

    expect(fallbacks / macrosteps).toBeLessThan(0.7);
    expect(plannedStarts / starts).toBeGreaterThan(0.3);
  });

  it('leaves alone what is no machine of XState, and what may step in its own way', () => {
    const logic = { transition: () => ({}), getInitialSnapshot: () => ({}) };
    const bounded = build({ options: { maxIterations: 9 } });
    expect(planned(logic as never)).toBe(logic);
    expect(planned(bounded)).toBe(bounded);
  });

  it('makes the plans of a machine once, and is a machine still', () => {
    const machine = build({});
    expect(planned(machine)).toBe(planned(machine));
    expect(planned(planned(machine))).toBe(planned(machine));
    expect(planned(machine)).toBeInstanceOf(machine.constructor);
  });

  it('keeps no more plans than its bounds, however many kinds of events come', () => {
    const machine = build({ on: { '*': { actions: count } } });
    const steps = Array.from({ length: 300 }, (_, at) => ({ type: `kind.${at}` }));
    expect(runPlanned(machine, steps).lines).toEqual(runPlainly(build(machine.config), steps));
    expect(runPlanned(machine, steps).fallbacks).toBe(300 - 128);
  });

  it.each([[true], [false]])('runs supervised machines, with plans: %s', async (plans) => {
    const machine = build({ on: { step: { actions: count } } });
    let taken = 0;
    const { transition } = machine;
    machine.transition = (...args) => {
      taken++;
      return transition(...args);
    };
    await using world = await SupervisedWorld.up([child('a', { logic: machine })], {}, { plans });
    for (let at = 0; at < 3; at++) world.tree.send('root/a', { type: 'step' });
    await world.clock.advance(0);
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { n: 3 } });
    expect(taken).toBe(plans ? 0 : 3);
  });
});
