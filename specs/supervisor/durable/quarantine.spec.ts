import { assign, createMachine, fromPromise } from 'xstate';
import { describe, expect, it } from 'vitest';
import {
  afterCrash,
  contextOf,
  durable,
  outcomeOf,
  program,
  tallyThat,
} from '../../support/durable-world.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { settle } from '../../support/virtual-clock.ts';

const tally = tallyThat(() => {});
const record = (more: object): string =>
  JSON.stringify({
    format: 1,
    machine: 'tally',
    savedAtMs: 0,
    snapshot: { status: 'active', value: 'open', context: { count: 7 }, children: {} },
    ...more,
  });

async function started(journal: MemoryJournal, resume: Parameters<typeof durable>[1] = 'snapshot') {
  const world = await program(journal, [durable(tally, resume)]);
  return { world, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

describe('a record that cannot be trusted', () => {
  it.each([
    ['is not JSON', '{"format":1,', 'snapshot', 'MESH_ERR_JOURNAL_SNAPSHOT_DAMAGED'],
    ['is not a record', '{"count":7}', 'snapshot', 'MESH_ERR_JOURNAL_SNAPSHOT_DAMAGED'],
    ['has a newer format', record({ format: 2 }), 'snapshot', 'MESH_ERR_JOURNAL_SNAPSHOT_NEWER'],
    [
      'has a newer version',
      record({ version: '2.10' }),
      { from: 'snapshot', version: '2.9' },
      'MESH_ERR_JOURNAL_SNAPSHOT_NEWER',
    ],
    [
      'has a version where the machine has none',
      record({ version: '1' }),
      'snapshot',
      'MESH_ERR_JOURNAL_SNAPSHOT_NEWER',
    ],
    [
      'has a version that cannot be compared',
      record({ version: 'b' }),
      { from: 'snapshot', version: 'a' },
      'MESH_ERR_JOURNAL_SNAPSHOT_NEWER',
    ],
    [
      'is of another machine',
      record({ machine: 'other' }),
      'snapshot',
      'MESH_ERR_JOURNAL_SNAPSHOT_FOREIGN',
    ],
  ] as const)(
    'is set aside when it %s, and the child starts fresh',
    async (_, text, resume, code) => {
      const journal = new MemoryJournal();
      journal.forge('root/a', text);
      await using it = await started(journal, resume);
      expect(contextOf(it.world)).toEqual({ count: 0 });
      expect(it.world.reports).toMatchObject([
        { type: 'quarantine', path: 'root/a', cause: { code } },
        { type: 'start' },
      ]);
      expect(journal.quarantined()).toMatchObject([{ path: 'root/a', code, record: text }]);
    },
  );

  it('is set aside when it is torn, with its ids: they belong to what is lost', async () => {
    const journal = new MemoryJournal();
    await using first = await started(journal);
    await first.world.tree.sendDurably('root/a', { type: 'add', by: 7 } as never, { id: 'x' });
    const disk = afterCrash(journal);
    disk.tear('root/a');
    await using it = await started(disk);
    const [said] = it.world.reports;
    expect(said).toMatchObject({ cause: { code: 'MESH_ERR_JOURNAL_SNAPSHOT_DAMAGED' } });
    const again = it.world.tree.sendDurably('root/a', { type: 'add', by: 7 } as never, { id: 'x' });
    expect([await again, contextOf(it.world)]).toEqual([{ isDuplicate: false }, { count: 7 }]);
  });
});

describe('an older record', () => {
  const options = { from: 'snapshot', version: '2' } as const;

  it('is taken as it is', async () => {
    const journal = new MemoryJournal();
    journal.forge('root/a', record({ version: '1.9' }));
    await using it = await started(journal, options);
    expect(contextOf(it.world)).toEqual({ count: 7 });
  });

  it('is migrated, and then has the present version', async () => {
    const journal = new MemoryJournal();
    journal.forge('root/a', record({ version: '1' }));
    const migrate = (snapshot: unknown) => ({ ...(snapshot as object), context: { count: 70 } });
    await using it = await started(journal, { ...options, migrate });
    await it.world.tree.sendDurably('root/a', { type: 'add', by: 1 } as never);
    expect(journal.recordOf('root/a')).toMatchObject({
      version: '2',
      snapshot: { context: { count: 71 } },
    });
  });

  it('is set aside when it cannot be migrated', async () => {
    const journal = new MemoryJournal();
    journal.forge('root/a', record({ version: '1' }));
    const migrate = () => {
      throw new Error('too old');
    };
    await using it = await started(journal, { ...options, migrate });
    expect(journal.quarantined()).toMatchObject([{ code: 'MESH_ERR_JOURNAL_SNAPSHOT_REFUSED' }]);
    expect(contextOf(it.world)).toEqual({ count: 0 });
  });
});

describe('a snapshot that crashes whoever continues from it', () => {
  /** In `bad` it asks for an effect that fails at once. */
  const brittle = createMachine({
    id: 'brittle',
    context: { count: 0 },
    initial: 'good',
    states: {
      good: { on: { spoil: 'bad', add: { actions: assign({ count: 1 }) } } },
      bad: { invoke: { src: fromPromise(() => Promise.reject(new Error('bad state'))) } },
    },
  });
  const state = (world: Awaited<ReturnType<typeof program>>): unknown =>
    (world.tree.snapshotOf('root/a') as { value?: unknown } | undefined)?.value;

  it('is given up after three crashes in a row', async () => {
    const journal = new MemoryJournal();
    await using world = await program(journal, [durable(brittle)]);
    await world.tell('a', 'spoil');
    await settle(30);
    expect(world.told('crash', 'quarantine')).toEqual([
      ...Array.from({ length: 4 }, () => 'crash a'),
      'quarantine a',
    ]);
    expect(state(world)).toBe('good');
  });

  it('is given up over restarts of the program too, after as many as it was given', async () => {
    let disk = new MemoryJournal();
    const resume = { from: 'snapshot', failuresMax: 2 } as const;
    const told: string[][] = [];
    for (let run = 0; run < 4; run++) {
      const world = await program(disk, [durable(brittle, resume)], {}, { intensity: 0 });
      if (run === 0) await world.tell('a', 'spoil');
      await settle(10);
      told.push(world.told('crash', 'quarantine'));
      disk = afterCrash(disk);
    }
    expect(told).toEqual([['crash a'], ['crash a'], ['crash a'], ['quarantine a']]);
  });

  it('is not given up over bad events, as long as good ones come between', async () => {
    const journal = new MemoryJournal();
    await using world = await program(journal, [durable(tally)]);
    for (let at = 0; at < 10; at++) {
      await world.tree.sendDurably('root/a', { type: 'add', by: 1 } as never);
      expect(await outcomeOf(world.tree.sendDurably('root/a', { type: 'throw' }))).toBe(
        'MESH_ERR_SUPERVISOR_CHILD_CRASHED',
      );
    }
    await settle();
    expect([contextOf(world), journal.quarantined()]).toEqual([{ count: 10 }, []]);
  });

  it('is not given up over crashes long after it was continued from', async () => {
    const journal = new MemoryJournal();
    journal.forge('root/a', record({}));
    await using it = await started(journal);
    for (let at = 0; at < 6; at++) {
      await it.world.clock.advance(10_000);
      await it.world.tell('a', 'throw');
    }
    expect([contextOf(it.world), journal.quarantined()]).toEqual([{ count: 7 }, []]);
  });
});
