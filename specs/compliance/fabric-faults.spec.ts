import { describe, expect, it } from 'vitest';
import type { Fabric } from '../../actors/workload/ports/fabric.ts';
import { fabricError } from '../../machines/workload/fabric-errors.ts';
import { endpointOf, inMemory, join, planRequest, slotReport } from '../support/fabric-world.ts';
import { faulty } from '../support/faulty.ts';
import type { FaultPlan } from '../support/faulty.ts';
import { instanceRecord } from '../support/workload-samples.ts';

const error = (method: string): Error =>
  fabricError('MESH_ERR_FABRIC_UNAVAILABLE', `${method} was made to fail.`);

const plan = (methods: FaultPlan<Fabric>['methods'], seed = 1): FaultPlan<Fabric> => ({
  seed,
  methods,
  error,
});

const UNAVAILABLE = { code: 'MESH_ERR_FABRIC_UNAVAILABLE' };

describe('faulty', () => {
  it('refuses before anything is done, or after it was', async () => {
    await using world = inMemory();
    await join(world, 'node-1');
    const lost = faulty(world.fabric, plan({ publishPlan: { before: 1 } }));
    await expect(lost.port.publishPlan(planRequest())).rejects.toMatchObject(UNAVAILABLE);
    expect(await lost.port.plan('hello')).toBeNull();
    const mute = faulty(world.fabric, plan({ publishPlan: { after: 1 } }));
    await expect(mute.port.publishPlan(planRequest())).rejects.toMatchObject(UNAVAILABLE);
    expect(await mute.port.plan('hello')).toMatchObject({ generation: 1 });
    expect(mute.injected).toEqual([{ method: 'publishPlan', kind: 'after' }]);
  });

  it('throws from a synchronous method', async () => {
    await using world = inMemory();
    const { port } = faulty(world.fabric, plan({ '*': { before: 1 } }));
    expect(() => port.watchPlans(() => {})).toThrow('watchPlans was made to fail.');
    await expect(port.apps()).rejects.toMatchObject(UNAVAILABLE);
  });

  it('lets the first calls through, fails as often as it may, and heals', async () => {
    await using world = inMemory();
    const counted = faulty(world.fabric, plan({ apps: { before: 1, skip: 2, times: 2 } }));
    const results: string[] = [];
    for (let call = 0; call < 6; call++)
      results.push(
        await counted.port.apps().then(
          () => 'ok',
          () => 'refused',
        ),
      );
    expect(results).toEqual(['ok', 'ok', 'refused', 'refused', 'ok', 'ok']);
    const endless = faulty(world.fabric, plan({ apps: { before: 1 } }));
    endless.heal();
    expect(await endless.port.apps()).toEqual([]);
  });

  it('delays a call on the clock that it was given', async () => {
    await using world = inMemory();
    const methods = { apps: { delayMsMax: 1_000 } };
    const { port } = faulty(world.fabric, { ...plan(methods), clock: world.clock });
    let isDone = false;
    const call = port.apps().then(() => (isDone = true));
    await Promise.resolve();
    expect(isDone).toBe(false);
    await world.clock.advance(1_000);
    expect(isDone).toBe(true);
    await call;
  });

  it('does the same for the same seed, and another thing for another', async () => {
    const runs = [7, 7, 8].map(async (seed) => {
      await using world = inMemory();
      const { port, injected } = faulty(
        world.fabric,
        plan({ '*': { before: 0.3, after: 0.2 } }, seed),
      );
      for (let call = 0; call < 50; call++)
        await port.apps().catch((refusal: unknown) => expect(refusal).toMatchObject(UNAVAILABLE));
      return JSON.stringify(injected);
    });
    const [first, second, third] = await Promise.all(runs);
    expect(first).toBe(second);
    expect(first).not.toBe(third);
  });
});

describe('a fabric with faults', () => {
  it.each([1, 2, 3, 4, 5])('is where a caller who repeats wanted it (seed %i)', async (seed) => {
    await using world = inMemory();
    const faults = plan({ '*': { before: 0.3, after: 0.3 } }, seed);
    const { port, injected } = faulty(world.fabric, faults);
    const insist = async (call: () => Promise<unknown>): Promise<void> => {
      for (let attempt = 0; attempt < 100; attempt++)
        try {
          await call();
          return;
        } catch {
          // It is repeated, whether it was done or not: that is what this spec is about.
        }
      throw new Error('A hundred attempts failed.');
    };
    const expiresAtMs = world.clock.now() + 60_000;
    const node = { node: 'node-1', cpuMilli: 0, memoryMb: 0, expiresAtMs };
    const budget = { app: 'hello', maxInstances: 3, cpuMilli: 0, memoryMb: 0 };
    await insist(() => port.registerNode(node));
    await insist(() => port.setBudget(budget));
    await insist(() => port.publishPlan(planRequest()));
    const { generation } = (await world.fabric.plan('hello')) ?? { generation: 0 };
    const report = slotReport({ generation });
    const record = instanceRecord({ instance: 'hello-1' });
    await insist(() => port.recordInstance(record));
    await insist(() => port.reportSlot(report));
    await insist(() => port.promote(endpointOf(record), null));
    await insist(() => port.endDeployment('hello', generation, 'succeeded', null));
    expect(injected.length).toBeGreaterThan(0);
    expect(await world.fabric.budget('hello')).toEqual(budget);
    expect(await world.fabric.slotReports('hello')).toEqual([report]);
    expect(await world.fabric.instances()).toMatchObject([{ role: 'active' }]);
    expect((await world.fabric.history('hello'))[0]).toMatchObject({ outcome: 'succeeded' });
    await insist(() => port.forgetInstance('hello-1'));
    await insist(() => port.stopApp('hello'));
    await insist(() => port.removeApp('hello'));
    await insist(() => port.removeNode('node-1'));
    expect(await world.fabric.apps()).toEqual([]);
    expect(await world.fabric.nodes()).toEqual([]);
  });
});
