/** What an observer of a tree is told, in which order, and that it can harm nobody. */
import { describe, expect, it } from 'vitest';
import { fromCallback, raise, setup } from 'xstate';
import { dynamicPath } from '../../supervisor/index.ts';
import type { InspectOptions, LogLine, TreeInspection } from '../../supervisor/index.ts';
import { SupervisedWorld, child } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

function watch(world: SupervisedWorld, options?: InspectOptions) {
  const seen: TreeInspection[] = [];
  const stop = world.tree.inspect((one) => seen.push(one), options);
  /** `type path what` of each entry after the first. */
  const told = (): string[] => seen.slice(1).map(lineOf);
  return { seen, stop, told };
}

const whatOf = (one: TreeInspection): string => {
  if (one.type === 'event.delivered') return one.event.type;
  if (one.type === 'transition.taken') return one.state;
  if (one.type === 'mail.lost') return `${one.event.type} ${one.reason}`;
  if (one.type === 'actor.stopped') return one.reason?.type ?? '';
  return 'timer' in one ? one.timer : '';
};

const lineOf = (one: TreeInspection): string =>
  [one.type, 'path' in one ? one.path.replace('root/', '') : '', whatOf(one)].join(' ').trim();

const lampMachine = setup({
  actors: { bulb: fromCallback(() => {}) },
}).createMachine({
  id: 'lamp',
  initial: 'off',
  states: {
    off: { on: { press: 'on' } },
    on: { invoke: { src: 'bulb', id: 'bulb' }, after: { 100: 'off' }, on: { press: 'off' } },
  },
});

