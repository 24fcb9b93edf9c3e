import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Random } from '../../../machines/kernel/random.ts';
import { scratch } from '../../support/scratch.ts';
import { seededRandom } from '../../support/supervised.ts';

const KILLS = Number(process.env['MESH_STORE_KILLS'] ?? 15);
const PROGRAM = fileURLToPath(new URL('../../support/gossip/store-program.ts', import.meta.url));
const BATCH = 10;
/** Answers before the kill, at most; the kill comes in the middle of the next. */
const ANSWERS = 60;

const tally = { kills: 0, stored: 0, missing: 0, halves: 0, numbers: 0, twice: 0 };
const numbers = new Set<string>();

/** One program, killed after some answers or while it starts. */
async function round(path: string, cache: string, random: Random): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, path, String(tally.stored)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: cache, NODE_ENV: 'production' },
  });
  let left = Math.floor(random.fraction() * ANSWERS);
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    hear(line.split(' '));
    if (left-- === 0) setTimeout(() => child.kill('SIGKILL'), random.fraction() * 3);
  });
  await Promise.all([ended, once(lines, 'close')]);
  tally.kills++;
}

function hear([what, value = '', missing = '0']: readonly string[]): void {
  if (what === 'stored') tally.stored = Number(value);
  else if (what === 'found') {
    tally.missing += Number(missing);
    if (Number(value) % BATCH !== 0) tally.halves++;
  } else {
    if (numbers.has(value)) tally.twice++;
    numbers.add(value);
    tally.numbers++;
  }
}

describe('a peer that is killed', () => {
  it(`has all that it acknowledged, no half of a batch, and no number twice: ${KILLS} kill -9`, async () => {
    using folder = scratch();
    const random = seededRandom(7);
    for (let kill = 0; kill < KILLS; kill++)
      await round(folder.file('peer.sqlite'), folder.file('cache'), random);
    console.log(JSON.stringify(tally));
    expect(tally).toMatchObject({ kills: KILLS, missing: 0, halves: 0, twice: 0 });
    expect(tally.stored).toBeGreaterThan(KILLS);
  }, 900_000);
});
