import { spawnChild, setup, fromCallback } from 'xstate';
import { describe, expect, it } from 'vitest';
import type { AutoShutdown, RestartType, SupervisorSpec } from '../../supervisor/index.ts';
import { SupervisedWorld, child, deafMachine, typesOf } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const refusal = (reason: string) => ({ ok: false, reason });
const simple = { strategy: 'simple_one_for_one', intensity: 9 } as const;
const ends = async (world: SupervisedWorld) => (await world.end())?.type;
const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'] as const;

/** A world with children a and b, whatever the strategy. */
async function ofTwo(
  strategy: (typeof STRATEGIES)[number],
  b: Parameters<typeof child>[1] = {},
): Promise<SupervisedWorld> {
  if (strategy !== 'simple_one_for_one')
    return SupervisedWorld.up([child('a'), child('b', b)], { strategy });
  const world = await SupervisedWorld.up([child('job', b)], { strategy });
  for (const id of ['a', 'b']) await world.tree.startChild('root', { id });
  return world;
}

describe('a supervisor without children', () => {
  it('starts, and stops with the reason shutdown', async () => {
    await using world = await SupervisedWorld.up([]);
    expect(world.children()).toEqual([]);
    await world.tree.stop();
    expect(await world.end()).toEqual({ type: 'shutdown' });
  });
});

describe('the flags', () => {
  it('allow one restart in five seconds unless they say otherwise', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    await world.crash('a');
    await world.clock.advance(5001);
    await world.crash('a');
    expect(await ends(world)).toBeUndefined();
    await world.clock.advance(5000);
    await world.crash('a');
    expect(await ends(world)).toBe('shutdown');
  });
});

describe('a child whose restart always fails', () => {
  it.each(STRATEGIES)('takes its supervisor and its sibling down under %s', async (strategy) => {
    let isBroken = false;
    const onStart = () => (isBroken ? 'throw' : 'up');
    await using world = await ofTwo(strategy, { input: { onStart } });
    isBroken = true;
    await world.crash('b');
    expect(await ends(world)).toBe('shutdown');
    expect(world.children()).toEqual([]);
    expect(world.told('intensity')).toEqual(['intensity root']);
  });

  it.each(STRATEGIES)(
    'can be terminated under %s, and its supervisor stopped',
    async (strategy) => {
      let isBroken = false;
      const onStart = () => (isBroken ? 'throw' : 'up');
      const backoff = { minMs: 10, maxMs: 10, factor: 1, jitter: 0, resetAfterMs: 10 };
      await using world = await ofTwo(strategy, { input: { onStart }, backoff });
      await world.tree.changeFlags('root', { intensity: Infinity });
      isBroken = true;
      await world.crash('b');
      await world.clock.advance(25);
      expect(world.children().at(-1)).toBe('b:restarting');
      expect(await world.tree.startChild('root', child('b'))).toEqual(refusal('already_present'));
      expect(await world.tree.restartChild('root', 'b')).toEqual(refusal('restarting'));
      expect(await world.tree.deleteChild('root', 'b')).toEqual(refusal('restarting'));
      expect(await world.tree.terminateChild('root', 'b')).toEqual({ ok: true });
      await world.tree.stop();
      expect(world.clock.pending).toBe(0);
    },
  );

  it('leaves earlier siblings of rest_for_one up, and later ones waiting', async () => {
    let isBroken = false;
    const onStart = () => (isBroken ? 'throw' : 'up');
    const backoff = { minMs: 10, maxMs: 10, factor: 1, jitter: 0, resetAfterMs: 10 };
    const children = [child('a'), child('b', { input: { onStart }, backoff }), child('c')];
    const flags = { strategy: 'rest_for_one', intensity: Infinity } as const;
    await using world = await SupervisedWorld.up(children, flags);
    isBroken = true;
    await world.crash('b');
    await world.clock.advance(100);
    expect(world.children()).toEqual(['a:1', 'b:restarting', 'c:restarting']);
    isBroken = false;
    await world.clock.advance(10);
    expect(world.children().map((one) => one.slice(0, 1))).toEqual(['a', 'b', 'c']);
    expect(world.tree.countChildren('root')).toMatchObject({ specs: 3, active: 3 });
  });
});

