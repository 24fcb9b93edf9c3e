import { describe, expect, it } from 'vitest';
import { endpointOf, join, planRequest, serve, slotReport } from '../support/fabric-world.ts';
import type { FabricWorld, MakeFabricWorld } from '../support/fabric-world.ts';
import { instanceRecord } from '../support/workload-samples.ts';

const places = async ({ fabric }: FabricWorld): Promise<string[]> =>
  (await fabric.assignments('hello')).map(({ node, ordinal }) => `${node} ${ordinal}`);

const urlsOf = async ({ fabric }: FabricWorld): Promise<string[]> =>
  (await fabric.endpoints('hello')).map(({ instance }) => instance);

const rolesOf = async ({ fabric }: FabricWorld): Promise<Record<string, string>> =>
  Object.fromEntries((await fabric.instances()).map(({ instance, role }) => [instance, role]));

/** What any implementation of the port owes about nodes, leases, endpoints and slot reports. */
export function fabricLeasesSuite(name: string, make: MakeFabricWorld): void {
  describe(`${name}: nodes`, () => {
    it('upserts, lists and removes', async () => {
      await using world = make();
      const record = { node: 'node-1', cpuMilli: 500, memoryMb: 0, expiresAtMs: 9 };
      await world.fabric.registerNode({ ...record, cpuMilli: 100 });
      await world.fabric.registerNode(record);
      expect(await world.fabric.nodes()).toEqual([record]);
      await world.fabric.removeNode('node-1');
      await world.fabric.removeNode('node-1');
      expect(await world.fabric.nodes()).toEqual([]);
    });

    it('gives a late node the slots that there was no room for', async () => {
      await using world = make();
      await join(world, 'node-1');
      await world.fabric.publishPlan(planRequest());
      await world.fabric.endDeployment('hello', 1, 'succeeded', null);
      await join(world, 'node-2');
      expect(await places(world)).toEqual(['node-1 0', 'node-2 0']);
      const permissions = (await world.fabric.assignments('hello')).map((one) => one.permission);
      expect(permissions).toEqual(['serve', 'serve']);
      expect(await world.fabric.plan('hello')).toMatchObject({ generation: 1 });
    });

    it('serves apps below their min before those that could have more', async () => {
      await using world = make();
      const { fabric, clock } = world;
      const register = (node: string, cpuMilli: number) =>
        fabric.registerNode({ node, cpuMilli, memoryMb: 0, expiresAtMs: clock.now() + 60_000 });
      await register('lost', 100);
      await fabric.publishPlan(planRequest({ app: 'zeta', max: 1 }));
      await register('node-1', 200);
      await fabric.publishPlan(planRequest({ min: 2 }));
      await fabric.removeNode('lost');
      for (const small of ['small-1', 'small-2']) await register(small, 1);
      expect(await fabric.assignments('zeta')).toEqual([]);
      await register('node-2', 100);
      expect(await fabric.assignments('zeta')).toMatchObject([{ node: 'node-2' }]);
      expect(await places(world)).toEqual(['node-1 0', 'node-1 1']);
    });

    it.each([
      ['blue_green', 'launch'],
      ['stop_first', 'hold'],
    ] as const)('lets a slot added during a %s deployment %s', async (strategy, permission) => {
      await using world = make();
      await join(world, 'node-1');
      await world.fabric.publishPlan(planRequest({ strategy }));
      await join(world, 'node-2');
      const added = (await world.fabric.assignments('hello')).at(-1);
      expect(added).toMatchObject({ node: 'node-2', permission });
    });

    it('places the slots of a removed node elsewhere and leaves the others', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2', 'node-3');
      await world.fabric.publishPlan(planRequest({ min: 3 }));
      await world.fabric.removeNode('node-2');
      const left = await places(world);
      expect(left).toHaveLength(3);
      expect(left).toEqual(expect.arrayContaining(['node-1 0', 'node-3 0']));
    });
  });

  describe(`${name}: sweep`, () => {
    it('drops leases that ended, and places the slots of lost nodes elsewhere', async () => {
      await using world = make();
      const { fabric, clock } = world;
      await join(world, 'node-1', 'node-2');
      await fabric.publishPlan(planRequest({ min: 2, max: 2 }));
      await serve(world, 'hello-1', 'hello-2');
      await clock.advance(9_000);
      await fabric.renew('node-1', ['hello-1'], clock.now() + 60_000);
      await clock.advance(1_000);
      expect(await fabric.sweep(clock.now())).toEqual({ endpoints: 0, nodes: 0 });
      await clock.advance(1);
      expect(await fabric.sweep(clock.now())).toEqual({ endpoints: 1, nodes: 0 });
      expect(await urlsOf(world)).toEqual(['hello-1']);
      await clock.advance(49_999);
      expect(await fabric.sweep(clock.now())).toEqual({ endpoints: 0, nodes: 0 });
      await clock.advance(1);
      expect(await fabric.sweep(clock.now())).toEqual({ endpoints: 0, nodes: 1 });
      expect((await fabric.nodes()).map(({ node }) => node)).toEqual(['node-1']);
      expect(await places(world)).toEqual(['node-1 0', 'node-1 1']);
    });

    it('keeps plans when the last node is lost, for the node that comes back', async () => {
      await using world = make();
      const { fabric, clock } = world;
      await join(world, 'node-1');
      await fabric.publishPlan(planRequest());
      await fabric.sweep(clock.now() + 60_001);
      expect(await places(world)).toEqual([]);
      await join(world, 'node-1');
      expect(await places(world)).toEqual(['node-1 0']);
      expect(await fabric.plan('hello')).toMatchObject({ generation: 1 });
    });
  });

  describe(`${name}: renew`, () => {
    it('extends the node and these endpoints, and revives none', async () => {
      await using world = make();
      const { fabric, clock } = world;
      await join(world, 'node-1');
      await serve(world, 'hello-1', 'hello-2');
      const later = clock.now() + 90_000;
      await fabric.renew('node-1', ['hello-1', 'absent'], later);
      expect(await fabric.nodes()).toMatchObject([{ node: 'node-1', expiresAtMs: later }]);
      const expiries = (await fabric.endpoints('hello')).map(({ expiresAtMs }) => expiresAtMs);
      expect(expiries).toEqual([later, clock.now() + 10_000]);
    });

    it('tells a node whose lease has ended to register again', async () => {
      await using world = make();
      const beat = world.fabric.renew('node-1', [], 1);
      await expect(beat).rejects.toMatchObject({ code: 'MESH_ERR_FABRIC_UNKNOWN_NODE' });
    });
  });

  describe(`${name}: switchEndpoints`, () => {
    it('adds and removes at once', async () => {
      await using world = make();
      await serve(world, 'old');
      const record = instanceRecord({ instance: 'new' });
      await world.fabric.recordInstance(record);
      const seen: string[][] = [];
      world.fabric.watchEndpoints((all) => seen.push(all.map(({ instance }) => instance)));
      await world.fabric.switchEndpoints([endpointOf(record)], ['old', 'absent']);
      expect(seen).toEqual([['old'], ['new']]);
      expect(await world.fabric.endpoints('hello')).toEqual([endpointOf(record)]);
      expect(await world.fabric.endpoints('other')).toEqual([]);
    });

    it('changes nothing where an instance ended meanwhile', async () => {
      await using world = make();
      await serve(world, 'old');
      const gone = endpointOf(instanceRecord({ instance: 'gone' }));
      await expect(world.fabric.switchEndpoints([gone], ['old'])).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_UNKNOWN_INSTANCE',
      });
      expect(await urlsOf(world)).toEqual(['old']);
    });

    it('refuses to add and remove the same instance', async () => {
      await using world = make();
      await serve(world, 'old');
      const old = endpointOf(instanceRecord({ instance: 'old' }));
      await expect(world.fabric.switchEndpoints([old], ['old'])).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_INVALID',
      });
    });

    it('loses the endpoint with its instance', async () => {
      await using world = make();
      await serve(world, 'hello-1');
      await world.fabric.forgetInstance('hello-1');
      expect(await urlsOf(world)).toEqual([]);
    });
  });

  describe(`${name}: promote`, () => {
    it('makes one the active one and retires the one before, at once', async () => {
      await using world = make();
      await serve(world, 'old');
      const record = instanceRecord({ instance: 'new' });
      await world.fabric.recordInstance(record);
      const seen: string[][] = [];
      world.fabric.watchEndpoints((all) => seen.push(all.map(({ instance }) => instance)));
      for (const _ of ['once', 'again']) await world.fabric.promote(endpointOf(record), 'old');
      expect(seen).toEqual([['old'], ['new']]);
      expect(await rolesOf(world)).toEqual({ old: 'retired', new: 'active' });
    });

    it('adds the first one of a slot', async () => {
      await using world = make();
      const record = instanceRecord({ instance: 'new' });
      await world.fabric.recordInstance(record);
      await world.fabric.promote(endpointOf(record), null);
      expect(await urlsOf(world)).toEqual(['new']);
      expect(await rolesOf(world)).toEqual({ new: 'active' });
    });

    it('changes nothing where the instance ended meanwhile', async () => {
      await using world = make();
      await serve(world, 'old');
      const gone = endpointOf(instanceRecord({ instance: 'gone' }));
      await expect(world.fabric.promote(gone, 'old')).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_UNKNOWN_INSTANCE',
      });
      expect(await urlsOf(world)).toEqual(['old']);
      expect(await rolesOf(world)).toEqual({ old: 'active' });
    });

    it('refuses an instance in place of itself', async () => {
      await using world = make();
      await serve(world, 'old');
      const old = endpointOf(instanceRecord({ instance: 'old' }));
      await expect(world.fabric.promote(old, 'old')).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_INVALID',
      });
    });
  });

  describe(`${name}: restoreEndpoints`, () => {
    it('adds what a lease took along, and nothing of instances that are not active', async () => {
      await using world = make();
      await serve(world, 'kept', 'lapsed');
      await world.fabric.switchEndpoints([], ['lapsed']);
      const ids = ['kept', 'lapsed', 'candidate', 'gone'];
      const records = ids.map((instance) => instanceRecord({ instance }));
      await world.fabric.recordInstance(instanceRecord({ instance: 'candidate' }));
      const expiresAtMs = world.clock.now() + 60_000;
      const all = records.map((record) => endpointOf(record, { expiresAtMs }));
      await world.fabric.restoreEndpoints(all);
      expect(await world.fabric.endpoints('hello')).toEqual(all.slice(0, 2));
    });
  });

  describe(`${name}: reportSlot`, () => {
    it('keeps the last report of each slot', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      const reason = { code: 'MESH_ERR_INSTANCE_EXITED', message: 'It ended.', signal: null };
      await fabric.reportSlot(slotReport({ state: 'launching' }));
      await fabric.reportSlot(slotReport({ state: 'backing_off', reason, restarts: 2 }));
      expect(await fabric.slotReports('hello')).toEqual([
        slotReport({ state: 'backing_off', reason, restarts: 2 }),
      ]);
    });

    it('ignores a report of an older generation, of a later one, and of an unknown app', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await fabric.publishPlan(planRequest());
      const newest = slotReport({ generation: 2 });
      await fabric.reportSlot(newest);
      await fabric.reportSlot(slotReport({ generation: 1, state: 'failed' }));
      await fabric.reportSlot(slotReport({ generation: 3, state: 'failed' }));
      await fabric.reportSlot(slotReport({ app: 'absent' }));
      expect(await fabric.slotReports('hello')).toEqual([newest]);
      expect(await fabric.slotReports('absent')).toEqual([]);
    });

    it('keeps what still drains until it has stopped', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await fabric.reportSlot(slotReport());
      await fabric.stopApp('hello');
      expect(await fabric.slotReports('hello')).toEqual([slotReport()]);
      await fabric.reportSlot(slotReport({ state: 'draining' }));
      expect(await fabric.slotReports('hello')).toEqual([slotReport({ state: 'draining' })]);
      await fabric.reportSlot(slotReport({ state: 'stopped' }));
      expect(await fabric.slotReports('hello')).toEqual([]);
    });

    it('drops a stopped report with its slot, and those of a node with the node', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await fabric.reportSlot(slotReport({ state: 'stopped' }));
      await fabric.reportSlot(slotReport({ node: 'node-2' }));
      expect(await fabric.slotReports('hello')).toHaveLength(2);
      await fabric.stopApp('hello');
      expect(await fabric.slotReports('hello')).toEqual([slotReport({ node: 'node-2' })]);
      await fabric.removeNode('node-2');
      expect(await fabric.slotReports('hello')).toEqual([]);
      await fabric.reportSlot(slotReport({ node: 'node-2', state: 'draining' }));
      expect(await fabric.slotReports('hello')).toEqual([]);
    });

    it('drops what an agent could not say before it was killed, once it is back', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await serve(world, 'hello-1');
      await fabric.reportSlot(slotReport());
      await fabric.stopApp('hello');
      await join(world, 'node-1');
      expect(await fabric.slotReports('hello')).toHaveLength(1);
      await fabric.forgetInstance('hello-1');
      await join(world, 'node-1');
      expect(await fabric.slotReports('hello')).toEqual([]);
    });

    it('cuts what a program wrote to a bounded size', async () => {
      await using world = make();
      await join(world, 'node-1');
      await world.fabric.publishPlan(planRequest());
      const logTail = Array.from({ length: 30 }, (_, line) => `${line} `.padEnd(2_000, 'x'));
      const reason = { code: 'X', message: 'm'.repeat(20_000), logTail };
      await world.fabric.reportSlot(slotReport({ state: 'failed', reason }));
      const [kept] = await world.fabric.slotReports('hello');
      expect(kept?.reason?.message).toHaveLength(10_000);
      expect(kept?.reason?.logTail).toEqual(logTail.slice(10).map((line) => line.slice(0, 1_000)));
    });
  });
}
