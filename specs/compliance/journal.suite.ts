import { describe, expect, it } from 'vitest';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { EVENT_IDS_MAX, QUARANTINED_MAX } from '../../supervisor/index.ts';
import type { Journal, JournalWrite } from '../../supervisor/index.ts';

/** A disk, and programs that have their journal on it one after the other. */
export interface JournalWorld extends Disposable {
  /** The journal of the next program; the one before it died without closing. */
  open(): Journal;
  /** Changes a byte of the newest record of that path. */
  damage(path: string): void;
  /** The journal of the next program, which finds no room for more than a few pages. */
  openOnFullDisk(): Journal;
}

const write = (path: string, record: string | null, ...ids: string[]): JournalWrite => ({
  path,
  record,
  ids,
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing';
}

/** What every journal keeps. */
export function journalSuite(name: string, create: () => JournalWorld): void {
  describe(`Journal (${name})`, () => {
    it('gives back the newest record, also to the next program', () => {
      using world = create();
      const journal = world.open();
      journal.commit([write('a', '{"n":1}'), write('b', '{"n":1}')]);
      journal.commit([write('a', '{"n":2}')]);
      const found = [journal.load('a')?.record, journal.load('b')?.record, journal.load('c')];
      expect(found).toEqual(['{"n":2}', '{"n":1}', undefined]);
      const next = world.open();
      expect([next.load('a')?.record, next.load('b')?.record]).toEqual(['{"n":2}', '{"n":1}']);
    });

    it('collects ids over commits, also when there is no record any more', () => {
      using world = create();
      const journal = world.open();
      journal.commit([write('a', '{}', 'one', 'two')]);
      journal.commit([write('a', null, 'three, "and"')]);
      const expected = { record: null, ids: ['one', 'two', 'three, "and"'], isSound: true };
      expect(journal.load('a')).toEqual(expected);
      expect(world.open().load('a')).toEqual(expected);
    });

    it('remembers the newest ids, and not every one that there ever was', () => {
      using world = create();
      const journal = world.open();
      for (let batch = 0; batch < 12; batch++)
        journal.commit([
          write('a', '{}', ...Array.from({ length: 1000 }, (_, at) => `${batch * 1000 + at}`)),
        ]);
      const ids = journal.load('a')?.ids ?? [];
      expect(ids.slice(-EVENT_IDS_MAX)).toEqual(
        Array.from({ length: EVENT_IDS_MAX }, (_, at) => `${12_000 - EVENT_IDS_MAX + at}`),
      );
      expect(ids.length).toBeLessThan(EVENT_IDS_MAX + 1000);
    });

    it('forgets a path with its ids', () => {
      using world = create();
      const journal = world.open();
      journal.commit([write('a', '{}', 'one')]);
      journal.forget('a');
      journal.forget('never seen');
      expect([journal.load('a'), world.open().load('a')]).toEqual([undefined, undefined]);
    });

    it('writes all of a commit or none of it', () => {
      using world = create();
      world.open().commit([write('a', '{"n":1}')]);
      const journal = world.openOnFullDisk();
      const more = [write('b', '{"n":1}', 'x'), write('a', 'x'.repeat(300_000), 'y')];
      expect(thrownBy(() => journal.commit(more))).toBe('MESH_ERR_JOURNAL_UNAVAILABLE');
      const next = world.open();
      expect([next.load('a'), next.load('b')]).toEqual([
        { record: '{"n":1}', ids: [], isSound: true },
        undefined,
      ]);
    });

    it('notices a byte that changed on the disk', () => {
      using world = create();
      world.open().commit([write('a', '{"n":1}', 'one'), write('b', '{"n":1}')]);
      world.damage('a');
      const next = world.open();
      expect([next.load('a')?.isSound, next.load('b')?.isSound]).toEqual([false, true]);
    });

    it('sets a record aside, and keeps the newest of those', () => {
      using world = create();
      const journal = world.open();
      const count = QUARANTINED_MAX + 3;
      for (let at = 0; at < count; at++) {
        journal.commit([write('a', `{"n":${at}}`, `${at}`)]);
        journal.quarantine('a', 'MESH_ERR_JOURNAL_SNAPSHOT_NEWER', 1000 + at);
      }
      journal.quarantine('never seen', 'MESH_ERR_JOURNAL_SNAPSHOT_NEWER', 1);
      expect(journal.load('a')).toBeUndefined();
      const kept = world.open().quarantined();
      expect(kept).toHaveLength(QUARANTINED_MAX);
      expect([kept[0], kept.at(-1)]).toEqual(
        [3, count - 1].map((at) => ({
          path: 'a',
          code: 'MESH_ERR_JOURNAL_SNAPSHOT_NEWER',
          atMs: 1000 + at,
          record: `{"n":${at}}`,
        })),
      );
    });

    it('refuses everything after its end', () => {
      using world = create();
      const journal = world.open();
      journal.close();
      journal.close();
      const codes = [() => journal.load('a'), () => journal.commit([write('a', '{}')])];
      expect(codes.map(thrownBy)).toEqual(Array(2).fill('MESH_ERR_JOURNAL_UNAVAILABLE'));
    });
  });
}
