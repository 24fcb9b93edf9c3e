import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KilledPrograms, emptyTally } from '../support/durable/killed-programs.ts';
import { scratch } from '../support/scratch.ts';
import { seededRandom } from '../support/supervised.ts';

/** Programs that run side by side, each on a journal of its own. */
const LANES = 4;
const ROUNDS = Number(process.env['MESH_KILL_ROUNDS'] ?? 1_000);

/** Processes whose command line names the folder. */
const processesIn = (folder: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      // It ended while it was looked at.
      return false;
    }
  });

describe('durable actors of a program that is killed', () => {
  it(`lose nothing, apply nothing twice, leave nothing: ${ROUNDS} real kill -9`, async () => {
    using folder = scratch();
    const tally = emptyTally();
    const startedMs = performance.now();
    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        const journal = folder.file(`journal-${lane}.sqlite`);
        const random = seededRandom(1 + lane);
        const programs = new KilledPrograms(journal, random, folder.file('cache'), tally);
        // Fills the compile cache, which a killed program does not write.
        await programs.round(true);
        for (let round = 0; round < ROUNDS / LANES; round++) await programs.round();
        await programs.round(true);
        await programs.round(true);
      }),
    );
    const orphans = processesIn(folder.path).length;
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    console.log(JSON.stringify({ ...tally, orphans, seconds }));
    expect({ ...tally, orphans }).toMatchObject({
      rounds: ROUNDS + 3 * LANES,
      lost: 0,
      twice: 0,
      premature: 0,
      repeated: 0,
      refused: 0,
      stuck: 0,
      orphans: 0,
    });
    expect(tally.acknowledged).toBeGreaterThan(ROUNDS);
  }, 900_000);
});
