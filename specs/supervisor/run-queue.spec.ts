import { describe, expect, it } from 'vitest';
import type { Clock } from '../../machines/kernel/clock.ts';
import { Fifo } from '../../supervisor/delivery/fifo.ts';
import {
  LOOK_EVERY_MAX,
  QUANTUM,
  RunQueue,
  SLICE_EVENTS_MAX,
  SLICE_MS,
} from '../../supervisor/delivery/run-queue.ts';
import type { Lane } from '../../supervisor/delivery/run-queue.ts';
import { settle } from '../support/virtual-clock.ts';

/** Time that passes only while something works. */
function workingClock(): Clock & { work(ms: number): void; readonly looks: number } {
  let nowMs = 0;
  let looks = 0;
  return {
    now: () => nowMs,
    monotonicNow: () => (looks++, nowMs),
    setTimeout: () => undefined,
    clearTimeout: () => {},
    work: (ms) => (nowMs += ms),
    get looks() {
      return looks;
    },
  };
}

/** A lane with so much mail, which notes its turns. */
function laneOf(mail: number, turns: string[], name: string): Lane {
  let left = mail;
  return {
    get hasMail() {
      return left > 0;
    },
    turn: (quantum) => {
      const spent = Math.min(quantum, left);
      left -= spent;
      turns.push(`${name}:${spent}`);
      return spent;
    },
  };
}

describe('RunQueue', () => {
  it('gives each lane a quantum in turn', async () => {
    const queue = new RunQueue();
    const turns: string[] = [];
    queue.ready(laneOf(QUANTUM * 2 + 1, turns, 'a'));
    queue.ready(laneOf(1, turns, 'b'));
    expect(turns).toEqual([]);
    await settle();
    expect(turns).toEqual(['a:64', 'b:1', 'a:64', 'a:1']);
  });

  it('lets jobs and lanes take turns, so that neither starves', async () => {
    const queue = new RunQueue();
    const turns: string[] = [];
    for (const name of ['j1', 'j2', 'j3']) queue.post({ run: () => turns.push(name) });
    queue.ready(laneOf(QUANTUM + 1, turns, 'a'));
    await settle();
    expect(turns).toEqual(['j1', 'a:64', 'j2', 'a:1', 'j3']);
  });

  it('gives way to the event loop after a slice, also across microtasks', async () => {
    const slices: (() => void)[] = [];
    const queue = new RunQueue((slice) => slices.push(slice));
    let ran = 0;
    const again = { run: () => (ran++, queue.post(again), 1) };
    queue.post(again);
    await settle();
    expect([ran, slices.length]).toEqual([SLICE_EVENTS_MAX, 1]);
    slices.shift()?.();
    await settle();
    expect([ran, slices.length]).toEqual([SLICE_EVENTS_MAX * 2, 1]);
  });

  it('gives way after its time, however few letters that was', async () => {
    const clock = workingClock();
    const slices: (() => void)[] = [];
    const queue = new RunQueue((slice) => slices.push(slice), clock);
    let ran = 0;
    for (let at = 0; at < 10; at++) queue.post({ run: () => (ran++, clock.work(4), 1) });
    await settle();
    expect([ran, slices.length]).toEqual([Math.ceil(SLICE_MS / 4), 1]);
    slices.shift()?.();
    await settle();
    expect(ran).toBe(2 * Math.ceil(SLICE_MS / 4));
  });

  it('looks at the clock after each letter while letters are slow, and seldom while not', async () => {
    const looks = async (letterMs: number): Promise<number> => {
      const clock = workingClock();
      const queue = new RunQueue(undefined, clock);
      for (let at = 0; at < 1000; at++) queue.post({ run: () => (clock.work(letterMs), 1) });
      await settle();
      return clock.looks;
    };
    expect(await looks(0.003)).toBeLessThan(1000 / LOOK_EVERY_MAX + 10);
    expect(await looks(2)).toBeGreaterThan(1000);
  });

  it('counts time over microtasks, so that a chain of them gives way too', async () => {
    const clock = workingClock();
    const slices: (() => void)[] = [];
    const queue = new RunQueue((slice) => slices.push(slice), clock);
    let ran = 0;
    const again = async (): Promise<void> => {
      ran++;
      clock.work(1);
      await Promise.resolve();
      queue.post({ run: () => (void again(), 1) });
    };
    queue.post({ run: () => (void again(), 1) });
    await settle();
    expect([ran, slices.length]).toEqual([SLICE_MS, 1]);
  });

  it('goes on after a job that throws', () => {
    const slices: (() => void)[] = [];
    const queue = new RunQueue((slice) => slices.push(slice));
    queue.post({ run: () => SLICE_EVENTS_MAX });
    const turns: string[] = [];
    return settle().then(() => {
      queue.post({
        run: () => {
          throw new Error('a bug');
        },
      });
      queue.post({ run: () => turns.push('next') });
      expect(() => slices.shift()?.()).toThrow('a bug');
      return settle().then(() => expect(turns).toEqual(['next']));
    });
  });
});

describe('Fifo', () => {
  it('gives back what was put in, in order, whatever the mixture', () => {
    const fifo = new Fifo<number>();
    const out: number[] = [];
    let next = 0;
    for (let round = 0; round < 100; round++) {
      for (let push = 0; push < round % 7; push++) fifo.push(next++);
      for (let take = 0; take < round % 5; take++) out.push(fifo.shift() ?? -1);
    }
    for (let item = fifo.shift(); item !== undefined; item = fifo.shift()) out.push(item);
    expect(out.filter((item) => item >= 0)).toEqual(Array.from({ length: next }, (_, at) => at));
    expect(fifo.isEmpty).toBe(true);
  });
});
