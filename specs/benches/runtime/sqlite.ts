/** node:sqlite by hand: one commit for each snapshot, with FULL sync, in write-ahead mode. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createActor } from 'xstate';
import { secondsOf } from './figures.ts';
import type { Figures } from './figures.ts';
import { lampMachine } from './lamp.ts';

async function eventsPerSecond(size: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-sqlite-'));
  const db = new DatabaseSync(join(folder, 'snapshots.db'));
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  db.exec('CREATE TABLE snapshots (seq INTEGER PRIMARY KEY, path TEXT, snapshot TEXT) STRICT');
  const insert = db.prepare('INSERT INTO snapshots (path, snapshot) VALUES (?, ?)');
  const actor = createActor(lampMachine).start();
  const seconds = await secondsOf(() => {
    for (let at = 0; at < size; at++) {
      actor.send({ type: 'next' });
      insert.run('root/lamp-0', JSON.stringify(actor.getPersistedSnapshot()));
    }
  });
  db.close();
  await rm(folder, { recursive: true });
  return size / seconds;
}

/** A tenth of the events: each takes as long as a disk's sync. */
export const figures: Figures = { durable: (size) => eventsPerSecond(size / 10) };