describe('the operations', () => {
  it('answer over the whole life of a child as OTP does', async () => {
    await using world = await SupervisedWorld.up([]);
    const { tree } = world;
    const [added, ok] = [{ ok: true, path: 'root/a' }, { ok: true }];
    expect(await tree.deleteChild('root', 'a')).toEqual(refusal('not_found'));
    expect(await tree.startChild('root', child('a'))).toEqual({ ...added, incarnation: 1 });
    expect(await tree.startChild('root', child('a'))).toEqual(refusal('already_started'));
    expect(await tree.restartChild('root', 'a')).toEqual(refusal('running'));
    expect(await tree.deleteChild('root', 'a')).toEqual(refusal('running'));
    expect(await tree.terminateChild('root', 'a')).toEqual(ok);
    expect(await tree.terminateChild('root', 'a')).toEqual(ok);
    expect(await tree.startChild('root', child('a'))).toEqual(refusal('already_present'));
    expect(await tree.restartChild('root', 'a')).toEqual({ ...added, incarnation: 2 });
    expect(await tree.terminateChild('root', 'a')).toEqual(ok);
    expect(await tree.deleteChild('root', 'a')).toEqual(ok);
    expect(await tree.restartChild('root', 'a')).toEqual(refusal('not_found'));
    expect(tree.countChildren('root')).toMatchObject({ specs: 0, active: 0 });
  });

  it('answer over the whole life of a child of simple_one_for_one too', async () => {
    await using world = await SupervisedWorld.up([child('job')], simple);
    const { tree } = world;
    expect(await tree.startChild('root', { id: 'a' })).toMatchObject({ ok: true });
    expect(await tree.startChild('root', { id: 'a' })).toEqual(refusal('already_started'));
    expect(await tree.terminateChild('root', 'job')).toEqual(refusal('not_found'));
    expect(await tree.deleteChild('root', 'a')).toEqual(refusal('running'));
    expect(await tree.terminateChild('root', 'a')).toEqual({ ok: true });
    expect(await tree.terminateChild('root', 'a')).toEqual(refusal('not_found'));
    expect(tree.countChildren('root')).toMatchObject({ specs: 0, workers: 0 });
  });

  it('keep nothing of a child of simple_one_for_one that did not start', async () => {
    const input = { onStart: () => 'throw' as const };
    await using world = await SupervisedWorld.up([child('job', { input })], simple);
    expect(await world.tree.startChild('root', {})).toMatchObject({
      reason: 'start_error',
      cause: { message: 'refused to start' },
    });
    expect(world.children()).toEqual([]);
  });

  it('refuse a start whose system id is taken elsewhere, and harm nobody', async () => {
    const named = setup({ actors: { idle: fromCallback(() => {}) } }).createMachine({
      entry: spawnChild('idle', { systemId: 'the-one' }),
    });
    await using world = await SupervisedWorld.up([child('a', { logic: named })]);
    const second = await world.tree.startChild('root', child('b', { logic: named }));
    expect(second).toMatchObject({ ok: false, reason: 'start_error' });
    expect(world.children()).toEqual(['a:1']);
  });

  it('count children that restart toward max_children', async () => {
    const backoff = { minMs: 100, maxMs: 100, factor: 1, jitter: 0, resetAfterMs: 100 };
    await using world = await SupervisedWorld.up([child('job', { backoff })], {
      ...simple,
      maxChildren: 1,
    });
    await world.tree.startChild('root', { id: 'a' });
    await world.crash('a');
    expect(world.children()).toEqual(['a:restarting']);
    expect(await world.tree.startChild('root', { id: 'b' })).toEqual(refusal('max_children'));
    await world.tree.terminateChild('root', 'a');
    expect(await world.tree.startChild('root', { id: 'b' })).toMatchObject({ ok: true });
  });

  it.each([
    ['workers', (id: string) => child(id)],
    ['supervisors', (id: string): SupervisorSpec => ({ id, type: 'supervisor' })],
  ] as const)('count 1,000 and then 2,000 %s exactly', async (kind, spec) => {
    await using world = await SupervisedWorld.up([]);
    for (const size of [1000, 2000]) {
      for (let at = size - 1000; at < size; at++)
        await world.tree.startChild('root', spec(`c${at}`));
      const none = { supervisors: 0, workers: 0 };
      const expected = { ...none, specs: size, active: size, [kind]: size };
      expect(world.tree.countChildren('root')).toEqual(expected);
      expect(world.tree.whichChildren('root')).toHaveLength(size);
    }
  });
});

describe('a stop of simple_one_for_one', () => {
  it('kills ten children with brutal_kill, and that is no error', async () => {
    const template = child('job', { logic: deafMachine, shutdown: 'brutal_kill' });
    await using world = await SupervisedWorld.up([template], simple);
    for (let at = 0; at < 10; at++) await world.tree.startChild('root', {});
    world.reports.length = 0;
    await world.tree.stop();
    expect(world.told('shutdown', 'shutdown_error')).toHaveLength(10);
    expect(world.told('shutdown_error')).toEqual([]);
    expect(await world.end()).toEqual({ type: 'shutdown' });
  });

  it.each(['permanent', 'transient', 'temporary'] as const)(
    'is clean when %s children answer it by crashing or finishing',
    async (restart) => {
      const template = child('job', { restart, logic: deafMachine });
      await using world = await SupervisedWorld.up([template], simple);
      for (const id of ['a', 'b', 'c']) await world.tree.startChild('root', { id });
      const stopped = world.tree.stop();
      await settle();
      await world.tell('a', 'crash');
      await world.tell('b', 'finish');
      await world.clock.advance(5000);
      await stopped;
      expect(world.told('restart', 'backoff')).toEqual([]);
      expect(await world.end()).toEqual({ type: 'shutdown' });
    },
  );
});

