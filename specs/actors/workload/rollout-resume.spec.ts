import { describe, expect, it } from 'vitest';
import { createRolloutLogic, rolloutChildSpec } from '../../../actors/workload/rollout.actor.ts';
import { PHASE_TIMEOUT_MS } from '../../../machines/workload/rollout.machine.ts';
import { createTree } from '../../../supervisor/index.ts';
import { inMemory, join, planRequest } from '../../support/fabric-world.ts';
import type { FabricWorld } from '../../support/fabric-world.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { seededRandom } from '../../support/supervised.ts';
import { VirtualClock, settle } from '../../support/virtual-clock.ts';

/** A runtime with one rollout. */
async function runtime({ fabric }: FabricWorld, journal: MemoryJournal, clock: VirtualClock) {
  const plan = await fabric.plan('hello');
  if (!plan) throw new Error('There is no plan.');
  const children = [rolloutChildSpec(createRolloutLogic({ fabric }), plan)];
  const tree = createTree(
    { id: 'rollouts', type: 'supervisor', children },
    { clock, random: seededRandom(1), journal },
  );
  await tree.start();
  return tree;
}

describe('a rollout', () => {
  it('waits for silent slots no longer because its runtime was killed', async () => {
    await using world = inMemory();
    await join(world, 'node-1');
    await world.fabric.publishPlan(planRequest());
    const journal = new MemoryJournal();
    const before = new VirtualClock();
    await runtime(world, journal, before);
    await before.advance(PHASE_TIMEOUT_MS / 2);

    // The time of the first runtime stands still from here on, as if it had been killed.
    const disk = new MemoryJournal(journal.image());
    const after = new VirtualClock(before.now());
    const next = await runtime(world, disk, after);
    await after.advance(PHASE_TIMEOUT_MS / 2 - 1);
    expect((await world.fabric.history('hello'))[0]?.outcome).toBe('pending');
    await after.advance(1);
    await settle();
    expect((await world.fabric.history('hello'))[0]).toMatchObject({
      reason: { code: 'MESH_ERR_ROLLOUT_TIMEOUT' },
    });
    await next.stop();
    expect(disk.load('rollouts/hello@1')?.record).toBeNull();
  });

  it('reads the fabric anew when it fails after it was continued', async () => {
    await using world = inMemory();
    await join(world, 'node-1');
    await world.fabric.publishPlan(planRequest());
    const journal = new MemoryJournal();
    journal.forge(
      'rollouts/hello@1',
      JSON.stringify({
        format: 1,
        machine: 'rollout',
        savedAtMs: 0,
        snapshot: {
          status: 'active',
          value: 'crashing',
          historyValue: {},
          context: { app: 'hello', generation: 1, assignments: [], reports: [], isSeen: true },
          children: {
            '0.rollout.crashing': {
              src: 'crash',
              snapshot: { status: 'active', input: { message: 'silent' } },
            },
          },
        },
      }),
    );
    const tree = await runtime(world, journal, world.clock);
    await world.clock.advance(100);
    expect(journal.quarantined()).toMatchObject([{ code: 'MESH_ERR_JOURNAL_SNAPSHOT_REFUSED' }]);
    expect(tree.snapshotOf('rollouts/hello@1')).toMatchObject({ value: { running: 'proving' } });
    await tree.stop();
  });
});
