import { assign, createMachine, fromPromise, raise, sendTo, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { afterCrash, contextOf, durable, program } from '../../support/durable-world.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { typesOf } from '../../support/supervised.ts';
import { VirtualClock, settle } from '../../support/virtual-clock.ts';

const START_MS = Date.UTC(2026, 0, 1);
const stateOf = (world: Awaited<ReturnType<typeof program>>): unknown =>
  (world.tree.snapshotOf('root/a') as { value?: unknown } | undefined)?.value;

const lamp = createMachine({
  id: 'lamp',
  initial: 'off',
  states: {
    off: { on: { press: 'on' } },
    on: { after: { 10_000: 'off' }, on: { press: { target: 'on', reenter: true } } },
  },
});

/** The program that presses the lamp dies `ranMs` later; the next one starts at `startMs`. */
async function relit(ranMs: number, startMs: number) {
  const journal = new MemoryJournal();
  const first = await program(journal, [durable(lamp)]);
  await first.tell('a', 'press');
  await first.clock.advance(ranMs);
  const disk = afterCrash(journal);
  const clock = new VirtualClock(startMs);
  const next = await program(disk, [durable(lamp)], { clock });
  return { first, next, clock };
}

describe('a deadline of a durable actor', () => {
  it('is met after what is left of it, the time of no program counted', async () => {
    const { next, clock } = await relit(4_000, START_MS + 7_000);
    expect(stateOf(next)).toBe('on');
    await clock.advance(2_999);
    expect(stateOf(next)).toBe('on');
    await clock.advance(1);
    expect(stateOf(next)).toBe('off');
  });

  it('is met at once when it passed while no program ran', async () => {
    const { next, clock } = await relit(4_000, START_MS + 3_600_000);
    await clock.advance(0);
    expect(stateOf(next)).toBe('off');
  });

  it('is never waited for longer than it was, when the wall clock was set back', async () => {
    const { next, clock } = await relit(4_000, START_MS - 86_400_000);
    await clock.advance(9_999);
    expect(stateOf(next)).toBe('on');
    await clock.advance(1);
    expect(stateOf(next)).toBe('off');
  });

  it('does not come twice, nor after it was cancelled', async () => {
    const journal = new MemoryJournal();
    await using first = await program(journal, [durable(lamp)]);
    await first.tell('a', 'press');
    await first.clock.advance(6_000);
    await first.tell('a', 'press');
    expect(journal.recordOf('root/a')?.['deadlines']).toMatchObject([
      { id: 'xstate.after.10000.lamp.on', dueAtMs: START_MS + 16_000 },
    ]);
    await first.clock.advance(10_000);
    expect([stateOf(first), journal.recordOf('root/a')?.['deadlines']]).toEqual(['off', undefined]);
  });

  it('is kept also when it is a delayed raise, or of a child, or for another actor', async () => {
    const inner = createMachine({
      initial: 'waiting',
      states: { waiting: { after: { 3_000: 'over' } }, over: { type: 'final' } },
    });
    const outer = setup({
      types: typesOf<{ context: { seen: readonly string[] }; events: { type: 'later' } }>(),
      actors: { inner },
    }).createMachine({
      id: 'outer',
      context: { seen: [] },
      entry: [
        raise({ type: 'later' }, { delay: 2_000 }),
        sendTo(
          ({ system }) => system.get('root/b'),
          { type: 'press' },
          { delay: 1_000, id: 'far' },
        ),
      ],
      invoke: {
        src: 'inner',
        id: 'inner',
        onDone: { actions: assign({ seen: ({ context }) => [...context.seen, 'inner'] }) },
      },
      on: { later: { actions: assign({ seen: ({ context }) => [...context.seen, 'later'] }) } },
    });
    const children = [durable(outer), { ...durable(lamp), id: 'b' }];
    const journal = new MemoryJournal();
    await program(journal, children);
    const clock = new VirtualClock(START_MS + 500);
    await using next = await program(afterCrash(journal), children, { clock });
    await clock.advance(500);
    expect(next.tree.snapshotOf('root/b')).toMatchObject({ value: 'on' });
    await clock.advance(2_000);
    expect(contextOf(next)).toEqual({ seen: ['later', 'inner'] });
  });
});

describe('what a durable machine owns', () => {
  const calls: string[] = [];
  const machine = setup({
    types: typesOf<{ context: { result: string; error: string }; events: { type: 'go' } }>(),
    actors: {
      fetch: fromPromise(({ input }: { input: string }) => {
        calls.push(input);
        return input === 'never' ? new Promise<string>(() => {}) : Promise.resolve('fetched');
      }),
    },
  }).createMachine({
    id: 'fetching',
    context: { result: '', error: '' },
    initial: 'idle',
    states: {
      idle: { on: { go: 'busy' } },
      busy: {
        invoke: {
          src: 'fetch',
          id: 'fetch',
          input: () => 'never',
          onDone: { target: 'idle', actions: assign({ result: ({ event }) => event.output }) },
        },
      },
    },
  });

  it('is started after the commit that asked for it, and again by the next program', async () => {
    calls.length = 0;
    const journal = new MemoryJournal();
    const first = await program(journal, [durable(machine)]);
    const callsAtCommit: number[] = [];
    journal.onCommit = () => callsAtCommit.push(calls.length);
    await first.tell('a', 'go');
    expect([callsAtCommit, calls]).toEqual([[0, 0], ['never']]);
    await using next = await program(afterCrash(journal), [durable(machine)]);
    await settle();
    expect([stateOf(next), calls]).toEqual(['busy', ['never', 'never']]);
    await first[Symbol.asyncDispose]();
  });

  it('runs an effect again whose failure crashed the machine', async () => {
    let tries = 0;
    const flaky = machine.provide({
      actors: {
        fetch: fromPromise(() =>
          ++tries < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve('fetched'),
        ),
      },
    });
    await using world = await program(new MemoryJournal(), [durable(flaky)]);
    await world.tell('a', 'go');
    await settle(20);
    expect([tries, stateOf(world), contextOf(world)]).toEqual([
      3,
      'idle',
      { result: 'fetched', error: '' },
    ]);
  });

  it('is a machine with a state of its own, and goes on from it', async () => {
    const part = createMachine({
      id: 'part',
      initial: 'one',
      states: { one: { on: { next: 'two' } }, two: { on: { next: 'three' } }, three: {} },
    });
    const whole = setup({ actors: { part } }).createMachine({
      id: 'whole',
      invoke: { src: 'part', id: 'part' },
      on: { next: { actions: sendTo('part', { type: 'next' }) } },
    });
    const journal = new MemoryJournal();
    await using first = await program(journal, [durable(whole)]);
    await first.tell('a', 'next');
    await using next = await program(afterCrash(journal), [durable(whole)]);
    await next.tell('a', 'next');
    expect(journal.recordOf('root/a')).toMatchObject({
      snapshot: { children: { part: { snapshot: { value: 'two' } } } },
    });
    const { part: now } = (
      next.tree.snapshotOf('root/a') as never as {
        children: { part: { getSnapshot(): { value: string } } };
      }
    ).children;
    expect(now.getSnapshot().value).toBe('three');
  });
});
