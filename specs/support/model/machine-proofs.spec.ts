import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import type { AnyStateMachine } from 'xstate';
import { unbound, unboundWatch } from '../../../machines/kernel/unbound.ts';
import {
  traps,
  unhandledEvents,
  unpersistableStates,
  unreachedStates,
  unusedNames,
} from './machine-proofs.ts';
import type { MachineSuiteOptions } from './machine-proofs.ts';
import { machineSuite } from '../machine.suite.ts';
import { edgePaths, exploreMachine, stateName } from './model-paths.ts';

interface DoorContext {
  readonly opened: number;
  readonly note?: unknown;
}
type DoorEvent = { type: 'open' } | { type: 'stop' } | { type: 'motor.stalled'; force: number };

const doorTypes = {} as { input: object; context: DoorContext; events: DoorEvent };
const door = setup({
  types: doorTypes,
  actors: {
    turnMotor: unbound<{ turns: number }>('turnMotor'),
    watchMotor: unboundWatch<DoorEvent, undefined>('watchMotor'),
  },
  actions: { ring: () => {} },
  guards: { isFirst: ({ context }) => context.opened === 0 },
  delays: { turnTimeout: 1000 },
});
type DoorConfig = Parameters<typeof door.createMachine>[0];

const sound: DoorConfig = {
  id: 'door',
  context: { opened: 0 },
  initial: 'shut',
  on: { stop: '.gone' },
  states: {
    shut: { on: { open: { target: 'turning', guard: 'isFirst', actions: 'ring' } } },
    turning: {
      invoke: [
        { src: 'turnMotor', onDone: 'open', onError: 'shut' },
        { src: 'watchMotor', input: undefined, onError: 'shut' },
      ],
      on: { 'motor.*': 'shut' },
      after: { turnTimeout: 'shut' },
    },
    open: {},
    gone: { type: 'final' },
  },
};
const options = {
  input: {},
  samples: [{ type: 'open' }, { type: 'stop' }, { type: 'motor.stalled', force: 3 }],
} as const;

/** The sound door with other states, and what a proof finds in it. */
function findingsOf(
  proof: typeof unreachedStates,
  states: Record<string, unknown>,
  changes: Partial<MachineSuiteOptions<AnyStateMachine>> & { context?: DoorContext } = {},
): string[] {
  const { context = { opened: 0 }, ...other } = changes;
  const config = { ...sound, context, states: { ...sound.states, ...states } };
  const machine = door.createMachine(config as DoorConfig) as unknown as AnyStateMachine;
  const all = { ...options, ...other } as MachineSuiteOptions<AnyStateMachine>;
  return proof(machine, exploreMachine(machine, all), all);
}

machineSuite(door.createMachine(sound), options);

describe('the proofs of any machine', () => {
  it('find a state that nothing reaches, and an excuse that no longer holds', () => {
    expect(findingsOf(unreachedStates, { lost: {} })).toEqual(['lost']);
    expect(findingsOf(unreachedStates, { lost: {} }, { unreachable: { lost: 'Why.' } })).toEqual(
      [],
    );
    expect(findingsOf(unreachedStates, {}, { unreachable: { open: 'Why.' } })).toEqual(['open']);
  });

  it('find a sample that nobody handles, and an event without a sample', () => {
    const samples = [...options.samples, { type: 'knock' }];
    expect(findingsOf(unhandledEvents, {}, { samples })).toEqual(['knock']);
    expect(findingsOf(unhandledEvents, { open: { on: { close: 'shut' } } })).toEqual(['close']);
  });

  it('find effects, actions and delays that nothing uses', () => {
    expect(findingsOf(unusedNames, { turning: { on: { 'motor.*': 'open' } } })).toEqual([
      'actors: turnMotor',
      'actors: watchMotor',
      'delays: turnTimeout',
    ]);
    expect(findingsOf(unusedNames, { shut: { on: { open: 'turning' } } })).toEqual([
      'actions: ring',
    ]);
  });

  it('find context that JSON changes', () => {
    const context = { opened: 0, note: new Date(0) };
    expect(findingsOf(unpersistableStates, {}, { context })).toContain('shut');
  });

  it('find a state that nothing leads out of', () => {
    const config = { ...sound, on: {} } as DoorConfig;
    const machine = door.createMachine(config);
    const all = { ...options, samples: [{ type: 'open' }] } as const;
    expect(traps(machine, exploreMachine(machine, all), all)).toEqual(['open: nothing leads out']);
  });

  it('find a wait without an after, unless it is excused, and a failure that changes nothing', () => {
    const invoke = { src: 'turnMotor', onDone: 'open', onError: { actions: 'ring' } };
    const found = [
      'turning: waits for an effect without an after',
      'turning: stays after xstate.error.actor.0.door.turning',
    ];
    expect(findingsOf(traps, { turning: { invoke } })).toEqual(found);
    const untimed = { turning: 'A person turns it.' };
    expect(findingsOf(traps, { turning: { invoke } }, { untimed })).toEqual(found.slice(1));
  });
});

describe('edgePaths', () => {
  it('walks every transition once, each by the shortest way', () => {
    const paths = edgePaths(door.createMachine(sound), options);
    expect(paths.map(({ name, prefix }) => [name, prefix.map(({ type }) => type)])).toEqual([
      ['shut: open → turning', []],
      ['shut: stop → gone', []],
      ['turning: stop → gone', ['open']],
      ['turning: motor.stalled → shut', ['open']],
      ['turning: done.actor.0.door.turning → open', ['open']],
      ['turning: error.actor.0.door.turning → shut', ['open']],
      ['turning: error.actor.1.door.turning → shut', ['open']],
      ['turning: after.turnTimeout.door.turning → shut', ['open']],
      ['open: stop → gone', ['open', 'xstate.done.actor.0.door.turning']],
    ]);
    expect(paths.map(({ to }) => stateName(to))).toContain('gone');
  });

  it('refuses a graph without an end', () => {
    const types = {} as { context: { count: number }; events: { type: 'tick' } };
    const counting = setup({
      types,
      actions: { count: assign({ count: ({ context }) => context.count + 1 }) },
    }).createMachine({ id: 'counting', context: { count: 0 }, on: { tick: { actions: 'count' } } });
    const endless = { input: undefined, samples: [{ type: 'tick' }], statesMax: 50 } as const;
    expect(() => edgePaths(counting, endless)).toThrow(
      'counting has over 50 states: give a coarser serialize.',
    );
    const parity = ({ count }: { count: number }): number => count % 2;
    expect(edgePaths(counting, { ...endless, serialize: parity })).toHaveLength(2);
  });
});
