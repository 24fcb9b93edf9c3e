import { describe, expect, it } from 'vitest';
import { DIGEST_A, DIGEST_B, instanceRecord } from '../support/workload-samples.ts';
import { join, planRequest, serve, slotReport } from '../support/fabric-world.ts';
import type { FabricWorld, MakeFabricWorld } from '../support/fabric-world.ts';

const REASON = {
  code: 'MESH_ERR_INSTANCE_EXITED',
  message: 'It ended.',
  exitCode: 1,
  logTail: ['boom'],
};

const permissions = async ({ fabric }: FabricWorld): Promise<string[]> =>
  (await fabric.assignments('hello')).map(({ permission }) => permission);

const outcomes = async ({ fabric }: FabricWorld): Promise<string[]> =>
  (await fabric.history('hello')).map(({ generation, outcome }) => `${generation} ${outcome}`);

/** What any implementation of the port owes about plans, deployments and slots. */
export function fabricPlansSuite(name: string, make: MakeFabricWorld): void {
  describe(`${name}: publishPlan`, () => {
    it('gives the first plan generation 1 and records a pending deployment', async () => {
      await using world = make();
      const { fabric, clock } = world;
      await join(world, 'node-1', 'node-2');
      const plan = await fabric.publishPlan(planRequest());
      expect(plan).toEqual({
        ...planRequest(),
        generation: 1,
        restart: 0,
        intent: 'run',
        revertOf: null,
        publishedAtMs: clock.now(),
      });
      expect(await fabric.plan('hello')).toEqual(plan);
      expect(await fabric.apps()).toEqual(['hello']);
      const { nutrients: _nutrients, ...row } = planRequest();
      expect(await fabric.history('hello')).toEqual([
        {
          ...row,
          generation: 1,
          restart: 0,
          outcome: 'pending',
          reason: null,
          startedAtMs: clock.now(),
          endedAtMs: null,
        },
      ]);
    });

    it('makes the next generation and supersedes what is pending', async () => {
      await using world = make();
      await join(world, 'node-1');
      await world.fabric.publishPlan(planRequest());
      const plan = await world.fabric.publishPlan(planRequest({ digest: DIGEST_B }));
      expect(plan).toMatchObject({ generation: 2, digest: DIGEST_B });
      expect(await outcomes(world)).toEqual(['2 pending', '1 superseded']);
    });

    it.each([
      ['blue_green', 'launch'],
      ['stop_first', 'hold'],
    ] as const)('lets the slots of a %s plan %s', async (strategy, permission) => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      await world.fabric.publishPlan(planRequest({ strategy }));
      expect(await permissions(world)).toEqual([permission, permission]);
      await world.fabric.endDeployment('hello', 1, 'succeeded', null);
      await world.fabric.publishPlan(planRequest({ strategy }));
      expect(await permissions(world)).toEqual([permission, permission]);
    });

    it('keeps the revision of a scale and forces a new one on restart', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const { fabric } = world;
      await fabric.publishPlan(planRequest({ max: 1 }));
      expect(await fabric.publishPlan(planRequest({ max: 2 }))).toMatchObject({ restart: 0 });
      expect(await fabric.assignments('hello')).toHaveLength(2);
      const restarted = await fabric.publishPlan(planRequest({ restart: true }));
      expect(restarted).toMatchObject({ generation: 3, restart: 1, digest: DIGEST_A });
      expect(restarted).not.toHaveProperty('restartsIssued');
      expect(await fabric.publishPlan(planRequest())).toMatchObject({ restart: 1 });
    });

    it('does not use a restart count again that was reverted', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await fabric.endDeployment('hello', 1, 'succeeded', null);
      await fabric.publishPlan(planRequest({ restart: true }));
      await fabric.endDeployment('hello', 2, 'reverted', REASON);
      expect(await fabric.plan('hello')).toMatchObject({ generation: 3, restart: 0 });
      expect(await fabric.publishPlan(planRequest())).toMatchObject({ restart: 0 });
      const again = await fabric.publishPlan(planRequest({ restart: true }));
      expect(again).toMatchObject({ generation: 5, restart: 2 });
    });

    it('refuses what the budget does not hold, and changes nothing', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const { fabric } = world;
      await fabric.setBudget({ app: 'hello', maxInstances: 0, cpuMilli: 150, memoryMb: 0 });
      await fabric.publishPlan(planRequest());
      await expect(fabric.publishPlan(planRequest({ min: 2 }))).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_BUDGET_EXCEEDED',
        details: { limit: { source: 'budget', field: 'cpuMilli', fits: 1 } },
      });
      expect(await fabric.plan('hello')).toMatchObject({ generation: 1, min: 1 });
      expect(await outcomes(world)).toEqual(['1 pending']);
      expect(await fabric.assignments('hello')).toHaveLength(1);
    });

    it('sets the budget of a plan together with it, or not at all', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const { fabric } = world;
      const budget = { maxInstances: 2, cpuMilli: 0, memoryMb: 0 };
      await fabric.publishPlan(planRequest({ min: 2, budget }));
      const smaller = { ...budget, maxInstances: 1 };
      await expect(fabric.publishPlan(planRequest({ min: 2, budget: smaller }))).rejects.toThrow();
      expect(await fabric.budget('hello')).toEqual({ app: 'hello', ...budget });
    });

    it('refuses what the nodes do not hold beside other apps', async () => {
      await using world = make();
      const { fabric, clock } = world;
      const expiresAtMs = clock.now() + 60_000;
      await fabric.registerNode({ node: 'node-1', cpuMilli: 250, memoryMb: 0, expiresAtMs });
      await fabric.publishPlan(planRequest({ app: 'other', min: 2, max: 2 }));
      await expect(fabric.publishPlan(planRequest())).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_CAPACITY_EXCEEDED',
        details: { limit: { source: 'capacity', field: 'cpuMilli', fits: 0 } },
      });
      expect(await fabric.plan('hello')).toBeNull();
      expect(await fabric.apps()).toEqual(['other']);
    });

    it('refuses every plan while no node is known, but one for no instance', async () => {
      await using world = make();
      await expect(world.fabric.publishPlan(planRequest())).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_CAPACITY_EXCEEDED',
        details: { limit: { field: 'nodes' } },
      });
      const none = await world.fabric.publishPlan(planRequest({ min: 0, max: 0 }));
      expect(none).toMatchObject({ generation: 1, intent: 'run' });
      expect(await world.fabric.assignments('hello')).toEqual([]);
    });

    it.each([
      ['app', { app: 'Not A Name' }],
      ['digest', { digest: 'abc' as never }],
      ['min', { min: -1 }],
      ['max', { max: 1.5 }],
      ['nutrients.cpuMilli', { nutrients: { cpuMilli: Number.NaN, memoryMb: 0 } }],
      ['', { min: 4, max: 3 }],
      ['', { surprise: true }],
    ])('refuses a malformed %j', async (field, over) => {
      await using world = make();
      const given = { ...planRequest(), ...over };
      await expect(world.fabric.publishPlan(given)).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_INVALID',
        details: { field },
      });
    });
  });

  describe(`${name}: endDeployment`, () => {
    it('lets all slots serve after success', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      await world.fabric.publishPlan(planRequest());
      await world.clock.advance(5);
      const ended = await world.fabric.endDeployment('hello', 1, 'succeeded', null);
      expect(ended).toMatchObject({ outcome: 'succeeded', endedAtMs: world.clock.now() });
      expect(await permissions(world)).toEqual(['serve', 'serve']);
    });

    it('publishes the last succeeded plan again when a later one is reverted', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const { fabric } = world;
      await fabric.publishPlan(planRequest({ max: 1 }));
      await fabric.endDeployment('hello', 1, 'succeeded', null);
      await fabric.publishPlan(planRequest({ digest: DIGEST_B, version: '2.0.0', max: 2 }));
      const ended = await fabric.endDeployment('hello', 2, 'reverted', REASON);
      expect(ended).toMatchObject({ generation: 2, outcome: 'reverted', reason: REASON });
      const wanted = { generation: 3, revertOf: 2, digest: DIGEST_A, version: '1.0.0', max: 1 };
      expect(await fabric.plan('hello')).toMatchObject({ ...wanted, intent: 'run' });
      expect(await fabric.assignments('hello')).toMatchObject([
        { generation: 3, digest: DIGEST_A, permission: 'serve' },
      ]);
      expect(await outcomes(world)).toEqual(['2 reverted', '1 succeeded']);
    });

    it('passes over what was superseded or reverted before', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await fabric.endDeployment('hello', 1, 'succeeded', null);
      await fabric.publishPlan(planRequest({ digest: DIGEST_B }));
      await fabric.publishPlan(planRequest({ digest: DIGEST_B, max: 2 }));
      await fabric.endDeployment('hello', 3, 'reverted', null);
      expect(await fabric.plan('hello')).toMatchObject({ generation: 4, digest: DIGEST_A });
      await fabric.publishPlan(planRequest({ digest: DIGEST_B }));
      await fabric.endDeployment('hello', 5, 'reverted', null);
      expect(await fabric.plan('hello')).toMatchObject({
        generation: 6,
        digest: DIGEST_A,
        revertOf: 5,
      });
    });

    it('stops the app and says failed where nothing ever succeeded', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      const ended = await fabric.endDeployment('hello', 1, 'reverted', REASON);
      expect(ended).toMatchObject({ outcome: 'failed', reason: REASON });
      expect(await fabric.plan('hello')).toMatchObject({ generation: 2, intent: 'stop' });
      expect(await fabric.assignments('hello')).toEqual([]);
    });

    it('is ignored for a deployment that is no longer pending', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await fabric.publishPlan(planRequest({ digest: DIGEST_B }));
      expect(await fabric.endDeployment('hello', 1, 'reverted', null)).toBeNull();
      expect(await fabric.endDeployment('hello', 3, 'succeeded', null)).toBeNull();
      expect(await fabric.endDeployment('absent', 1, 'succeeded', null)).toBeNull();
      await fabric.endDeployment('hello', 2, 'succeeded', null);
      expect(await fabric.endDeployment('hello', 2, 'reverted', null)).toBeNull();
      expect(await fabric.plan('hello')).toMatchObject({ generation: 2, digest: DIGEST_B });
    });

    it('reverts to less than the former number where room has gone meanwhile', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const { fabric } = world;
      await fabric.publishPlan(planRequest({ min: 2 }));
      await fabric.endDeployment('hello', 1, 'succeeded', null);
      await fabric.publishPlan(planRequest({ digest: DIGEST_B }));
      await fabric.setBudget({ app: 'hello', maxInstances: 1, cpuMilli: 0, memoryMb: 0 });
      await fabric.endDeployment('hello', 2, 'reverted', null);
      expect(await fabric.assignments('hello')).toHaveLength(1);
    });
  });

  describe(`${name}: stopApp and removeApp`, () => {
    it('wants no instance, ends what is pending, and keeps the app known', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      const plan = await fabric.stopApp('hello');
      expect(plan).toMatchObject({ generation: 2, intent: 'stop', digest: DIGEST_A });
      expect(await outcomes(world)).toEqual(['1 stopped']);
      expect(await fabric.assignments('hello')).toEqual([]);
      expect(await fabric.apps()).toEqual(['hello']);
      expect(await fabric.stopApp('hello')).toEqual(plan);
    });

    it.each(['stopApp', 'removeApp'] as const)('gives room to other apps by %s', async (end) => {
      await using world = make();
      const { fabric, clock } = world;
      const expiresAtMs = clock.now() + 60_000;
      await fabric.registerNode({ node: 'node-1', cpuMilli: 200, memoryMb: 0, expiresAtMs });
      await fabric.registerNode({ node: 'node-2', cpuMilli: 100, memoryMb: 0, expiresAtMs });
      await fabric.publishPlan(planRequest({ app: 'other', min: 2, max: 2 }));
      await fabric.publishPlan(planRequest({ max: 2 }));
      expect(await fabric.assignments('hello')).toHaveLength(1);
      await fabric[end]('other');
      expect(await fabric.assignments('hello')).toHaveLength(2);
    });

    it('refuses to stop what is not known', async () => {
      await using world = make();
      const refusal = { code: 'MESH_ERR_FABRIC_UNKNOWN_APP' };
      await expect(world.fabric.stopApp('absent')).rejects.toMatchObject(refusal);
    });

    it('forgets an app only when no instance of it is recorded', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.setBudget({ app: 'hello', maxInstances: 3, cpuMilli: 0, memoryMb: 0 });
      await fabric.publishPlan(planRequest());
      await serve(world, 'hello-1');
      await fabric.reportSlot(slotReport());
      await fabric.stopApp('hello');
      await expect(fabric.removeApp('hello')).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_APP_RUNNING',
        details: { instances: ['hello-1'] },
      });
      await fabric.forgetInstance('hello-1');
      await fabric.removeApp('hello');
      await fabric.removeApp('hello');
      expect(await fabric.apps()).toEqual([]);
      expect(await fabric.plan('hello')).toBeNull();
      expect(await fabric.budget('hello')).toBeNull();
      expect(await fabric.history('hello')).toEqual([]);
      expect(await fabric.slotReports('hello')).toEqual([]);
    });
  });

  describe(`${name}: history`, () => {
    it('keeps 100 per app, and always the newest that succeeded', async () => {
      await using world = make();
      await join(world, 'node-1');
      const { fabric } = world;
      await fabric.publishPlan(planRequest());
      await fabric.endDeployment('hello', 1, 'succeeded', null);
      for (let round = 0; round < 120; round++)
        await fabric.publishPlan(planRequest({ digest: DIGEST_B }));
      const generations = (await fabric.history('hello')).map(({ generation }) => generation);
      expect(generations).toHaveLength(100);
      expect(generations.slice(0, 2)).toEqual([121, 120]);
      expect(generations.slice(-2)).toEqual([23, 1]);
      await fabric.endDeployment('hello', 121, 'reverted', null);
      expect(await fabric.plan('hello')).toMatchObject({ digest: DIGEST_A, revertOf: 121 });
    });
  });

  describe(`${name}: permit`, () => {
    it('changes the named slots of the current generation, and of no other', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const { fabric } = world;
      await fabric.publishPlan(planRequest({ strategy: 'stop_first' }));
      const [first] = await fabric.assignments('hello');
      if (!first) throw new Error('Two slots were placed.');
      await fabric.permit('hello', 1, [first], 'serve');
      expect(await permissions(world)).toEqual(['serve', 'hold']);
      await fabric.permit('hello', 2, [first], 'launch');
      await fabric.permit('hello', 1, [{ app: 'hello', node: 'absent', ordinal: 0 }], 'launch');
      expect(await permissions(world)).toEqual(['serve', 'hold']);
      const foreign = [{ app: 'other', node: 'node-1', ordinal: 0 }];
      await expect(fabric.permit('hello', 1, foreign, 'serve')).rejects.toMatchObject({
        code: 'MESH_ERR_FABRIC_INVALID',
      });
    });
  });

  describe(`${name}: recordInstance`, () => {
    it('keeps the newest record, lists by app and node, and forgets', async () => {
      await using world = make();
      const { fabric } = world;
      const first = instanceRecord({ instance: 'hello-1', createdAtMs: 1 });
      const process = { pid: 7, startTicks: 9, bootId: 'boot', token: first.token };
      const other = instanceRecord({
        instance: 'other-1',
        app: 'other',
        node: 'node-2',
        createdAtMs: 2,
      });
      await fabric.recordInstance(first);
      await fabric.recordInstance(other);
      await fabric.recordInstance({ ...first, process, port: 4001 });
      const wanted = { ...first, process, port: 4001 };
      expect(await fabric.instances()).toEqual([wanted, other]);
      expect(await fabric.instances({ app: 'hello' })).toEqual([wanted]);
      expect(await fabric.instances({ node: 'node-2' })).toEqual([other]);
      expect(await fabric.instances({ app: 'hello', node: 'node-2' })).toEqual([]);
      await fabric.forgetInstance('hello-1');
      await fabric.forgetInstance('hello-1');
      expect(await fabric.instances()).toEqual([other]);
    });
  });
}
