/** Ours: machines whose every transition is committed, with FULL sync, before its effects are seen. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../../runtime/adapters/journal.sqlite.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { startTree } from '../../../runtime/start-tree.ts';
import { countdown, secondsOf } from './figures.ts';
import type { Figures } from './figures.ts';
import { lampMachine } from './lamp.ts';

/** Machines that share the commits. */
const LAMPS = 1000;

const paths: readonly `root/${string}`[] = Array.from(
  { length: LAMPS },
  (_, at) => `root/lamp-${at}` as const,
);

async function eventsPerSecond(size: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-durable-'));
  const journal = openJournal({ path: join(folder, 'journal.db'), clock: systemClock });
  const children = paths.map((_, at) => ({
    id: `lamp-${at}`,
    logic: lampMachine,
    resume: 'snapshot' as const,
  }));
  const tree = await startTree({ id: 'root', type: 'supervisor', children }, { journal });
  /** An answer is an effect, so it comes after the commit of all that was sent before. */
  const sendToAll = async (each: number): Promise<void> => {
    const { note, reached } = countdown(LAMPS);
    const ask = { type: 'ask' as const, answer: note };
    for (let at = 0; at < each; at++) for (const path of paths) tree.send(path, { type: 'next' });
    for (const path of paths) tree.send(path, ask);
    await reached;
  };
  const each = Math.ceil(size / LAMPS);
  await sendToAll(Math.ceil(each / 5));
  const seconds = await secondsOf(() => sendToAll(each));
  await tree.stop();
  journal.close();
  await rm(folder, { recursive: true });
  return ((each + 1) * LAMPS) / seconds;
}

export const figures: Figures = { durable: eventsPerSecond };
