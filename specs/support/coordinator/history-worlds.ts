/** Each store of a history, as the compliance suite needs it: two handles, and a way to damage it. */
import { rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { ContentKind, History } from '../../../actors/coordinator/ports/history.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { createFileHistory } from '../../../runtime/adapters/history.fs.ts';
import { createSqliteHistory } from '../../../runtime/adapters/history.sqlite.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { scratch } from '../scratch.ts';
import { createDisk, createMemoryHistory } from './memory-history.ts';

export interface HistoryWorld extends AsyncDisposable {
  readonly history: History;
  /** Another handle of the same store, as another process has it. */
  readonly other: History;
  /** Writes past the port. */
  damage(kind: ContentKind, digest: Digest, bytes: Uint8Array): void;
  damageLatest(bytes: Uint8Array): void;
  remove(kind: ContentKind, digest: Digest): void;
}

export type MakeHistoryWorld = () => Promise<HistoryWorld>;

export const inMemory: MakeHistoryWorld = async () => {
  const disk = createDisk();
  const [history, other] = [createMemoryHistory(disk), createMemoryHistory(disk)];
  return {
    history,
    other,
    damage: (kind, digest, bytes) => disk.content.set(`${kind}/${digest}`, bytes),
    damageLatest: (bytes) => (disk.latest = bytes),
    remove: (kind, digest) => disk.content.delete(`${kind}/${digest}`),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([history.close(), other.close()]);
    },
  };
};

export const inSqlite: MakeHistoryWorld = async () => {
  const folder = scratch();
  const path = folder.file('history.sqlite');
  const [history, other] = [path, path].map((path) =>
    createSqliteHistory({ path, clock: systemClock }),
  ) as [History, History];
  const run = (sql: string, ...values: (string | Uint8Array)[]): void => {
    using database = new DatabaseSync(path);
    database.prepare(sql).run(...values);
  };
  return {
    history,
    other,
    damage: (kind, digest, bytes) =>
      run('UPDATE content SET bytes = ? WHERE kind = ? AND digest = ?', bytes, kind, digest),
    damageLatest: (bytes) =>
      run('INSERT INTO latest VALUES (1, ?) ON CONFLICT DO UPDATE SET record = ?', bytes, bytes),
    remove: (kind, digest) =>
      run('DELETE FROM content WHERE kind = ? AND digest = ?', kind, digest),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([history.close(), other.close()]);
      folder[Symbol.dispose]();
    },
  };
};

export const inFiles: MakeHistoryWorld = async () => {
  const parent = scratch();
  const folder = parent.file('history');
  const history = await createFileHistory({ folder });
  const other = await createFileHistory({ folder });
  return {
    history,
    other,
    damage: (kind, digest, bytes) => writeFileSync(`${folder}/${kind}/${digest}`, bytes),
    damageLatest: (bytes) => writeFileSync(`${folder}/transitions/latest`, bytes),
    remove: (kind, digest) => rmSync(`${folder}/${kind}/${digest}`),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([history.close(), other.close()]);
      parent[Symbol.dispose]();
    },
  };
};
