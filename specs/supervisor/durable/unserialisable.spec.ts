import { assign, createMachine, fromPromise } from 'xstate';
import { describe, expect, it } from 'vitest';
import { contextOf, durable, outcomeOf, program } from '../../support/durable-world.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { settle } from '../../support/virtual-clock.ts';

const CODE = 'MESH_ERR_JOURNAL_SNAPSHOT_UNSERIALISABLE';

function cyclic(): object {
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  return cycle;
}

class Money {
  readonly cents = 1;
}

const CASES: readonly (readonly [string, () => unknown, string])[] = [
  ['a function', () => () => 1, 'snapshot.context.value'],
  ['a Date', () => new Date(0), 'snapshot.context.value'],
  ['a Map', () => new Map(), 'snapshot.context.value'],
  ['a BigInt', () => 1n, 'snapshot.context.value'],
  ['a symbol', () => Symbol('s'), 'snapshot.context.value'],
  ['NaN', () => Number.NaN, 'snapshot.context.value'],
  ['an instance of a class', () => [{ price: new Money() }], 'snapshot.context.value[0].price'],
  ['an Error', () => new Error('e'), 'snapshot.context.value'],
  ['bytes', () => new Uint8Array(2), 'snapshot.context.value'],
  ['undefined in an array', () => [undefined], 'snapshot.context.value[0]'],
  ['a cycle', cyclic, 'context'],
];

const holding = (initial: unknown, later: unknown = initial) =>
  createMachine({
    id: 'holding',
    context: { value: initial, count: 0 },
    on: {
      spoil: { actions: assign({ value: () => later }) },
      count: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    },
  });

describe('a snapshot that JSON would not bring back', () => {
  it.each(CASES)('fails the start when it holds %s', async (_, make, at) => {
    await using world = await program(new MemoryJournal(), []);
    const started = await world.tree.startChild('root', durable(holding(make())));
    expect(started).toMatchObject({
      ok: false,
      reason: 'start_error',
      cause: { code: CODE, details: { path: 'root/a', at } },
    });
  });

  it.each(CASES)('crashes the child that comes to hold %s, at the write', async (_, make) => {
    const journal = new MemoryJournal();
    await using world = await program(journal, [durable(holding(0, make()))]);
    await world.tree.sendDurably('root/a', { type: 'count' });
    const spoilt = outcomeOf(world.tree.sendDurably('root/a', { type: 'spoil' }));
    expect(await spoilt).toBe(CODE);
    await settle();
    expect(world.reports.find(({ type }) => type === 'crash')).toMatchObject({
      reason: { cause: { code: CODE } },
    });
    expect(contextOf(world)).toEqual({ value: 0, count: 1 });
  });

  it('is one with a child spawned from inline logic', async () => {
    const spawning = createMachine({
      id: 'spawning',
      context: {},
      entry: assign(({ spawn }) => ({ child: spawn(fromPromise(() => new Promise(() => {}))) })),
    });
    await using world = await program(new MemoryJournal(), []);
    const started = await world.tree.startChild('root', durable(spawning));
    expect(started).toMatchObject({ reason: 'start_error', cause: { code: CODE } });
  });

  it('is one with an actor that is not its own child', async () => {
    const foreign = createMachine({
      id: 'foreign',
      context: ({ self }) => ({ friend: self }),
    });
    await using world = await program(new MemoryJournal(), []);
    const started = await world.tree.startChild('root', durable(foreign));
    expect(started).toMatchObject({
      cause: { code: CODE, details: { at: 'snapshot.context.friend' } },
    });
  });

  it('is too large beyond eight million characters', async () => {
    await using world = await program(new MemoryJournal(), []);
    const huge = holding('x'.repeat(9_000_000));
    expect(await world.tree.startChild('root', durable(huge))).toMatchObject({
      cause: { code: 'MESH_ERR_JOURNAL_SNAPSHOT_TOO_LARGE' },
    });
  });

  it('may hold properties that are undefined: leaving them out means the same', async () => {
    await using world = await program(new MemoryJournal(), [durable(holding({ a: undefined }))]);
    expect(world.children()).toEqual(['a:1']);
  });
});
