import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { assign, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { startTree } from '../../runtime/start-tree.ts';
import { createTree } from '../../supervisor/index.ts';
import type { Tree } from '../../supervisor/index.ts';
import { SupervisedWorld, child, seededRandom, typesOf } from '../support/supervised.ts';
import { VirtualClock, settle } from '../support/virtual-clock.ts';

/** Looks at its clock as often as its supervisor changes something: a measure of work, not of time. */
class CountingClock extends VirtualClock {
  looks = 0;
  timers = 0;

  override now(): number {
    this.looks++;
    return super.now();
  }

  override setTimeout(fn: () => void, delayMs: number): unknown {
    this.timers++;
    return super.setTimeout(fn, delayMs);
  }
}

interface Work {
  readonly looks: number;
  readonly timers: number;
  readonly slices: number;
}

/** What starting, crashing and stopping `size` children at once costs. */
async function work(size: number): Promise<readonly Work[]> {
  const clock = new CountingClock();
  const children = Array.from({ length: size }, (_, at) => child(`c${at}`));
  let slices = 0;
  const tree = createTree(
    { id: 'root', type: 'supervisor', intensity: Infinity, children },
    {
      clock,
      random: seededRandom(1),
      defer: (slice) => {
        slices++;
        setImmediate(slice);
      },
    },
  );
  const since = (start: Work): Work => ({
    looks: clock.looks - start.looks,
    timers: clock.timers - start.timers,
    slices: slices - start.slices,
  });
  const at = (): Work => ({ looks: clock.looks, timers: clock.timers, slices });
  const steps: Work[] = [];
  const measure = async (step: () => Promise<void>): Promise<void> => {
    const start = at();
    await step();
    steps.push(since(start));
  };
  await measure(() => tree.start());
  await measure(() => storm(tree, size));
  await measure(() => tree.stop());
  expect(clock.pending).toBe(0);
  return steps;
}

/** Crashes all children at once, and waits until all of them serve again. */
async function storm(tree: Tree, size: number): Promise<void> {
  for (let at = 0; at < size; at++) tree.send(`root/c${at}`, { type: 'crash' });
  for (let at = 0; at < size; at++) tree.send(`root/c${at}`, { type: 'count' });
  const serves = (at: number): boolean =>
    (tree.snapshotOf(`root/c${at}`) as { context?: { count: number } } | undefined)?.context
      ?.count === 1;
  for (let turn = 0; turn < 10_000 && !serves(size - 1); turn++) await settle(1);
  await settle(10);
  const infos = tree.whichChildren('root');
  expect(infos).toHaveLength(size);
  expect(infos.every(({ incarnation, restarts }) => incarnation === 2 && restarts === 1)).toBe(
    true,
  );
  expect(infos.every((_, at) => serves(at))).toBe(true);
  expect(tree.countChildren('root')).toMatchObject({ specs: size, active: size });
}

const ticking = setup({
  types: typesOf<{ context: { ticks: number }; events: { type: 'crash' | 'stop' } }>(),
  actions: {
    crash: () => {
      throw new Error('on request');
    },
  },
}).createMachine({
  context: { ticks: 0 },
  initial: 'up',
  on: { crash: { actions: 'crash' }, stop: '.down' },
  states: {
    up: { after: { 1000: { actions: assign({ ticks: ({ context }) => context.ticks + 1 }) } } },
    down: { type: 'final' },
  },
});

describe('supervision at scale', () => {
  it('does ten times the work for ten times the children', async () => {
    const [small, large] = [await work(1000), await work(10_000)];
    for (const [step, { looks, timers, slices }] of small.entries()) {
      const tenfold = large[step];
      expect(tenfold?.looks).toBeLessThanOrEqual(looks * 10);
      expect(tenfold?.timers).toBeLessThanOrEqual(timers * 10);
      expect(tenfold?.slices ?? Infinity).toBeLessThanOrEqual((slices + 2) * 10);
    }
  });

  it('starts and stops 100,000 children in order', async () => {
    const size = 100_000;
    const noted: string[] = [];
    const input = { note: (what: string) => noted.push(what) };
    const children = Array.from({ length: size }, (_, at) => child(`c${at}`, { input }));
    const tree = await startTree({ id: 'root', type: 'supervisor', children });
    expect(tree.countChildren('root')).toMatchObject({ specs: size, active: size });
    expect(tree.whichChildren('root').at(-1)).toMatchObject({ id: `c${size - 1}` });
    await tree.stop();
    expect(noted.filter((what) => what === 'start')).toHaveLength(size);
    expect(noted.indexOf('stop')).toBe(size);
    expect(noted).toHaveLength(2 * size);
  });

  it('ends 10,000 actors with timers without looking at the timers of others', async () => {
    const size = 10_000;
    const children = Array.from({ length: size }, (_, at) => child(`c${at}`, { logic: ticking }));
    await using world = await SupervisedWorld.up(children);
    expect(world.clock.pending).toBe(size);
    await world.tree.stop();
    expect(world.clock.pending).toBe(0);
  });

  it('keeps nothing of 10,000 incarnations that have crashed', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const world = await SupervisedWorld.up([child('a', { logic: ticking })], {
      intensity: Infinity,
    });
    const cycle = async (times: number): Promise<number> => {
      for (let at = 0; at < times; at++) {
        world.tree.send('root/a', { type: 'crash' });
        if (at % 500 === 499) await world.clock.advance(0);
      }
      await world.clock.advance(0);
      world.reports.length = 0;
      collect();
      return process.memoryUsage().heapUsed;
    };
    await cycle(2000);
    const before = await cycle(2000);
    const grown = (await cycle(10_000)) - before;
    expect(world.children()).toEqual(['a:14001']);
    expect(world.clock.pending).toBe(1);
    expect(grown / 10_000).toBeLessThan(20);
    await world.tree.stop();
    expect(world.clock.pending).toBe(0);
  });
});
