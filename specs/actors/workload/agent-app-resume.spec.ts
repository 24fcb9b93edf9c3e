import { describe, expect, it } from 'vitest';
import {
  agentAppChildSpec,
  createAgentAppLogic,
} from '../../../actors/workload/agent-app.actor.ts';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import type { InstanceRecord } from '../../../machines/workload/instance-record.ts';
import type { Assignment, SlotReport } from '../../../machines/workload/plan.ts';
import type { AgentAppContext } from '../../../machines/workload/succession.ts';
import { createTree } from '../../../supervisor/index.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { seededRandom } from '../../support/supervised.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { DIGEST_B, SLOT, assignment, instanceRecord } from '../../support/workload-samples.ts';

const PATH = 'mesh/agents/node-1/hello';

interface World {
  readonly journal: MemoryJournal;
  readonly clock: VirtualClock;
  /** What the fabric holds of the slot's instances. */
  records: readonly InstanceRecord[];
  desired: Assignment | null;
  /** Revisions of which a launch was tried; each fails. */
  readonly tried: InstanceRecord[];
  readonly reports: Omit<SlotReport, 'updatedAtMs'>[];
}

const newWorld = (desired: Assignment, journal = new MemoryJournal(), startMs?: number): World => ({
  journal,
  clock: new VirtualClock(startMs),
  records: [],
  desired,
  tried: [],
  reports: [],
});

/** The same disk in the next runtime; the time of the first one stands still from here on. */
const afterKill = ({ journal, clock, desired }: World, downMs = 0): World =>
  newWorld(desired as Assignment, new MemoryJournal(journal.image()), clock.now() + downMs);

/** A runtime with the pair of one slot, of which every launch fails. */
async function runtime(world: World) {
  const ports = {
    clock: world.clock,
    random: { hex: () => '00', fraction: () => 0 },
    fabric: {
      instances: async () => world.records,
      recordInstance: async (record: InstanceRecord) => {
        world.tried.push(record);
        throw new Error('The disk is full.');
      },
      reportSlot: async (report: SlotReport) => void world.reports.push(report),
    },
    tree: { snapshotOf: () => undefined, send: () => true, terminateChild: async () => ({}) },
  } as unknown as WorkloadPorts;
  const logic = createAgentAppLogic(ports, SLOT, createInstanceLogic(ports));
  const pair = agentAppChildSpec(logic, SLOT, () => world.desired);
  const tree = createTree(
    { id: 'mesh', type: 'supervisor', children: [agents([pair])] },
    { clock: world.clock, random: seededRandom(1), journal: world.journal },
  );
  await tree.start();
  await world.clock.advance(0);
  return {
    tree,
    context: () =>
      (tree.snapshotOf(PATH) as unknown as { readonly context: AgentAppContext }).context,
  };
}

const agents = (children: readonly ReturnType<typeof agentAppChildSpec>[]) => ({
  id: 'agents',
  type: 'supervisor' as const,
  children: [{ id: 'node-1', type: 'supervisor' as const, children }],
});

/** Fails seven times in a row, and has half a second of its eighth wait behind it. */
async function crashLooping() {
  const world = newWorld(assignment());
  const { context } = await runtime(world);
  while (context().failures < 7) await world.clock.advance(50);
  await world.clock.advance(1_500);
  return world;
}

describe('an agent/app pair whose runtime was killed', () => {
  it('goes on in its crash loop and waits no more than what is left of its back-off', async () => {
    const first = await crashLooping();
    const next = afterKill(first, 500);
    const { context } = await runtime(next);
    const { waitMs, failures } = context();
    expect([failures, next.tried.length]).toEqual([7, 0]);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(3_200 - 2_000 + 50);
    await next.clock.advance((waitMs ?? 0) - 1);
    expect(next.tried).toHaveLength(0);
    await next.clock.advance(1);
    expect(next.tried).toHaveLength(1);
    expect(context()).toMatchObject({ failures: 8, waitMs: null });
  });

  it('tries at once when its wait was over while nothing ran', async () => {
    const next = afterKill(await crashLooping(), 60_000);
    await runtime(next);
    expect(next.tried).toHaveLength(1);
  });

  it('begins with a clean slate when another revision is wanted by now', async () => {
    const next = afterKill(await crashLooping());
    next.desired = assignment({ digest: DIGEST_B, generation: 2 });
    const { context } = await runtime(next);
    expect(next.tried.map(({ digest }) => digest)).toEqual([DIGEST_B]);
    expect(context()).toMatchObject({ failures: 1, generation: 2 });
  });

  it('knows which revision it served, and brings it back while the next one is on hold', async () => {
    const served = instanceRecord({
      role: 'active',
      process: { pid: 7, startTicks: 7, bootId: 'b', token: '00'.repeat(16) },
    });
    const first = newWorld(assignment({ digest: DIGEST_B, generation: 2, permission: 'hold' }));
    first.records = [served];
    await runtime(first);
    await first.clock.advance(2_000);
    // Whatever ended the runtime ended its instances with it.
    const next = afterKill(first);
    await runtime(next);
    expect(next.tried.map(({ digest }) => digest)).toEqual([served.digest]);
  });
});
