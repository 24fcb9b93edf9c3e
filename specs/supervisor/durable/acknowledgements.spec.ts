import { describe, expect, it } from 'vitest';
import { threadLogic } from '../../../supervisor/index.ts';
import {
  afterCrash,
  contextOf,
  durable,
  outcomeOf,
  program,
  tallyThat,
} from '../../support/durable-world.ts';
import { MemoryJournal, diskFull } from '../../support/memory-journal.ts';
import { child } from '../../support/supervised.ts';
import { settle } from '../../support/virtual-clock.ts';

const add = (by: number) => ({ type: 'add', by });

/** A program whose commits, acknowledgements and effects are noted in their order. */
async function noted(resume: Parameters<typeof durable>[1] = 'snapshot') {
  const seen: string[] = [];
  const journal = new MemoryJournal();
  const logic = tallyThat((what) => seen.push(what));
  const world = await program(journal, [durable(logic, resume)]);
  journal.onCommit = (moment) => seen.push(`${moment} commit`);
  return { seen, journal, world, logic };
}

describe('sendDurably', () => {
  it('resolves after the commit, and before it nobody has seen an effect', async () => {
    const { seen, world } = await noted();
    await using _ = world;
    const sent = world.tree.sendDurably('root/a', add(2)).then(() => seen.push('acknowledged'));
    await sent;
    await settle();
    expect(seen).toEqual(['before commit', 'after commit', 'told 2', 'acknowledged']);
  });

  it('shares one commit among all that is sent in a turn of the event loop', async () => {
    const { journal, world } = await noted();
    await using _ = world;
    const before = journal.commits;
    await Promise.all(Array.from({ length: 500 }, () => world.tree.sendDurably('root/a', add(1))));
    expect([journal.commits - before, contextOf(world)]).toEqual([1, { count: 500 }]);
  });

  it('applies an event with an id once, in this program and in the next', async () => {
    const { journal, world, logic } = await noted();
    const twice = [1, 2].map(() => world.tree.sendDurably('root/a', add(1), { id: 'x' }));
    expect(await Promise.all(twice)).toEqual([{ isDuplicate: false }, { isDuplicate: true }]);
    await using next = await program(afterCrash(journal), [durable(logic)]);
    const again = await next.tree.sendDurably('root/a', add(1), { id: 'x' });
    expect([again, contextOf(next)]).toEqual([{ isDuplicate: true }, { count: 1 }]);
    await world[Symbol.asyncDispose]();
  });

  it('rejects with the cause when the child crashes over the event, which has no effect', async () => {
    const { seen, world } = await noted();
    await using _ = world;
    const sent = [add(1), { type: 'throw' }, add(1)].map((event) =>
      outcomeOf(world.tree.sendDurably('root/a', event)),
    );
    expect(await Promise.all(sent)).toEqual([
      'resolved',
      'MESH_ERR_SUPERVISOR_CHILD_CRASHED',
      'resolved',
    ]);
    await settle();
    expect(seen.filter((what) => what.startsWith('told'))).toEqual(['told 1', 'told 2']);
  });

  it('has applied an event whose effect crashes after the commit', async () => {
    const { world } = await noted();
    await using _ = world;
    expect(await outcomeOf(world.tree.sendDurably('root/a', { type: 'crash' }))).toBe('resolved');
    await settle();
    expect(world.told('crash', 'restart')).toEqual(['crash a', 'restart a']);
  });

  it('acknowledges nothing and lets out nothing when the disk is full', async () => {
    const { seen, journal, world } = await noted();
    await using _ = world;
    await world.tree.sendDurably('root/a', add(1));
    journal.onCommit = (moment) => {
      if (moment === 'before') throw diskFull();
    };
    const refused = outcomeOf(world.tree.sendDurably('root/a', add(10), { id: 'x' }));
    expect(await refused).toBe('MESH_ERR_JOURNAL_UNAVAILABLE');
    journal.onCommit = undefined;
    await settle();
    await world.tree.sendDurably('root/a', add(10), { id: 'x' });
    expect([contextOf(world), seen.filter((what) => what.startsWith('told'))]).toEqual([
      { count: 11 },
      ['told 1', 'told 11'],
    ]);
  });

  it('does not lose what was acknowledged right before a crash or an orderly stop', async () => {
    const { journal, world, logic } = await noted();
    const sent = [add(1), { type: 'throw' }, add(1), add(1)].map((event) =>
      outcomeOf(world.tree.sendDurably('root/a', event)),
    );
    await Promise.resolve();
    await world[Symbol.asyncDispose]();
    const outcomes = await Promise.all(sent);
    await using next = await program(afterCrash(journal), [durable(logic)]);
    const count = outcomes.filter((outcome) => outcome === 'resolved').length;
    expect(contextOf(next)).toEqual({ count });
    expect(outcomes.slice(0, 2)).toEqual(['resolved', 'MESH_ERR_SUPERVISOR_CHILD_CRASHED']);
  });

  it.each([
    ['no such child', 'root/b', 'not_found'],
    ['a supervisor', 'root', 'supervisor'],
    ['a child that starts fresh', 'root/fresh', 'not_durable'],
    ['a child that does not run', 'root/a', 'not_running'],
  ])('refuses %s', async (_, path, reason) => {
    const { world } = await noted();
    await using _world = world;
    await world.tree.startChild('root', child('fresh'));
    await world.tree.terminateChild('root', 'a');
    await expect(world.tree.sendDurably(path, add(1))).rejects.toMatchObject({
      code: 'MESH_ERR_JOURNAL_EVENT_REFUSED',
      details: { path, reason },
    });
  });

  it('refuses a child in a thread, and a tree without a journal', async () => {
    const logic = threadLogic({ module: 'file:///nowhere.ts' });
    await using world = await program(new MemoryJournal(), []);
    void world.tree.startChild('root', { id: 't', logic, placement: 'thread', resume: 'snapshot' });
    await settle();
    await using bare = await program(new MemoryJournal(), [], {});
    const reasons = [
      world.tree.sendDurably('root/t', add(1)),
      bare.tree.sendDurably('root/a', add(1)),
    ].map(outcomeOf);
    expect(await Promise.all(reasons)).toEqual(Array(2).fill('MESH_ERR_JOURNAL_EVENT_REFUSED'));
  });

  it('gives up waiting at its deadline, and tells that the outcome is unknown', async () => {
    const { world } = await noted();
    await using _ = world;
    const slow = { minMs: 60_000, maxMs: 60_000, factor: 1, jitter: 0, resetAfterMs: 1 };
    const spec = {
      ...durable(
        tallyThat(() => {}),
        'snapshot',
        { backoff: slow },
      ),
      id: 'slow',
    };
    await world.tree.startChild('root', spec);
    await world.tell('slow', 'throw');
    const sent = world.tree.sendDurably('root/slow', add(1), { id: 'x', timeoutMs: 500 });
    const outcome = outcomeOf(sent);
    await world.clock.advance(700);
    expect(await outcome).toBe('MESH_ERR_JOURNAL_EVENT_TIMED_OUT');
    await world.clock.advance(60_000);
    expect(await world.tree.sendDurably('root/slow', add(1), { id: 'x' })).toEqual({
      isDuplicate: true,
    });
  });
});

describe('durability: everyMs, everyEvents', () => {
  const batched = { from: 'snapshot', durability: { everyMs: 100, everyEvents: 5 } } as const;

  it('lets effects out at once, and writes after that time or so many events', async () => {
    const { seen, world } = await noted(batched);
    await using _ = world;
    world.tree.send('root/a', add(1));
    await settle();
    expect(seen).toEqual(['told 1']);
    await world.clock.advance(100);
    expect(seen).toEqual(['told 1', 'before commit', 'after commit']);
    for (let at = 0; at < 5; at++) world.tree.send('root/a', add(1));
    await settle();
    expect(seen.slice(3)).toEqual([
      ...[2, 3, 4, 5, 6].map((count) => `told ${count}`),
      'before commit',
      'after commit',
    ]);
  });

  it('does not lose what sendDurably has acknowledged', async () => {
    const { journal, world, logic } = await noted(batched);
    world.tree.send('root/a', add(1));
    await world.tree.sendDurably('root/a', add(1));
    world.tree.send('root/a', add(1));
    await settle();
    await using next = await program(afterCrash(journal), [durable(logic, batched)]);
    expect(contextOf(next)).toEqual({ count: 2 });
    await world[Symbol.asyncDispose]();
  });
});
