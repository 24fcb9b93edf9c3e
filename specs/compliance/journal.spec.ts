import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { openJournal } from '../../runtime/adapters/journal.sqlite.ts';
import type { Journal } from '../../supervisor/index.ts';
import { MemoryJournal, diskFull } from '../support/memory-journal.ts';
import { scratch } from '../support/scratch.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { journalSuite } from './journal.suite.ts';
import type { JournalWorld } from './journal.suite.ts';

function inMemory(): JournalWorld {
  let last = new MemoryJournal();
  return {
    open: () => (last = new MemoryJournal(last.image())),
    damage: (path) => last.tear(path),
    openOnFullDisk: () => {
      last = new MemoryJournal(last.image());
      last.onCommit = (moment) => {
        if (moment === 'before') throw diskFull();
      };
      return last;
    },
    [Symbol.dispose]: () => {},
  };
}

function inFile(): JournalWorld {
  const folder = scratch();
  const path = folder.file('journal.sqlite');
  const clock = new VirtualClock();
  let last: Journal | undefined;
  return {
    open: () => {
      // The lock of a program that died is free at once; here it lives, so it must let go.
      last?.close();
      return (last = openJournal({ path, clock }));
    },
    damage: (of) => {
      last?.close();
      const db = new DatabaseSync(path);
      db.prepare("UPDATE journal SET record = replace(record, '1', '2') WHERE path = ?").run(of);
      db.close();
    },
    openOnFullDisk: () => {
      last?.close();
      const { size } = statSync(path);
      return (last = openJournal({ path, clock, bytesMax: size + 8192 }));
    },
    [Symbol.dispose]: () => {
      last?.close();
      folder[Symbol.dispose]();
    },
  };
}

journalSuite('in memory', inMemory);
journalSuite('in a file', inFile);
