import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../../actors/coordinator/ports/history.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createFileFloor } from '../../../runtime/adapters/generation-floor.fs.ts';
import { createFileHistory } from '../../../runtime/adapters/history.fs.ts';
import { createSqliteHistory } from '../../../runtime/adapters/history.sqlite.ts';
import { sha256 } from '../../support/coordinator/memory-history.ts';
import { scratch } from '../../support/scratch.ts';
import { until } from '../../support/until.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const UNAVAILABLE = { code: 'MESH_ERR_HISTORY_UNAVAILABLE' };
const record = (name: string) => ({ transition: sha256(bytes(name)), signature: 'ab'.repeat(96) });

describe('createSqliteHistory', () => {
  it('makes a file that only its user may read', async () => {
    using folder = scratch();
    const path = folder.file('history.sqlite');
    const history = createSqliteHistory({ path, clock: systemClock });
    await history.put('manifests', bytes('one'));
    for (const suffix of ['', '-wal', '-shm'])
      expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
    await history.close();
  });

  it('keeps everything over a restart', async () => {
    using folder = scratch();
    const path = folder.file('history.sqlite');
    const first = createSqliteHistory({ path, clock: systemClock });
    const digest = await first.put('manifests', bytes('one'));
    await first.compareAndSwap(null, record('1'));
    await first.close();
    const second = createSqliteHistory({ path, clock: systemClock });
    expect(await second.latest()).toEqual(record('1'));
    expect(Buffer.from(await second.get('manifests', digest)).toString()).toBe('one');
    await second.close();
  });

  it("refuses another program's database, a newer one, a folder and garbage", () => {
    using folder = scratch();
    const open = (path: string) => () => createSqliteHistory({ path, clock: systemClock });
    const other = folder.file('other.sqlite');
    const newer = folder.file('newer.sqlite');
    for (const [path, sql] of [
      [other, 'CREATE TABLE a (b)'],
      [newer, 'CREATE TABLE a (b); PRAGMA application_id = 1298483305; PRAGMA user_version = 2'],
    ] as const) {
      using database = new DatabaseSync(path);
      database.exec(sql);
    }
    const garbage = folder.file('garbage.sqlite');
    writeFileSync(garbage, 'x'.repeat(10_000));
    for (const path of [other, newer, garbage, folder.path, folder.file('no/such/folder')])
      expect(open(path)).toThrow(expect.objectContaining(UNAVAILABLE));
    expect(readFileSync(garbage, 'utf8')).toBe('x'.repeat(10_000));
  });

  it('is unavailable, not wrong, while another process holds it too long', async () => {
    using folder = scratch();
    const path = folder.file('history.sqlite');
    const history = createSqliteHistory({ path, clock: systemClock });
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const result = await history.compareAndSwap(null, record('1'));
    expect(result).toMatchObject({ type: 'unavailable', cause: UNAVAILABLE });
    expect(await history.latest()).toBeNull();
    other.exec('ROLLBACK');
    expect(await history.compareAndSwap(null, record('1'))).toEqual({ type: 'swapped' });
    await history.close();
  });
});

