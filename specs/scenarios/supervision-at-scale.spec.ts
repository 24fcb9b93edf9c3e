import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { assign, fromCallback, sendTo, setup } from 'xstate';
import type { AnyActorRef } from 'xstate';
import { describe, expect, it } from 'vitest';
import { startTree } from '../../runtime/start-tree.ts';
import { SLICE_MS } from '../../supervisor/delivery/run-queue.ts';
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
  /** Only printed: other work of the machine is in it. */
  readonly ms: number;
}

/** What starting, crashing and stopping `size` children at once costs; each has a timer of its own. */
async function work(size: number): Promise<readonly Work[]> {
  const clock = new CountingClock();
  const children = Array.from({ length: size }, (_, at) => child(`c${at}`, { logic: ticking }));
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
  const at = (): Work => ({
    looks: clock.looks,
    timers: clock.timers,
    slices,
    ms: performance.now(),
  });
  const since = (start: Work): Work => ({
    looks: clock.looks - start.looks,
    timers: clock.timers - start.timers,
    slices: slices - start.slices,
    ms: performance.now() - start.ms,
  });
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

/** Counts, has a timer of its own, and something that it invokes under a name. */
const ticking = setup({
  types: typesOf<{
    context: { ticks: number; count: number };
    events: { type: 'crash' | 'stop' | 'count' };
  }>(),
  actions: {
    count: assign({ count: ({ context }) => context.count + 1 }),
    tick: assign({ ticks: ({ context }) => context.ticks + 1 }),
    crash: () => {
      throw new Error('on request');
    },
  },
  delays: { beat: 1000 },
}).createMachine({
  context: { ticks: 0, count: 0 },
  initial: 'up',
  on: { crash: { actions: 'crash' }, count: { actions: 'count' }, stop: '.down' },
  states: { up: { after: { beat: { actions: 'tick' } } }, down: { type: 'final' } },
});

describe('supervision at scale', () => {
  it('does as many times the work as there are children, from 1,000 to 100,000', async () => {
    const sizes = [1000, 10_000, 100_000];
    const runs: (readonly Work[])[] = [];
    for (const size of sizes) runs.push(await work(size));
    for (const [step, name] of ['start', 'storm', 'stop'].entries()) {
      const small = runs[0]?.[step] as Work;
      for (const [at, run] of runs.entries()) {
        const { looks, timers, slices, ms } = run[step] as Work;
        const size = sizes[at] ?? 0;
        const times = size / 1000;
        console.log(
          `${name} of ${size}: ${looks} looks at the clock, ${timers} timers, ${slices} slices; ` +
            `${ms.toFixed(0)} ms, ${((ms * 1000) / size).toFixed(1)} µs each`,
        );
        expect(looks).toBeLessThanOrEqual(small.looks * times);
        expect(timers).toBeLessThanOrEqual(small.timers * times);
        // A slice may end by its time as well, so it is the work of the machine that sets their number.
        expect(slices).toBeLessThanOrEqual((small.slices + 2) * times * 10);
      }
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

  it('keeps nothing of 100,000 incarnations that have crashed', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const mailbox = { capacity: 10_000 };
    const world = await SupervisedWorld.up([child('a', { logic: ticking, mailbox })], {
      intensity: Infinity,
    });
    let downs = 0;
    const cycle = async (times: number): Promise<number> => {
      for (let at = 0; at < times; at++) {
        if (at % 100 === 0) world.tree.monitor('root/a', () => downs++);
        if (at % 100 === 50) world.tree.watch('root/a', () => {})();
        world.tree.send('root/a', { type: 'crash' });
        if (at % 500 === 499) await world.clock.advance(0);
        world.reports.length = 0;
      }
      await world.clock.advance(0);
      world.reports.length = 0;
      collect();
      return process.memoryUsage().heapUsed;
    };
    await cycle(2000);
    const before = await cycle(2000);
    const startedMs = performance.now();
    const grown = (await cycle(100_000)) - before;
    const perCycleUs = ((performance.now() - startedMs) * 1000) / 100_000;
    console.log(
      `100,000 crashes: ${(grown / 1024).toFixed(0)} KiB of growth, ${perCycleUs.toFixed(1)} µs each`,
    );
    expect(world.children()).toEqual(['a:104001']);
    expect(downs).toBe(1040);
    expect(world.clock.pending).toBe(1);
    expect(grown).toBeLessThan(1_000_000);
    await world.tree.stop();
    expect(world.clock.pending).toBe(0);
  });

  it('passes an event along 100,000 machines without a stack', async () => {
    const size = 100_000;
    const forwarding = setup({
      types: typesOf<{
        input: string;
        context: { next: string; hops: number };
        events: { type: 'hop' };
      }>(),
      actions: {
        pass: sendTo(({ context, system }) => system.get(context.next) as AnyActorRef, {
          type: 'hop',
        }),
        count: assign({ hops: ({ context }) => context.hops + 1 }),
      },
      guards: { isLast: ({ context }) => context.next === '' },
    }).createMachine({
      context: ({ input }) => ({ next: input, hops: 0 }),
      on: {
        hop: [{ guard: 'isLast', actions: 'count' }, { actions: ['count', 'pass'] }],
      },
    });
    const children = Array.from({ length: size }, (_, at) =>
      child(`c${at}`, { logic: forwarding, input: at + 1 < size ? `root/c${at + 1}` : '' }),
    );
    const tree = await startTree({ id: 'root', type: 'supervisor', children });
    const hopsOf = (at: number): number =>
      (tree.snapshotOf(`root/c${at}`) as unknown as { context: { hops: number } }).context.hops;
    tree.send('root/c0', { type: 'hop' });
    for (let turn = 0; turn < 100_000 && hopsOf(size - 1) === 0; turn++) await settle(1);
    let hops = 0;
    for (let at = 0; at < size; at++) hops += hopsOf(at);
    console.log(`${hops} hops, ${tree.deadLetters.count} dead letters`);
    expect(hops).toBe(size);
    expect(tree.deadLetters.count).toBe(0);
    await tree.stop();
  });

  it('lets no grandchild of a crashed machine outlive it', async () => {
    const living = new Set<object>();
    const leaf = fromCallback(() => {
      const self = {};
      living.add(self);
      return () => living.delete(self);
    });
    const middle = setup({ actors: { leaf } }).createMachine({
      invoke: [
        { src: 'leaf', id: 'one' },
        { src: 'leaf', id: 'two' },
      ],
    });
    const owner = setup({
      types: typesOf<{ events: { type: 'crash' | 'finish' } }>(),
      actors: { middle },
      actions: {
        crash: () => {
          throw new Error('on request');
        },
      },
    }).createMachine({
      initial: 'up',
      states: {
        up: {
          invoke: { src: 'middle', id: 'middle' },
          on: { crash: { actions: 'crash' }, finish: 'done' },
        },
        done: { type: 'final' },
      },
    });
    const children = Array.from({ length: 50 }, (_, at) => child(`c${at}`, { logic: owner }));
    await using world = await SupervisedWorld.up(children, { intensity: Infinity });
    const random = seededRandom(7);
    let ends = 0;
    for (let round = 0; round < 400; round++) {
      for (let at = 0; at < 25; at++) {
        const id = Math.floor(random.fraction() * 50);
        const type = random.fraction() < 0.7 ? 'crash' : 'finish';
        world.tree.send(`root/c${id}`, { type });
        ends++;
      }
      await world.clock.advance(0);
      world.reports.length = 0;
      expect(living.size).toBe(100);
    }
    console.log(`${ends} machines ended, ${living.size} grandchildren of 50 living machines`);
    await world.tree.stop();
    expect(living.size).toBe(0);
  });

  it('lets a flooded actor hold the event loop no longer than a slice', async () => {
    const slow = setup({
      types: typesOf<{ events: { type: 'work' } }>(),
      actions: {
        work: () => {
          const end = performance.now() + 0.5;
          while (performance.now() < end);
        },
      },
    }).createMachine({ on: { work: { actions: 'work' } } });
    const flood = 4000;
    const tree = await startTree({
      id: 'root',
      type: 'supervisor',
      children: [child('a', { logic: slow }), child('b')],
    });
    for (let at = 0; at < flood; at++) tree.send('root/a', { type: 'work' });
    const served = () =>
      (tree.snapshotOf('root/b') as unknown as { context: { count: number } }).context.count;
    let [turns, longestMs, lastMs] = [0, 0, performance.now()];
    const watchedMs = (flood * 0.5) / 2;
    const endMs = lastMs + watchedMs;
    while (performance.now() < endMs) {
      tree.send('root/b', { type: 'count' });
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      const nowMs = performance.now();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
      turns++;
    }
    console.log(
      `${turns} turns of the event loop while ${flood} letters of 0.5 ms waited, ` +
        `the longest after ${longestMs.toFixed(1)} ms; ${served()} letters of another served`,
    );
    expect(turns).toBeGreaterThan(watchedMs / (SLICE_MS * 10));
    expect(served()).toBeGreaterThanOrEqual(turns - 2);
    await tree.stop();
  });
});
