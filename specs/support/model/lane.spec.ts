import { describe, expect, it } from 'vitest';
import { fromPromise, setup } from 'xstate';
import { unbound } from '../../../machines/kernel/unbound.ts';
import { typesOf } from '../supervised.ts';
import { chartTransitions } from './chart-transitions.ts';
import type { Gates } from './gates.ts';
import { Lane } from './lane.ts';
import { exploreMachine } from './model-paths.ts';

const door = setup({
  types: typesOf<{ context: object; events: { type: 'open' } }>(),
  actors: { turnMotor: unbound<void>('turnMotor') },
  delays: { turnTimeout: 1_000 },
}).createMachine({
  id: 'door',
  context: {},
  initial: 'shut',
  states: {
    shut: { on: { open: 'turning' } },
    turning: {
      invoke: { src: 'turnMotor', onDone: 'wide', onError: 'shut' },
      after: { turnTimeout: 'shut' },
    },
    wide: { type: 'final' },
  },
});
const model = { input: undefined, samples: [{ type: 'open' }] } as const;

/** What a door whose motor is bound so does differently on each path of its graph. */
async function differences(turn: (gates: Gates) => Promise<void>): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  const lane = new Lane<object>({
    bind: (gates) => ({
      logic: door.provide({ actors: { turnMotor: fromPromise(() => turn(gates)) } }),
    }),
  });
  for (const path of exploreMachine(door, model).edges)
    found.push(await lane.walk(path, undefined));
  return found;
}

describe('Lane', () => {
  it('finds nothing where a binding does as the model does', async () => {
    expect(await differences((gates) => gates.wait('turnMotor'))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('says at which step a binding goes another way, and when it does not ask at all', async () => {
    const found = await differences(() => Promise.resolve());
    expect(found[0]).toBe('shut: open → turning, step 1 (open): wide {} is not turning {}');
    expect(await differences(() => new Promise<never>(() => {}))).toContain(
      'turning: done.actor.0.door.turning → wide, step 2 (xstate.done.actor.0.door.turning): ' +
        'Error: Nobody calls turnMotor; waiting: none.',
    );
  });

  it('notes each transition of the chart that it took', async () => {
    const lane = new Lane<object>({
      bind: (gates) => ({
        logic: door.provide({
          actors: { turnMotor: fromPromise(() => gates.wait<void>('turnMotor')) },
        }),
      }),
    });
    for (const path of exploreMachine(door, model).edges) await lane.walk(path, undefined);
    expect([...lane.taken].toSorted()).toEqual(chartTransitions(door).toSorted());
    expect(chartTransitions(door)).toEqual([
      'shut: open → turning',
      'turning: turnMotor is done → wide',
      'turning: turnMotor fails → shut',
      'turning: after turnTimeout → shut',
    ]);
  });
});
