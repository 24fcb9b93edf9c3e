import { describe, expect, it } from 'vitest';
import type { DownEvent, SupervisorSpec } from '../../supervisor/index.ts';
import { SupervisedWorld, child, deafMachine } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const sub: SupervisorSpec = { id: 'sub', type: 'supervisor', children: [child('x')] };

const monitored = (world: SupervisedWorld, path = 'root/a') => {
  const seen: DownEvent[] = [];
  const demonitor = world.tree.monitor(path, (event) => seen.push(event));
  return { seen, demonitor };
};

describe('monitor', () => {
  it.each([
    ['crash', 'error'],
    ['finish', 'normal'],
  ])('tells once why an incarnation that gets %s is gone: %s', async (event, type) => {
    await using world = await SupervisedWorld.up([child('a')], { intensity: 9 });
    const { seen } = monitored(world);
    await world.tell('a', event);
    expect(seen).toMatchObject([{ path: 'root/a', incarnation: 1, reason: { type } }]);
    await world.tell('a', event);
    expect(seen).toHaveLength(1);
  });

  it('tells shutdown of a child that is stopped, and killed of one that does not stop', async () => {
    await using world = await SupervisedWorld.up([
      child('a'),
      child('b', { logic: deafMachine, shutdown: 10 }),
    ]);
    const a = monitored(world);
    const b = monitored(world, 'root/b');
    const stopped = world.tree.stop();
    await world.clock.advance(10);
    await stopped;
    expect([a.seen[0]?.reason.type, b.seen[0]?.reason.type]).toEqual(['shutdown', 'killed']);
  });

  it('tells noproc of a name that is not there, and of one that is known but down', async () => {
    await using world = await SupervisedWorld.up([child('a'), sub]);
    await world.tree.terminateChild('root', 'a');
    const all = ['root/a', 'root/none', 'root/sub/none', 'elsewhere'].map((path) =>
      monitored(world, path),
    );
    expect(all.flatMap(({ seen }) => seen)).toEqual([]);
    await settle();
    expect(all.map(({ seen }) => seen.map(({ reason }) => reason.type))).toEqual(
      Array.from(all, () => ['noproc']),
    );
  });

  it('sees supervisors and the root as well', async () => {
    await using world = await SupervisedWorld.up([sub]);
    const inner = monitored(world, 'root/sub');
    const root = monitored(world, 'root');
    await world.tree.stop();
    expect([...inner.seen, ...root.seen].map(({ path, reason }) => [path, reason.type])).toEqual([
      ['root/sub', 'shutdown'],
      ['root', 'shutdown'],
    ]);
    const late = monitored(world, 'root');
    await settle();
    expect(late.seen).toMatchObject([{ reason: { type: 'noproc' } }]);
  });

  it('can be set up many times, and each tells once', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const all = Array.from({ length: 5 }, () => monitored(world));
    await world.crash('a');
    expect(all.map(({ seen }) => seen.length)).toEqual([1, 1, 1, 1, 1]);
  });

  it('tells nothing once it was given up, also not what is on its way', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    for (const path of ['root/a', 'root/none']) {
      const { seen, demonitor } = monitored(world, path);
      demonitor();
      await world.crash('a');
      expect(seen).toEqual([]);
    }
  });
});
