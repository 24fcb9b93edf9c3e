import { setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import type { AutoShutdown } from '../../supervisor/index.ts';
import { SupervisedWorld, child, isUp } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const invalid = (field: string) => ({
  code: 'MESH_ERR_SUPERVISOR_SPEC_INVALID',
  details: { field },
});
const significant = (id: string) => child(id, { restart: 'transient', significant: true });
const ends = async (world: SupervisedWorld) => (await world.end())?.type;
const change = (world: SupervisedWorld, autoShutdown: AutoShutdown) =>
  world.tree.changeFlags('root', { autoShutdown });

describe('changeFlags', () => {
  it('of autoShutdown from never to any and back takes effect, and keeps the children', async () => {
    await using world = await SupervisedWorld.up([child('a', { restart: 'transient' })]);
    await expect(world.tree.changeChild('root', 'a', { significant: true })).rejects.toMatchObject(
      invalid('significant'),
    );
    expect(await change(world, 'any_significant')).toEqual({ ok: true });
    expect(await world.tree.changeChild('root', 'a', { significant: true })).toEqual({ ok: true });
    await expect(change(world, 'never')).rejects.toMatchObject(invalid('significant'));
    await world.tree.changeChild('root', 'a', { significant: false });
    expect(await change(world, 'never')).toEqual({ ok: true });
    await world.tell('a', 'finish');
    expect(await ends(world)).toBeUndefined();
    expect(world.children()).toEqual(['a:stopped']);
  });

  it('of autoShutdown from never to all takes effect with the last significant child', async () => {
    await using world = await SupervisedWorld.up([child('a', { restart: 'transient' })]);
    await change(world, 'all_significant');
    await world.tree.startChild('root', significant('b'));
    await world.tree.changeChild('root', 'a', { significant: true });
    await world.tell('a', 'finish');
    expect(await ends(world)).toBeUndefined();
    await world.tell('b', 'finish');
    expect(await ends(world)).toBe('shutdown');
  });

  it.each([
    ['any_significant', 'all_significant', undefined],
    ['all_significant', 'any_significant', 'shutdown'],
  ] as const)('of autoShutdown from %s to %s counts at once', async (from, to, expected) => {
    const children = [significant('a'), significant('b')];
    await using world = await SupervisedWorld.up(children, { autoShutdown: from });
    expect(await change(world, to)).toEqual({ ok: true });
    expect(world.children()).toEqual(['a:1', 'b:1']);
    await world.tell('a', 'finish');
    expect(await ends(world)).toBe(expected);
  });

  it('of the strategy decides the next restart', async () => {
    await using world = await SupervisedWorld.up([child('a'), child('b')], { intensity: 9 });
    await world.crash('a');
    await world.tree.changeFlags('root', { strategy: 'one_for_all' });
    expect(world.children()).toEqual(['a:2', 'b:1']);
    await world.crash('a');
    expect(world.children()).toEqual(['a:3', 'b:2']);
  });

  it('of the intensity counts the restarts that there were', async () => {
    await using world = await SupervisedWorld.up([child('a')], { intensity: 5 });
    await world.crash('a');
    await world.crash('a');
    await world.tree.changeFlags('root', { intensity: 3 });
    await world.crash('a');
    expect(await ends(world)).toBeUndefined();
    await world.tree.changeFlags('root', { intensity: 1 });
    await world.crash('a');
    expect(await ends(world)).toBe('shutdown');
  });

  it('refuses what cannot be meant, and changes nothing then', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    for (const [field, flags] of [
      ['intensity', { intensity: -1 }],
      ['periodMs', { periodMs: 0 }],
      ['strategy', { strategy: 'simple_one_for_one' }],
      ['strategy', { strategy: 'none' }],
    ] as const)
      await expect(world.tree.changeFlags('root', flags as object)).rejects.toMatchObject(
        invalid(field),
      );
    await world.crash('a');
    expect(world.children()).toEqual(['a:2']);
  });

  it('waits until a restart is through', async () => {
    let how: 'up' | 'wait' = 'up';
    const slow = child('a', { input: { onStart: () => how }, ready: isUp });
    await using world = await SupervisedWorld.up([slow], { strategy: 'one_for_all' });
    how = 'wait';
    await world.crash('a');
    let isDone = false;
    void world.tree.changeFlags('root', { strategy: 'one_for_one' }).then(() => (isDone = true));
    await settle();
    expect(isDone).toBe(false);
    await world.tell('a', 'ready');
    expect(isDone).toBe(true);
  });

  it('answers not_found where there is no supervisor', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const notFound = { ok: false, reason: 'not_found' };
    expect(await world.tree.changeFlags('root/a', {})).toEqual(notFound);
    expect(await world.tree.changeChild('root', 'none', {})).toEqual(notFound);
    expect(await world.tree.changeChild('nowhere', 'a', {})).toEqual(notFound);
    const root = world.tree.supervisor('root');
    expect(await root?.changeFlags({ maxChildren: 1 })).toEqual({ ok: true });
    expect(await root?.changeChild('a', { shutdown: 1 })).toEqual({ ok: true });
  });
});

describe('changeChild', () => {
  it('of the logic counts when the child starts next', async () => {
    const other = setup({}).createMachine({ initial: 'elsewhere', states: { elsewhere: {} } });
    await using world = await SupervisedWorld.up([child('a')]);
    await world.tree.changeChild('root', 'a', { logic: other });
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ value: 'up' });
    await world.crash('a');
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ value: 'elsewhere' });
  });

  it('of restart counts at once', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    await world.tree.changeChild('root', 'a', { restart: 'temporary' });
    await world.crash('a');
    expect(world.children()).toEqual([]);
  });

  it('of a supervisor changes when it is restarted and stopped, not what it does', async () => {
    const sub = { id: 'sub', type: 'supervisor' as const, children: [child('x')] };
    await using world = await SupervisedWorld.up([sub]);
    await expect(
      world.tree.changeChild('root', 'sub', { backoff: undefined as never }),
    ).rejects.toMatchObject(invalid('backoff'));
    await world.tree.changeChild('root', 'sub', { restart: 'temporary' });
    await world.crash('sub/x', 'sub/x', 'sub/x');
    expect(world.children()).toEqual([]);
  });

  it('of the template of simple_one_for_one counts for children that come', async () => {
    const root = { strategy: 'simple_one_for_one' } as const;
    await using world = await SupervisedWorld.up([child('job')], root);
    await world.tree.startChild('root', { id: 'old' });
    await world.tree.changeChild('root', 'job', { restart: 'temporary' });
    await world.tree.startChild('root', { id: 'new' });
    await world.crash('old', 'new');
    expect(world.children()).toEqual(['old:2']);
    await expect(world.tree.changeChild('root', 'job', { restart: 'x' as never })).rejects.toEqual(
      expect.objectContaining({ code: 'MESH_ERR_SUPERVISOR_SPEC_INVALID' }),
    );
  });

  it('lasts until its supervisor is started anew', async () => {
    const sub = { id: 'sub', type: 'supervisor' as const, intensity: 0, children: [child('x')] };
    await using world = await SupervisedWorld.up([sub], { intensity: 9 });
    await world.tree.changeChild('root/sub', 'x', { restart: 'temporary' });
    await world.crash('sub/x');
    expect(world.children('root/sub')).toEqual([]);
    await world.tree.startChild('root/sub', child('y'));
    await world.crash('sub/y');
    expect(world.children('root/sub')).toEqual(['x:2']);
  });
});
