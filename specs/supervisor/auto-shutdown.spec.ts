import { describe, expect, it } from 'vitest';
import type { AutoShutdown, RestartType, SupervisorSpec } from '../../supervisor/index.ts';
import { SupervisedWorld, child } from '../support/supervised.ts';

const significant = (id: string, restart: RestartType = 'transient') =>
  child(id, { restart, significant: true });

const ends = async (world: SupervisedWorld) => (await world.end())?.type;

describe('autoShutdown', () => {
  const modes: readonly AutoShutdown[] = ['never', 'any_significant', 'all_significant'];

  it.each(modes)('%s is not set off by a child that is not significant', async (autoShutdown) => {
    const children = [child('a', { restart: 'temporary' }), child('b', { restart: 'transient' })];
    await using world = await SupervisedWorld.up(children, { autoShutdown });
    await world.tell('a', 'finish');
    await world.tell('b', 'finish');
    expect(await ends(world)).toBeUndefined();
  });

  it('any_significant ends the supervisor with the first that ends', async () => {
    const children = [significant('a'), significant('b'), child('c')];
    await using world = await SupervisedWorld.up(children, { autoShutdown: 'any_significant' });
    await world.tell('b', 'finish');
    expect(await ends(world)).toBe('shutdown');
    expect(world.told()).toEqual(['exit b', 'auto_shutdown root', 'shutdown c', 'shutdown a']);
  });

  it('all_significant waits for the last', async () => {
    const children = [significant('a'), significant('b', 'temporary'), child('c')];
    await using world = await SupervisedWorld.up(children, { autoShutdown: 'all_significant' });
    await world.tell('b', 'crash');
    expect(await ends(world)).toBeUndefined();
    await world.tell('a', 'finish');
    expect(await ends(world)).toBe('shutdown');
  });

  it('is not set off by a transient child that crashes, for it comes back', async () => {
    await using world = await SupervisedWorld.up([significant('a')], {
      autoShutdown: 'any_significant',
    });
    await world.crash('a');
    expect(world.children()).toEqual(['a:2']);
  });

  it('is not set off by terminateChild', async () => {
    for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
      await using world = await SupervisedWorld.up([significant('a')], { autoShutdown });
      await world.tree.terminateChild('root', 'a');
      expect(await ends(world)).toBeUndefined();
    }
  });

  it.each(['one_for_all', 'rest_for_one'] as const)(
    'is not set off by a significant child that %s stops for a sibling',
    async (strategy) => {
      const children = [child('a'), significant('b', 'temporary')];
      const root = { strategy, autoShutdown: 'any_significant' } as const;
      await using world = await SupervisedWorld.up(children, root);
      await world.crash('a');
      expect(await ends(world)).toBeUndefined();
      expect(world.children()).toEqual(['a:2']);
    },
  );

  it('climbs as far as supervisors are significant', async () => {
    const inner: SupervisorSpec = {
      id: 'inner',
      type: 'supervisor',
      autoShutdown: 'any_significant',
      restart: 'transient',
      significant: true,
      children: [significant('x')],
    };
    const middle: SupervisorSpec = {
      id: 'middle',
      type: 'supervisor',
      autoShutdown: 'any_significant',
      restart: 'transient',
      children: [inner],
    };
    await using world = await SupervisedWorld.up([middle, child('b')]);
    await world.tell('middle/inner/x', 'finish');
    expect(world.children()).toEqual(['middle:stopped', 'b:1']);
  });
});
