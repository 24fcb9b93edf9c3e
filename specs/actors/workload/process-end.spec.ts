import { describe, expect, it } from 'vitest';
import { endProcess, killProcess } from '../../../actors/workload/process-end.ts';
import { TERMINATE_TIMEOUT_MS } from '../../../machines/workload/instance-rules.ts';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import { createFabric } from '../../../runtime/adapters/fabric.sqlite.ts';
import { planRequest } from '../../support/fabric-world.ts';
import { createFakeWorld } from '../../support/processes-worlds.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { playedWorkload } from '../../support/workload-tree.ts';

/** Started in a played machine; how long its end took, and what was noticed. */
async function ended(end: typeof endProcess, mode: string) {
  await using world = await createFakeWorld();
  const { clock, processes, machine } = world;
  const notices: string[] = [];
  const notice = (about: string): void => void notices.push(about);
  const identity = await processes.spawn(world.spec(mode));
  const startedAt = clock.monotonicNow();
  let tookMs: number | undefined;
  const done = end({ processes, clock, notice }, identity).then(() => {
    tookMs = clock.monotonicNow() - startedAt;
  });
  while (tookMs === undefined) await clock.advance(1);
  await done;
  return { tookMs, notices, left: machine.running.length };
}

describe('endProcess', () => {
  it('leaves it at SIGTERM where that is obeyed, and takes the group along', async () => {
    const { tookMs, left } = await ended(endProcess, 'no_listen,grandchild');
    expect(tookMs).toBeLessThan(50);
    expect(left).toBe(0);
  });

  it('kills what ignores SIGTERM, after the time that it is given', async () => {
    const { tookMs, left, notices } = await ended(endProcess, 'no_listen,ignore_sigterm');
    expect(tookMs).toBeGreaterThanOrEqual(TERMINATE_TIMEOUT_MS);
    expect(tookMs).toBeLessThan(TERMINATE_TIMEOUT_MS + 100);
    expect({ left, notices }).toEqual({ left: 0, notices: [] });
  });
});

describe('killProcess', () => {
  it('kills the living at once, with its group', async () => {
    const { tookMs, left } = await ended(killProcess, 'no_listen,ignore_sigterm,grandchild');
    expect(tookMs).toBeLessThan(50);
    expect(left).toBe(0);
  });

  it('leaves no process behind of which no record could be made', async () => {
    const clock = new VirtualClock();
    const fabric = createFabric({ path: ':memory:', clock });
    const refusing: Fabric = Object.create(fabric, {
      recordInstance: {
        value: async (record: Parameters<Fabric['recordInstance']>[0]) => {
          if (record.process !== null) throw new Error('The disk is full.');
          await fabric.recordInstance(record);
        },
      },
    }) as Fabric;
    await using world = await playedWorkload(['node-1'], { fabric: refusing }, clock);
    await fabric.publishPlan(planRequest({ max: 1 }));
    await clock.advance(2_000);
    expect((await fabric.history('hello'))[0]).toMatchObject({ outcome: 'failed' });
    expect(world.machine.running).toEqual([]);
    expect(await fabric.instances()).toEqual([]);
  });
});
