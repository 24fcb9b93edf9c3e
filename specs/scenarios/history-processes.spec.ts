import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { History } from '../../actors/coordinator/ports/history.ts';
import { decodeTransition } from '../../machines/coordinator/transition.ts';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import { createFileHistory } from '../../runtime/adapters/history.fs.ts';
import { createSqliteHistory } from '../../runtime/adapters/history.sqlite.ts';
import { scratch } from '../support/scratch.ts';

const WRITER = fileURLToPath(new URL('../support/coordinator/history-writer.ts', import.meta.url));
const WRITERS = 10;
const WINS = 15;
const KILLS = 12;

const STORES = {
  sqlite: async (path: string): Promise<History> =>
    createSqliteHistory({ path, clock: systemClock }),
  files: (folder: string): Promise<History> => createFileHistory({ folder }),
};

interface Run {
  readonly store: string;
  readonly path: string;
  readonly name: string;
  readonly wins: number;
  /** Kills it some time within the swap that follows this many acknowledged ones. */
  readonly killAfter?: number;
}

/** The transitions that a writer said were acknowledged, and its exit code. */
async function runWriter({ store, path, name, wins, killAfter = Infinity }: Run) {
  const args = [WRITER, store, path, name, String(wins)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<number | null>((resolve) => {
    child.on('exit', resolve);
  });
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += chunk;
    if (text.split('\n').length > killAfter && !child.killed)
      setTimeout(() => child.kill('SIGKILL'), Math.random() * 8);
  }
  // What follows the last line break was cut by the kill.
  return { said: text.split('\n').slice(0, -1), code: await exited };
}

/** Ids from the first transition to the latest. */
async function chainOf(history: History): Promise<string[]> {
  const chain: string[] = [];
  let next = (await history.latest())?.transition ?? null;
  for (; next !== null; next = decodeTransition(await history.get('transitions', next)).previous)
    chain.push(next);
  return chain.toReversed();
}

describe.each(Object.entries(STORES))('a history in %s, between processes', (store, openStore) => {
  it(`gives each of ${WRITERS} racing writers its wins, and loses none`, async () => {
    using folder = scratch();
    const path = folder.file('history');
    const names = Array.from({ length: WRITERS }, (_, index) => `w${index}`);
    const runs = await Promise.all(
      names.map((name) => runWriter({ store, path, name, wins: WINS })),
    );
    expect(runs.map(({ code }) => code)).toEqual(names.map(() => 0));
    const history = await openStore(path);
    const chain = await chainOf(history);
    await history.close();
    expect(chain).toHaveLength(WRITERS * WINS);
    expect(chain.toSorted()).toEqual(runs.flatMap(({ said }) => said).toSorted());
    for (const { said } of runs) expect(chain.filter((id) => said.includes(id))).toEqual(said);
  });

  it('keeps every acknowledged transition of a writer that is killed', async () => {
    using folder = scratch();
    const path = folder.file('history');
    const history = await openStore(path);
    let acknowledged: string[] = [];
    for (let kill = 1; kill <= KILLS; kill++) {
      const killAfter = Math.ceil(Math.random() * 10);
      const name = `k${kill}`;
      const { said } = await runWriter({ store, path, name, wins: Infinity, killAfter });
      acknowledged = [...acknowledged, ...said];
      const chain = await chainOf(history);
      expect(chain.filter((id) => acknowledged.includes(id))).toEqual(acknowledged);
      // One more for each kill may have been kept and not acknowledged.
      expect(chain.length - acknowledged.length).toBeLessThanOrEqual(kill);
    }
    expect(acknowledged.length).toBeGreaterThan(KILLS);
    await history.close();
  });
});
