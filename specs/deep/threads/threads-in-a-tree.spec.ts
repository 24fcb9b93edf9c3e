/** What a tree offers its children, for one that is in a thread. */
import { describe, expect, it } from 'vitest';
import type { TreeInspection } from '../../../supervisor/index.ts';
import { scratch } from '../../support/scratch.ts';
import { World, placed } from '../../support/threads/thread-world.ts';
import { until } from '../../support/until.ts';

describe('a tree with a child in a thread', () => {
  it('asks it, and tells when it ended instead of answering', async () => {
    await using world = await World.of([placed({ input: { start: 7 } })]);
    expect(await world.tree.ask('r/a', { type: 'ask' })).toMatchObject({
      type: 'count.told',
      count: 7,
    });
    const asked = world.tree.ask('r/a', { type: 'crash' });
    await expect(asked).rejects.toMatchObject({ code: 'MESH_ERR_SUPERVISOR_ASK_UNANSWERED' });
  });

  it('tells its monitor of its end', async () => {
    await using world = await World.of([placed()]);
    const down = new Promise((resolve) => world.tree.monitor('r/a', resolve));
    world.send({ type: 'exit' });
    expect(await down).toMatchObject({
      reason: { type: 'error', cause: { code: 'MESH_ERR_SUPERVISOR_THREAD_EXITED' } },
    });
  });

  it('bounds its mailbox, what waits in the thread included', async () => {
    const mailbox = { capacity: 3, overflow: 'refuse' } as const;
    await using world = await World.of([placed({ mailbox }, { heartbeatTimeoutMs: 1000 })]);
    world.send({ type: 'block' });
    await until(() => !world.send({ type: 'count' }));
    const { count } = world.tree.deadLetters;
    expect(world.tree.deadLetters.recent().every(({ reason }) => reason === 'mailbox_full')).toBe(
      true,
    );
    expect(count).toBeGreaterThan(0);
    await until(() => world.incarnation === 2 && (world.count() ?? 0) > 0);
    expect(world.count()).toBeLessThanOrEqual(3);
  });

  it('continues it from its journal', async () => {
    using folder = scratch();
    const journal = folder.file('journal.db');
    const resume = { from: 'snapshot', durability: { everyMs: 5, everyEvents: 1 } } as const;
    const first = await World.of([placed({ resume })], {}, { journal });
    first.send({ type: 'count', by: 41 });
    await until(() => first.count() === 41);
    first.send({ type: 'crash' });
    first.send({ type: 'count' });
    await until(() => first.incarnation === 2 && first.count() === 42);
    await first.tree.stop();
    expect(first.reports.filter(({ type }) => type === 'crash')).toHaveLength(1);
  });

  it('inspects it', async () => {
    await using world = await World.of([placed()]);
    const seen: TreeInspection[] = [];
    world.tree.inspect((one) => seen.push(one));
    world.send({ type: 'count' });
    await until(() => world.count() === 1);
    world.send({ type: 'crash' });
    await until(() => world.incarnation === 2 && world.count() === 0);
    await until(() => seen.at(-1)?.type === 'transition.taken');
    const told = seen.slice(1).map((one) => {
      if (one.type === 'event.delivered') return `event ${one.event.type}`;
      if (one.type !== 'transition.taken') return one.type;
      const { context } = one.snapshot as { context?: { count: number } };
      return `${one.state} ${context?.count}`;
    });
    expect(told.filter((line) => line !== 'active undefined')).toEqual([
      'event count',
      'up 1',
      'event crash',
      'up 1',
      'actor.stopped',
      'actor.restarted',
      'up 0',
    ]);
  });
});