describe('createFileHistory', () => {
  it('makes folders and files that only their user may read', async () => {
    using parent = scratch();
    const folder = parent.file('history');
    const history = await createFileHistory({ folder });
    const digest = await history.put('manifests', bytes('one'));
    await history.compareAndSwap(null, record('1'));
    expect(statSync(`${folder}/manifests`).mode & 0o777).toBe(0o700);
    for (const file of [`manifests/${digest}`, 'transitions/latest'])
      expect(statSync(`${folder}/${file}`).mode & 0o777).toBe(0o600);
    await history.close();
  });

  it('writes damaged content again when somebody has it whole', async () => {
    using parent = scratch();
    const folder = parent.file('history');
    const history = await createFileHistory({ folder });
    const digest = await history.put('manifests', bytes('one'));
    writeFileSync(`${folder}/manifests/${digest}`, 'on');
    await expect(history.get('manifests', digest)).rejects.toMatchObject({
      code: 'MESH_ERR_HISTORY_CORRUPT',
    });
    await history.put('manifests', bytes('one'));
    expect(await history.get('manifests', digest)).toHaveLength(3);
    await history.close();
  });

  it('follows no link', async () => {
    using parent = scratch();
    const folder = parent.file('history');
    const history = await createFileHistory({ folder });
    writeFileSync(parent.file('secret'), 'one');
    const digest = sha256(bytes('one'));
    symlinkSync(parent.file('secret'), `${folder}/manifests/${digest}`);
    await expect(history.get('manifests', digest)).rejects.toMatchObject(UNAVAILABLE);
    await history.close();
  });

  it('tells its watchers that the watch ended, once, when the folder is gone', async () => {
    using parent = scratch();
    const folder = parent.file('history');
    const history = await createFileHistory({ folder });
    rmSync(folder, { recursive: true });
    const events: HistoryEvent[] = [];
    const stop = history.watch((event) => events.push(event));
    await until(() => events.length > 0, 'the watch says that it ended');
    expect(events).toEqual([
      { type: 'failed', message: expect.stringContaining('ENOENT') as string },
    ]);
    stop();
    await expect(history.put('manifests', bytes('a'))).rejects.toMatchObject(UNAVAILABLE);
    expect(await history.compareAndSwap(null, record('1'))).toMatchObject({ type: 'unavailable' });
    await history.close();
  });

  it('leaves nothing half-written where it cannot write', async () => {
    using parent = scratch();
    const folder = parent.file('history');
    const history = await createFileHistory({ folder });
    const digest = sha256(bytes('one'));
    mkdirSync(`${folder}/policies/${digest}`);
    await expect(history.put('policies', bytes('one'))).rejects.toMatchObject(UNAVAILABLE);
    expect(existsSync(`${folder}/policies/${digest}`)).toBe(true);
    await history.close();
    await expect(createFileHistory({ folder: parent.file('a/\0') })).rejects.toMatchObject(
      UNAVAILABLE,
    );
  });
});

describe('createFileFloor', () => {
  const floor = (generation: number) => ({
    generation,
    transition: sha256(bytes(`${generation}`)),
  });

  it('is null, then what it was raised to, over a restart, and never falls', async () => {
    using folder = scratch();
    const path = folder.file('floor.json');
    expect(await createFileFloor(path).read()).toBeNull();
    await createFileFloor(path).raise(floor(2));
    await createFileFloor(path).raise(floor(1));
    expect(await createFileFloor(path).read()).toEqual(floor(2));
    await createFileFloor(path).raise(floor(3));
    expect(await createFileFloor(path).read()).toEqual(floor(3));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is the highest of many that raise it at once', async () => {
    using folder = scratch();
    const path = folder.file('floor.json');
    const all = Array.from({ length: 12 }, (_, index) => index + 1);
    await Promise.all(all.map((generation) => createFileFloor(path).raise(floor(generation))));
    expect(await createFileFloor(path).read()).toEqual(floor(12));
  });

  it.each(['', '{', '{}', '{"generation":0,"transition":"ab"}', '[]', 'null'])(
    'that reads %j is corrupt: it is neither believed nor replaced',
    async (text) => {
      using folder = scratch();
      const path = folder.file('floor.json');
      writeFileSync(path, text);
      const corrupt = { code: 'MESH_ERR_HISTORY_CORRUPT' };
      await expect(createFileFloor(path).read()).rejects.toMatchObject(corrupt);
      await expect(createFileFloor(path).raise(floor(1))).rejects.toMatchObject(corrupt);
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );

  it('that cannot be read or written is unavailable', async () => {
    using folder = scratch();
    mkdirSync(folder.file('floor.json'));
    await expect(createFileFloor(folder.file('floor.json')).read()).rejects.toMatchObject(
      UNAVAILABLE,
    );
    const nowhere = createFileFloor(folder.file('no/floor.json'));
    await expect(nowhere.raise(floor(1))).rejects.toMatchObject(UNAVAILABLE);
  });
});
