import { describe, expect, it } from 'vitest';
import type { ChildSpec, SupervisorSpec } from '../../supervisor/index.ts';
import { SupervisedWorld, child, isUp } from '../support/supervised.ts';

const abc = (spec: Partial<ChildSpec> = {}) => ['a', 'b', 'c'].map((id) => child(id, spec));
const flags = (strategy: NonNullable<SupervisorSpec['strategy']>) => ({ strategy, intensity: 3 });

describe('strategy', () => {
  it.each([
    ['one_for_one', ['a:1', 'b:2', 'c:1']],
    ['rest_for_one', ['a:1', 'b:2', 'c:2']],
    ['one_for_all', ['a:2', 'b:2', 'c:2']],
  ] as const)('%s restarts %s when b crashes', async (strategy, expected) => {
    await using world = await SupervisedWorld.up(abc(), flags(strategy));
    await world.crash('b');
    expect(world.children()).toEqual(expected);
  });

  it.each([
    [
      'rest_for_one',
      ['crash b', 'shutdown d', 'shutdown c', 'restart b', 'restart c', 'restart d'],
    ],
    [
      'one_for_all',
      [
        'crash b',
        'shutdown d',
        'shutdown c',
        'shutdown a',
        'restart a',
        'restart b',
        'restart c',
        'restart d',
      ],
    ],
  ] as const)('%s stops in reverse order and starts in order', async (strategy, expected) => {
    await using world = await SupervisedWorld.up([...abc(), child('d')], flags(strategy));
    await world.crash('b');
    expect(world.told()).toEqual(expected);
  });

  it.each(['one_for_all', 'rest_for_one'] as const)(
    '%s counts the restart of a group once, whatever its size',
    async (strategy) => {
      await using world = await SupervisedWorld.up(abc(), { strategy, intensity: 1 });
      await world.crash('a');
      expect(world.children()).toEqual(['a:2', 'b:2', 'c:2']);
      await world.crash('a');
      expect(await world.end()).toMatchObject({ type: 'shutdown' });
    },
  );

  it('one_for_all starts a terminated child with the others', async () => {
    await using world = await SupervisedWorld.up(abc(), flags('one_for_all'));
    await world.tree.terminateChild('root', 'c');
    await world.crash('a');
    expect(world.children()).toEqual(['a:2', 'b:2', 'c:2']);
  });

  it.each(['one_for_all', 'rest_for_one'] as const)(
    '%s forgets temporary siblings and does not restart them',
    async (strategy) => {
      const children = [child('a'), child('t', { restart: 'temporary' }), child('c')];
      await using world = await SupervisedWorld.up(children, flags(strategy));
      await world.crash('a');
      expect(world.children()).toEqual(['a:2', 'c:2']);
    },
  );

  it('does not restart a group for a temporary child', async () => {
    const children = [child('a'), child('t', { restart: 'temporary' }), child('c')];
    await using world = await SupervisedWorld.up(children, flags('one_for_all'));
    await world.crash('t');
    expect(world.children()).toEqual(['a:1', 'c:1']);
  });
});

describe('a sibling that dies during a restart', () => {
  it('is neither lost nor restarted twice when both crash at once', async () => {
    await using world = await SupervisedWorld.up(abc(), flags('one_for_all'));
    await world.crash('a', 'c');
    expect(world.children()).toEqual(['a:2', 'b:2', 'c:2']);
    expect(world.told('crash', 'shutdown_error')).toEqual(['crash a', 'shutdown_error c']);
  });

  it('is restarted afterwards when it stood outside of the group', async () => {
    const slow = child('c', { ready: isUp, input: { onStart: () => 'wait' } });
    await using world = new SupervisedWorld([child('a'), child('b'), slow], flags('rest_for_one'));
    const { started } = await world.begin();
    await world.tell('c', 'ready');
    await started;
    await world.crash('b');
    expect(world.children()).toEqual(['a:1', 'b:2', 'c:starting']);
    await world.crash('a');
    expect(world.children()).toEqual(['a:restarting', 'b:2', 'c:starting']);
    await world.tell('c', 'ready');
    await world.tell('c', 'ready');
    expect(world.children()).toEqual(['a:2', 'b:3', 'c:3']);
  });

  it('that had been restarted already in the same group starts another restart', async () => {
    const slow = child('b', { ready: isUp, input: { onStart: () => 'wait' } });
    await using world = new SupervisedWorld([child('a'), slow], flags('one_for_all'));
    const { started } = await world.begin();
    await world.tell('b', 'ready');
    await started;
    await world.crash('a');
    expect(world.children()).toEqual(['a:2', 'b:starting']);
    await world.crash('a');
    await world.tell('b', 'ready');
    expect(world.children()).toEqual(['a:3', 'b:starting']);
    await world.tell('b', 'ready');
    expect(world.children()).toEqual(['a:3', 'b:3']);
  });
});

describe('a sibling that fails to start in a group', () => {
  const failing = (times: number) => {
    let left = 0;
    const spec = child('b', { input: { onStart: () => (left-- > 0 ? 'throw' : 'up') } });
    return { spec, arm: () => (left = times) };
  };

  it('makes one_for_all stop those that did start, and try again', async () => {
    const { spec, arm } = failing(1);
    await using world = await SupervisedWorld.up([child('a'), spec, child('c')], {
      ...flags('one_for_all'),
    });
    arm();
    await world.crash('c');
    expect(world.children()).toEqual(['a:3', 'b:3', 'c:2']);
    expect(world.told('shutdown')).toEqual(['shutdown b', 'shutdown a', 'shutdown a']);
  });

  it('is tried again alone by rest_for_one, the earlier ones stay', async () => {
    const { spec, arm } = failing(1);
    await using world = await SupervisedWorld.up([child('a'), spec, child('c')], {
      ...flags('rest_for_one'),
    });
    arm();
    await world.crash('a');
    expect(world.children()).toEqual(['a:2', 'b:3', 'c:2']);
  });

  it('counts each try, and escalates', async () => {
    const { spec, arm } = failing(Infinity);
    await using world = await SupervisedWorld.up([child('a'), spec], flags('one_for_all'));
    arm();
    await world.crash('a');
    expect(await world.end()).toMatchObject({
      type: 'shutdown',
      cause: { code: 'MESH_ERR_SUPERVISOR_INTENSITY_REACHED' },
    });
    expect(world.told('start_error')).toHaveLength(3);
  });
});