describe('inspect', () => {
  it('begins with the tree and every actor in it, those of machines included', async () => {
    await using world = await SupervisedWorld.up([
      { id: 'lamp', logic: lampMachine },
      { id: 'sub', type: 'supervisor', children: [child('a')] },
    ]);
    await world.tell('lamp', 'press');
    const { seen } = watch(world);
    await settle();
    const [first] = seen;
    if (first?.type !== 'tree.described') throw new Error('expected the tree');
    expect(first.tree.children.map(({ path, state }) => `${path} ${state}`)).toEqual([
      'root/lamp on',
      'root/sub running',
    ]);
    expect(first.actors.map(({ path, incarnation }) => `${path} ${incarnation}`)).toEqual([
      'root/lamp 1',
      'root/lamp/bulb 1',
      'root/sub/a 1',
    ]);
    expect(first.actors[0]?.snapshot).toMatchObject({ value: 'on' });
  });

  it('tells events with their sender, transitions with their state, and timers', async () => {
    await using world = await SupervisedWorld.up([{ id: 'lamp', logic: lampMachine }]);
    const { told } = watch(world);
    await world.tell('lamp', 'press');
    await world.clock.advance(100);
    await world.tell('lamp', 'press');
    await world.tell('lamp', 'press');
    const timer = 'xstate.after.100.lamp.on';
    expect(told()).toEqual([
      'event.delivered lamp press',
      'actor.started lamp/bulb',
      `timer.set lamp ${timer}`,
      'transition.taken lamp/bulb active',
      'transition.taken lamp on',
      `timer.fired lamp ${timer}`,
      `event.delivered lamp ${timer}`,
      'transition.taken lamp/bulb stopped',
      'actor.stopped lamp/bulb',
      'transition.taken lamp off',
      'event.delivered lamp press',
      'actor.started lamp/bulb',
      `timer.set lamp ${timer}`,
      'transition.taken lamp/bulb active',
      'transition.taken lamp on',
      'event.delivered lamp press',
      `timer.cancelled lamp ${timer}`,
      'transition.taken lamp/bulb stopped',
      'actor.stopped lamp/bulb',
      'transition.taken lamp off',
    ]);
  });

  it.each([true, false])('tells which transitions were taken, with plans: %s', async (plans) => {
    const walkerMachine = setup({ guards: { never: () => false } }).createMachine({
      id: 'walker',
      initial: 'resting',
      states: {
        resting: {
          on: {
            go: [
              { guard: 'never', target: 'lost' },
              { target: 'leaving', actions: raise({ type: 'out' }) },
            ],
            fly: { guard: 'never', target: 'lost' },
          },
        },
        leaving: { on: { out: 'passing', '*': 'lost' } },
        passing: { always: 'away' },
        away: { on: { 'call.*': {} } },
        lost: {},
      },
    });
    await using world = await SupervisedWorld.up(
      [{ id: 'walker', logic: walkerMachine }],
      {},
      { plans },
    );
    const { seen } = watch(world);
    for (const type of ['fly', 'go', 'call.home', 'sing']) await world.tell('walker', type);
    const taken = seen.flatMap((one) =>
      one.type === 'transition.taken'
        ? [one.transitions?.map(({ source, eventType }) => `${source.path.join('.')} ${eventType}`)]
        : [],
    );
    expect(taken).toEqual([[], ['resting go', 'leaving out', 'passing '], ['away call.*'], []]);
  });

  it('tells of which effect a machine made an actor', async () => {
    await using world = await SupervisedWorld.up([{ id: 'lamp', logic: lampMachine }]);
    const early = watch(world);
    await world.tell('lamp', 'press');
    const late = watch(world);
    await settle();
    expect(early.seen.find(({ type }) => type === 'actor.started')).toMatchObject({ src: 'bulb' });
    const [first] = late.seen;
    expect(first?.type === 'tree.described' && first.actors.map(({ src }) => src)).toEqual([
      undefined,
      'bulb',
    ]);
  });

  it('tells starts, ends with their reason, restarts and lost mail', async () => {
    const sub = { id: 'sub', type: 'supervisor', children: [child('b')] } as const;
    await using world = await SupervisedWorld.up([child('a'), sub]);
    const { told, seen } = watch(world);
    await world.crash('a');
    world.tree.send(dynamicPath('root/nobody'), { type: 'count' });
    await world.tree.terminateChild('root', 'sub');
    await settle();
    expect(told().filter((line) => !/^(event|transition)/.test(line))).toEqual([
      'actor.stopped a error',
      'actor.restarted a',
      'mail.lost nobody count not_found',
      'actor.stopped sub/b shutdown',
      'actor.stopped sub shutdown',
    ]);
    expect(seen.find(({ type }) => type === 'actor.restarted')).toMatchObject({ incarnation: 2 });
  });

  it('tells the path of a sender', async () => {
    const parentMachine = setup({
      actors: {
        voice: fromCallback(({ sendBack, receive }) => receive(() => sendBack({ type: 'said' }))),
      },
    }).createMachine({
      id: 'parent',
      invoke: { src: 'voice', id: 'voice' },
      on: {
        speak: { actions: ({ self }) => self.getSnapshot().children['voice']?.send({ type: 'x' }) },
      },
    });
    await using world = await SupervisedWorld.up([{ id: 'p', logic: parentMachine }]);
    const { seen } = watch(world);
    await world.tell('p', 'speak');
    const said = seen.find((one) => one.type === 'event.delivered' && one.event.type === 'said');
    expect(said).toMatchObject({ path: 'root/p', source: 'root/p/voice' });
  });

  it('numbers entries without a gap, alike for all observers, and stops when told', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const early = watch(world);
    await world.tell('a', 'count');
    const late = watch(world);
    await world.tell('a', 'count');
    early.stop();
    await world.tell('a', 'count');
    expect(early.seen.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
    expect(late.seen.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6]);
    expect(late.seen[1]).toBe(early.seen[3]);
  });

  it('counts and announces what a slow observer missed', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const { seen } = watch(world, { entriesMax: 4 });
    await settle();
    for (let round = 0; round < 10; round++) world.tree.send('root/a', { type: 'count' });
    await settle();
    await world.tell('a', 'count');
    expect(seen.map(({ seq, ...one }) => [seq, one.type])).toEqual([
      [0, 'tree.described'],
      [16, 'entries.lost'],
      [17, 'event.delivered'],
      [18, 'transition.taken'],
      [19, 'event.delivered'],
      [20, 'transition.taken'],
      [21, 'event.delivered'],
      [22, 'transition.taken'],
    ]);
    expect(seen[1]).toMatchObject({ lost: 16, lostInAll: 16 });
  });

  it('removes an observer that throws, reports it once, and goes on with the others', async () => {
    const lines: LogLine[] = [];
    await using world = await SupervisedWorld.up(
      [child('a')],
      {},
      {
        logger: (line) => lines.push(line),
      },
    );
    let calls = 0;
    world.tree.inspect(() => {
      calls++;
      throw new Error('bad observer');
    });
    const { seen } = watch(world);
    await world.tell('a', 'count');
    await world.tell('a', 'count');
    expect(calls).toBe(1);
    expect(seen).toHaveLength(5);
    expect(world.reports).toMatchObject([
      { type: 'stray_error', path: 'root', cause: { code: 'MESH_ERR_SUPERVISOR_OBSERVER_FAILED' } },
    ]);
    expect(world.children()).toEqual(['a:1']);
  });

  it('lets an observer act on the tree that it looks at', async () => {
    await using world = await SupervisedWorld.up([child('a'), child('b')]);
    const stop = world.tree.inspect((one) => {
      if (one.type !== 'event.delivered' || one.path !== 'root/a') return;
      world.tree.send('root/b', one.event);
      stop();
    });
    await world.tell('a', 'count');
    await world.tell('a', 'count');
    expect(world.tree.snapshotOf('root/b')).toMatchObject({ context: { count: 1 } });
  });

  it('forgets what was not told when the observer leaves', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const { seen, stop } = watch(world);
    world.tree.send('root/a', { type: 'count' });
    stop();
    stop();
    await settle();
    expect(seen).toEqual([]);
  });
});
