import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { openJournal } from '../../../runtime/adapters/journal.sqlite.ts';
import { startTree } from '../../../runtime/start-tree.ts';
import { durable, tallyThat } from '../../support/durable-world.ts';
import { scratch } from '../../support/scratch.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const clock = new VirtualClock();

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing';
}

describe('openJournal', () => {
  it('makes a file that nobody else can read', () => {
    using folder = scratch();
    const path = folder.file('j.sqlite');
    const journal = openJournal({ path, clock });
    journal.commit([{ path: 'a', record: '{}', ids: [] }]);
    const modes = readdirSync(folder.path).map((name) => statSync(folder.file(name)).mode & 0o777);
    expect(new Set(modes)).toEqual(new Set([0o600]));
    journal.close();
  });

  it('refuses a file that another one has open', () => {
    using folder = scratch();
    const path = folder.file('j.sqlite');
    const first = openJournal({ path, clock });
    expect(thrownBy(() => openJournal({ path, clock }))).toBe('MESH_ERR_JOURNAL_LOCKED');
    first.close();
    openJournal({ path, clock }).close();
  });

  it('keeps a damaged file aside, says so, and begins a new one', () => {
    using folder = scratch();
    const path = folder.file('j.sqlite');
    writeFileSync(path, 'This is no database, and long enough to be taken for one.'.repeat(100));
    const told: unknown[] = [];
    const journal = openJournal({ path, clock, onCorrupt: (error) => told.push(error.code) });
    expect(told).toEqual(['MESH_ERR_JOURNAL_CORRUPT']);
    expect(readdirSync(folder.path)).toContain(`j.sqlite.corrupt-${clock.now()}`);
    journal.commit([{ path: 'a', record: '{}', ids: [] }]);
    journal.close();
  });

  it.each([
    ['of a later version', 'PRAGMA application_id = 1299802673; PRAGMA user_version = 2'],
    ['of another program', 'PRAGMA application_id = 7; CREATE TABLE theirs (a)'],
  ])('refuses a file %s, and leaves it alone', (_, sql) => {
    using folder = scratch();
    const path = folder.file('j.sqlite');
    const theirs = new DatabaseSync(path);
    theirs.exec(sql);
    theirs.close();
    expect(thrownBy(() => openJournal({ path, clock }))).toBe('MESH_ERR_JOURNAL_SCHEMA_NEWER');
    expect(readdirSync(folder.path)).toEqual(['j.sqlite']);
  });

  it('cannot be made where there is no folder', () => {
    const path = '/nonexistent/j.sqlite';
    expect(thrownBy(() => openJournal({ path, clock }))).toBe('MESH_ERR_JOURNAL_UNAVAILABLE');
  });
});

describe('the file of a journal', () => {
  it('does not grow with its commits, and loses nothing when it is swept', () => {
    using folder = scratch();
    const path = folder.file('j.sqlite');
    const journal = openJournal({ path, clock });
    const record = JSON.stringify({ text: 'x'.repeat(1_000) });
    const commit = (round: number): void =>
      journal.commit(
        Array.from({ length: 100 }, (_, at) => ({ path: `p${at}`, record, ids: [`${round}`] })),
      );
    journal.commit([{ path: 'still', record: '{"n":1}', ids: ['once'] }]);
    for (let round = 0; round < 350; round++) commit(round);
    const middle = statSync(path).size;
    for (let round = 350; round < 700; round++) commit(round);
    journal.close();
    expect(statSync(path).size).toBeLessThan(middle * 1.5 + 1_000_000);
    const next = openJournal({ path, clock });
    expect(next.load('still')).toEqual({ record: '{"n":1}', ids: ['once'], isSound: true });
    expect(next.load('p7')?.ids).toHaveLength(700);
    next.close();
  }, 60_000);
});

describe('startTree with a journal', () => {
  const add = { type: 'add', by: 1 };
  const spec = {
    id: 'root',
    type: 'supervisor' as const,
    children: [durable(tallyThat(() => {}))],
  };

  it('continues from the file, and closes it with its tree', async () => {
    using folder = scratch();
    const journal = folder.file('j.sqlite');
    for (const count of [1, 2]) {
      const tree = await startTree(spec, { journal });
      await tree.sendDurably('root/a', add);
      expect(tree.snapshotOf('root/a')).toMatchObject({ context: { count } });
      await tree.stop();
    }
    expect(readdirSync(folder.path)).toEqual(['j.sqlite']);
  });

  it('lets go of the file when its tree does not start', async () => {
    using folder = scratch();
    const journal = folder.file('j.sqlite');
    const bad = { ...spec, intensity: -1 };
    await expect(startTree(bad, { journal })).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    });
    openJournal({ path: journal, clock }).close();
  });
});
