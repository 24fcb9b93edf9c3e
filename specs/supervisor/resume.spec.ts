import { assign, setup } from 'xstate';
import type { Snapshot } from 'xstate';
import { describe, expect, it } from 'vitest';
import { MemoryJournal } from '../support/memory-journal.ts';
import { SupervisedWorld, child, typesOf } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const counter = setup({
  types: typesOf<{
    context: { count: number; resumed: number };
    events: { type: 'count' | 'crash' | 'finish' | 'resume' };
  }>(),
  actions: {
    crash: () => {
      throw new Error('on request');
    },
  },
}).createMachine({
  id: 'counter',
  context: { count: 0, resumed: 0 },
  initial: 'up',
  on: {
    count: { actions: assign({ count: ({ context }) => context.count + 1 }) },
    resume: { actions: assign({ resumed: ({ context }) => context.resumed + 1 }) },
    crash: { actions: 'crash' },
    finish: '.finished',
  },
  states: { up: {}, finished: { type: 'final' } },
});

const spec = child('a', { logic: counter, resume: 'snapshot', restart: 'transient' });
const contextOf = (world: SupervisedWorld): unknown =>
  (world.tree.snapshotOf('root/a') as { context?: unknown } | undefined)?.context;

describe('resume: snapshot', () => {
  it('continues after a crash from the last snapshot, and tells the machine', async () => {
    await using world = await SupervisedWorld.up([spec], {}, { journal: new MemoryJournal() });
    for (const type of ['count', 'count', 'crash', 'count']) await world.tell('a', type);
    expect(contextOf(world)).toEqual({ count: 3, resumed: 1 });
  });

  it('continues in another tree, as after a restart of the program', async () => {
    const journal = new MemoryJournal();
    await using first = await SupervisedWorld.up([spec], {}, { journal });
    await first.tell('a', 'count');
    await using second = await SupervisedWorld.up([spec], {}, { journal });
    await second.tell('a', 'count');
    expect(contextOf(second)).toEqual({ count: 2, resumed: 1 });
  });

  it('continues after an orderly stop, also one that the machine knows of', async () => {
    const journal = new MemoryJournal();
    const first = await SupervisedWorld.up([child('a', { resume: 'snapshot' })], {}, { journal });
    await first.tell('a', 'count');
    await first[Symbol.asyncDispose]();
    await using second = await SupervisedWorld.up(
      [child('a', { resume: 'snapshot' })],
      {},
      { journal },
    );
    expect(contextOf(second)).toMatchObject({ count: 1 });
    expect(second.tree.snapshotOf('root/a')).toMatchObject({ value: 'up' });
  });

  it('has nothing to continue from once it has finished or was deleted', async () => {
    const journal = new MemoryJournal();
    await using world = await SupervisedWorld.up([spec], {}, { journal });
    await world.tell('a', 'finish');
    expect(journal.load('root/a')?.record).toBeNull();
    await world.tree.restartChild('root', 'a');
    await settle();
    expect(journal.recordOf('root/a')).toMatchObject({ machine: 'counter' });
    await world.tree.terminateChild('root', 'a');
    await world.tree.deleteChild('root', 'a');
    expect(journal.load('root/a')).toBeUndefined();
  });

  it('gives up a snapshot that cannot be started from, and starts fresh', async () => {
    const journal = new MemoryJournal();
    journal.forge(
      'root/a',
      JSON.stringify({
        format: 1,
        machine: 'counter',
        savedAtMs: 0,
        snapshot: { value: 'no such state', status: 'active' },
      }),
    );
    await using world = new SupervisedWorld([spec], {}, { journal });
    await world.tree.start();
    expect(world.told()).toEqual(['quarantine a', 'start a']);
    expect(contextOf(world)).toEqual({ count: 0, resumed: 0 });
    expect(journal.quarantined()).toMatchObject([
      { path: 'root/a', code: 'MESH_ERR_JOURNAL_SNAPSHOT_REFUSED' },
    ]);
  });

  it('gives up a snapshot with which the child does not become ready three times', async () => {
    const journal = new MemoryJournal();
    await using first = await SupervisedWorld.up([spec], {}, { journal });
    await first.tell('a', 'count');
    const ready = (snapshot: Snapshot<unknown>) =>
      (snapshot as unknown as { context: { count: number } }).context.count === 0;
    const slow = { ...spec, ready, startTimeoutMs: 100 };
    await using world = await SupervisedWorld.up([], {}, { journal });
    for (let attempt = 0; attempt < 3; attempt++) {
      const start = world.tree.startChild('root', slow);
      await world.clock.advance(100);
      expect(await start).toMatchObject({ reason: 'start_error' });
    }
    expect(await world.tree.startChild('root', slow)).toMatchObject({ ok: true });
    expect(world.told('quarantine')).toEqual(['quarantine a']);
  });

  it('starts fresh without a journal, and with resume: fresh', async () => {
    const journal = new MemoryJournal();
    await using world = await SupervisedWorld.up([spec]);
    for (const type of ['count', 'crash']) await world.tell('a', type);
    expect(contextOf(world)).toEqual({ count: 0, resumed: 0 });
    const fresh = { ...spec, resume: 'fresh' } as const;
    await using other = await SupervisedWorld.up([fresh], {}, { journal });
    await other.tell('a', 'count');
    expect(journal.commits).toBe(0);
  });
});
