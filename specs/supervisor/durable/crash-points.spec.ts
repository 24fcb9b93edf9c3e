import { describe, expect, it } from 'vitest';
import { durable, program, tallyThat } from '../../support/durable-world.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import type { DiskImage } from '../../support/memory-journal.ts';
import { seededRandom } from '../../support/supervised.ts';
import { settle } from '../../support/virtual-clock.ts';

interface Point {
  readonly disk: DiskImage;
  readonly acknowledged: readonly string[];
  readonly seen: readonly number[];
}

/** Runs random mail, and takes the disk at each commit: before it, after it, and in between. */
async function pointsOf(seed: number): Promise<Point[]> {
  const random = seededRandom(seed);
  const points: Point[] = [];
  const acknowledged: string[] = [];
  const seen: number[] = [];
  const journal = new MemoryJournal();
  const logic = tallyThat((what) => seen.push(Number(what.split(' ')[1])));
  const world = await program(journal, [durable(logic)]);
  const note = (): void => {
    points.push({ disk: journal.image(), acknowledged: [...acknowledged], seen: [...seen] });
  };
  journal.onCommit = note;
  for (let at = 0; at < 40; at++) {
    const id = `${at}`;
    const event = random.fraction() < 0.2 ? { type: 'throw' } : { type: 'add', by: 1 };
    void world.tree.sendDurably('root/a', event, { id }).then(
      () => acknowledged.push(id),
      () => {},
    );
    if (random.fraction() < 0.4) await settle(1);
    note();
  }
  await settle();
  note();
  await world[Symbol.asyncDispose]();
  return points;
}

describe('a crash at any commit', () => {
  it.each([1, 2, 3, 4])(
    'loses nothing, repeats nothing, reveals nothing (seed %i)',
    async (seed) => {
      const points = await pointsOf(seed);
      let [lost, twice, premature] = [0, 0, 0];
      for (const { disk, acknowledged, seen } of points) {
        const journal = new MemoryJournal(disk);
        await using next = await program(journal, [durable(tallyThat(() => {}))]);
        const ids = journal.load('root/a')?.ids ?? [];
        const { context } = next.tree.snapshotOf('root/a') as unknown as {
          context: { count: number };
        };
        lost += acknowledged.filter((id) => !ids.includes(id)).length;
        twice += context.count === ids.length ? 0 : 1;
        premature += seen.filter((count) => count > context.count).length;
      }
      expect({ points: points.length > 60, lost, twice, premature }).toEqual({
        points: true,
        lost: 0,
        twice: 0,
        premature: 0,
      });
    },
  );
});
