import { describe, expect, it } from 'vitest';
import type { StateguardContext } from '../../../machines/coordinator/stateguard.machine.ts';
import { CoordinatorWorld } from '../../support/coordinator/coordinator-world.ts';
import type { Member } from '../../support/coordinator/coordinator-world.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';

const NAME = 'c0';

const guardOf = ({ tree }: Member) =>
  tree.snapshotOf(`${NAME}/stateguard`) as unknown as {
    readonly value: unknown;
    readonly context: StateguardContext;
  };

/** A Coordinator that was ready, and the disk that its program left behind. */
async function killedWhenReady(world: CoordinatorWorld) {
  const journal = new MemoryJournal();
  const first = await world.add({ name: NAME, journal });
  await world.until(first.set());
  await world.clock.advance(2_000);
  const { held } = guardOf(first).context;
  const disk = new MemoryJournal(journal.image());
  await world.kill(first);
  return { held, disk, floor: first.floor };
}

describe('a guard whose program was killed', () => {
  it('is not ready, because memory is gone, and knows what it served last', async () => {
    await using world = new CoordinatorWorld();
    const { held, disk, floor } = await killedWhenReady(world);
    expect(held).toMatchObject({ generation: 1 });
    const next = await world.add({ name: NAME, journal: disk, floor });
    await world.clock.advance(100);
    expect(next.status).toBe('recovering');
    expect(guardOf(next).context).toMatchObject({ held: null, served: held });
  });

  it('writes nothing but hashes and counters to the journal', async () => {
    await using world = new CoordinatorWorld();
    const { disk } = await killedWhenReady(world);
    const { snapshot } = disk.recordOf(`${NAME}/stateguard`) as {
      readonly snapshot: { readonly context: object };
    };
    const { context } = snapshot;
    expect(Object.keys(context).toSorted()).toEqual([
      'failure',
      'held',
      'isStored',
      'isSuperseded',
      'served',
    ]);
  });
});