describe('a tree of three levels', () => {
  const levels = (): SupervisorSpec => ({
    id: 'top',
    type: 'supervisor',
    restart: 'transient',
    intensity: 0,
    children: [{ id: 'low', type: 'supervisor', intensity: 1, children: [child('leaf')] }],
  });

  it('restarts only the leaf that crashed', async () => {
    await using world = await SupervisedWorld.up([levels(), child('other')]);
    await world.crash('top/low/leaf');
    expect(world.children()).toEqual(['top:1', 'other:1']);
    expect(world.children('root/top')).toEqual(['low:1']);
    expect(world.children('root/top/low')).toEqual(['leaf:2']);
  });

  it('brings a terminated sub-supervisor back when one_for_all restarts', async () => {
    const children = [levels(), child('other')];
    const flags = { strategy: 'one_for_all', intensity: 9 } as const;
    await using world = await SupervisedWorld.up(children, flags);
    await world.tree.startChild('root/top', child('dynamic'));
    await world.tree.terminateChild('root', 'top');
    expect(world.children()).toEqual(['top:stopped', 'other:1']);
    await world.crash('other');
    expect(world.children()).toEqual(['top:2', 'other:2']);
    expect(world.children('root/top')).toEqual(['low:2']);
  });
});

describe('a child that is not significant', () => {
  const modes: readonly AutoShutdown[] = ['never', 'any_significant', 'all_significant'];
  const types: readonly RestartType[] = ['temporary', 'transient'];
  const all = modes.flatMap((mode) => types.map((type) => [type, mode] as const));

  it.each(all)('if it is %s never sets off %s, however it ends', async (restart, autoShutdown) => {
    const children = ['a', 'b', 'c'].map((id) => child(id, { restart }));
    await using world = await SupervisedWorld.up(children, { autoShutdown, intensity: 9 });
    await world.tell('a', 'finish');
    await world.crash('b');
    await world.tree.terminateChild('root', 'c');
    expect(await ends(world)).toBeUndefined();
    const transient = ['a:stopped', 'b:2', 'c:stopped'];
    expect(world.children()).toEqual(restart === 'temporary' ? [] : transient);
  });
});

describe('a significant child', () => {
  it.each([
    ['temporary', 'finish', 'shutdown'],
    ['temporary', 'crash', 'shutdown'],
    ['transient', 'finish', 'shutdown'],
    ['transient', 'crash', undefined],
  ] as const)('if it is %s and gets %s ends its supervisor: %s', async (restart, how, expected) => {
    for (const autoShutdown of ['any_significant', 'all_significant'] as const) {
      const one = child('a', { restart, significant: true });
      await using world = await SupervisedWorld.up([one, child('b')], { autoShutdown });
      await world.tell('a', how);
      expect(await ends(world)).toBe(expected);
    }
  });
});

describe('a name', () => {
  it('leads to the newest incarnation, and to nobody once its tree is gone', async () => {
    const listening = setup({
      types: typesOf<{ context: { born: number }; input: number; events: { type: 'crash' } }>(),
      actions: {
        crash: () => {
          throw new Error('on request');
        },
      },
    }).createMachine({
      context: ({ input }) => ({ born: input }),
      on: { crash: { actions: 'crash' } },
    });
    const input = ({ incarnation }: { incarnation: number }) => incarnation;
    await using world = await SupervisedWorld.up([child('a', { logic: listening, input })]);
    const born = () => world.tree.snapshotOf('root/a');
    await world.crash('a');
    expect(born()).toMatchObject({ context: { born: 2 } });
    await world.tree.terminateChild('root', 'a');
    expect(born()).toBeUndefined();
    await world.tree.restartChild('root', 'a');
    expect(born()).toMatchObject({ context: { born: 3 } });
    await world.tree.stop();
    expect(born()).toBeUndefined();
    expect(world.tree.send('root/a', { type: 'crash' })).toBe(false);
  });
});

describe('mail behind a letter that crashes', () => {
  it('is kept in order over one crash after the other', async () => {
    await using world = await SupervisedWorld.up([child('a')], { intensity: 9 });
    for (const type of ['count', 'crash', 'count', 'crash', 'count', 'count'])
      world.tree.send('root/a', { type });
    await settle();
    expect(world.children()).toEqual(['a:3']);
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { count: 2 } });
  });
});
