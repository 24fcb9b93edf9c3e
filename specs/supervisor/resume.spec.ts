import { assign, setup } from 'xstate';
import type { Snapshot } from 'xstate';
import { describe, expect, it } from 'vitest';
import type { SnapshotJournal } from '../../supervisor/index.ts';
import { SupervisedWorld, child, typesOf } from '../support/supervised.ts';

/** Keeps JSON, as a journal on disk would. */
function memoryJournal(): SnapshotJournal & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    load: (path) => {
      const text = kept.get(path);
      return text === undefined ? undefined : (JSON.parse(text) as Snapshot<unknown>);
    },
    save: (path, snapshot) => kept.set(path, JSON.stringify(snapshot)),
    forget: (path) => kept.delete(path),
  };
}

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
    await using world = await SupervisedWorld.up([spec], {}, { journal: memoryJournal() });
    for (const type of ['count', 'count', 'crash', 'count']) await world.tell('a', type);
    expect(contextOf(world)).toEqual({ count: 3, resumed: 1 });
  });

  it('continues in another tree, as after a restart of the program', async () => {
    const journal = memoryJournal();
    await using first = await SupervisedWorld.up([spec], {}, { journal });
    await first.tell('a', 'count');
    await using second = await SupervisedWorld.up([spec], {}, { journal });
    await second.tell('a', 'count');
    expect(contextOf(second)).toEqual({ count: 2, resumed: 1 });
  });

  it('keeps nothing of a child that has finished or was deleted', async () => {
    const journal = memoryJournal();
    await using world = await SupervisedWorld.up([spec], {}, { journal });
    await world.tell('a', 'finish');
    expect([...journal.kept]).toEqual([]);
    await world.tree.restartChild('root', 'a');
    expect([...journal.kept.keys()]).toEqual(['root/a']);
    await world.tree.terminateChild('root', 'a');
    await world.tree.deleteChild('root', 'a');
    expect([...journal.kept]).toEqual([]);
  });

  it('gives up a snapshot that cannot be started from, and starts fresh', async () => {
    const journal = memoryJournal();
    journal.save('root/a', { value: 'no such state', status: 'active' } as never);
    await using world = new SupervisedWorld([spec], {}, { journal });
    await world.tree.start();
    expect(world.told()).toEqual(['stray_error a', 'start a']);
    expect(contextOf(world)).toEqual({ count: 0, resumed: 0 });
  });

  it('gives up a snapshot with which the child did not become ready', async () => {
    const journal = memoryJournal();
    journal.save('root/a', {
      value: 'up',
      context: { count: 9 },
      status: 'active',
      children: {},
    } as never);
    const ready = (snapshot: Snapshot<unknown>) =>
      (snapshot as unknown as { context: { count: number } }).context.count === 0;
    const slow = { ...spec, ready, startTimeoutMs: 100 };
    await using world = await SupervisedWorld.up([], {}, { journal });
    const first = world.tree.startChild('root', slow);
    await world.clock.advance(100);
    expect(await first).toMatchObject({ reason: 'start_error' });
    expect(await world.tree.startChild('root', slow)).toMatchObject({ ok: true });
  });

  it('starts fresh without a journal, and with resume: fresh', async () => {
    const journal = memoryJournal();
    await using world = await SupervisedWorld.up([spec]);
    for (const type of ['count', 'crash']) await world.tell('a', type);
    expect(contextOf(world)).toEqual({ count: 0, resumed: 0 });
    const fresh = { ...spec, resume: 'fresh' } as const;
    await using other = await SupervisedWorld.up([fresh], {}, { journal });
    await other.tell('a', 'count');
    expect(journal.kept.size).toBe(0);
  });
});
