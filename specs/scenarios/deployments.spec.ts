import { describe, expect, it } from 'vitest';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { pairPath } from '../../actors/workload/paths.ts';
import { homeIdOf } from '../../runtime/home.ts';
import type { Mesh } from '../../runtime/mesh.ts';
import { deploy, deploymentOf, meshWorld, until } from '../support/mesh/world.ts';
import { processesOf } from '../support/mesh/processes-of.ts';
import { steadyLoad } from '../support/mesh/steady-load.ts';

const activeOf = async (mesh: Mesh) => (await mesh.ps()).filter(({ role }) => role === 'active');
const versionsOf = async (mesh: Mesh) => (await activeOf(mesh)).map(({ version }) => version);
const nodesOf = async (mesh: Mesh) => (await activeOf(mesh)).map(({ node }) => node);
const isQuiet = async (mesh: Mesh, count: number): Promise<boolean> => {
  const { instances, endpoints, state } = await mesh.status('hello');
  return state === 'running' && instances.length === count && endpoints.length === count;
};

describe('a deployment', () => {
  it('places one instance per node between min and max, and more where min asks for it', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    const digest = await world.spore({ version: '1.0.0' });
    await deploy(mesh, digest, { min: 1, max: 5 });
    expect(await nodesOf(mesh)).toEqual(['node-1', 'node-2', 'node-3']);

    const load = steadyLoad(`${mesh.edgeUrl}/hello/version`, 200);
    const up = await mesh.scale({ app: 'hello', min: 5, max: 5 });
    expect((await deploymentOf(mesh, 'hello', up.generation)).deployment.outcome).toBe('succeeded');
    expect(await activeOf(mesh)).toHaveLength(5);
    expect((await mesh.status('hello')).endpoints).toHaveLength(5);

    const before = new Set((await mesh.ps()).map(({ instance }) => instance));
    const down = await mesh.scale({ app: 'hello', min: 1, max: 1 });
    await deploymentOf(mesh, 'hello', down.generation);
    await until('four of five are gone', () => isQuiet(mesh, 1));
    // Scaling replaces nothing: the one that is left is one of those that were there.
    expect((await mesh.ps()).every(({ instance }) => before.has(instance))).toBe(true);
    expect((await load.stop()).failures).toEqual([]);
  });

  it('goes back with rollback, starts anew with restart, and remembers all of it', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    await deploy(mesh, await world.spore({ version: '1.0.0' }));
    await deploy(mesh, await world.spore({ version: '2.0.0' }));
    const back = await mesh.rollback('hello');
    await deploymentOf(mesh, 'hello', back.generation);
    expect(await versionsOf(mesh)).toEqual(['1.0.0', '1.0.0', '1.0.0']);

    await until('the old ones are gone', () => isQuiet(mesh, 3));
    const before = new Set((await mesh.ps()).map(({ instance }) => instance));
    const again = await mesh.restart('hello');
    await deploymentOf(mesh, 'hello', again.generation);
    expect((await activeOf(mesh)).some(({ instance }) => before.has(instance))).toBe(false);
    expect((await mesh.history('hello')).map((one) => [one.version, one.outcome])).toEqual([
      ['1.0.0', 'succeeded'],
      ['1.0.0', 'succeeded'],
      ['2.0.0', 'succeeded'],
      ['1.0.0', 'succeeded'],
    ]);
  });

  it('is superseded by a newer one, and the newer one wins', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    await deploy(mesh, await world.spore({ version: '1.0.0' }));
    const slow = await world.spore({ version: '2.0.0', mode: 'healthy_after:1500' });
    const quick = await world.spore({ version: '3.0.0' });
    const first = await mesh.run({ app: 'hello', digest: slow, min: 3, max: 3 });
    const second = await deploy(mesh, quick);
    expect(second.deployment.outcome).toBe('succeeded');
    expect(await versionsOf(mesh)).toEqual(['3.0.0', '3.0.0', '3.0.0']);
    const history = await mesh.history('hello');
    expect(history.find(({ generation }) => generation === first.generation)?.outcome).toBe(
      'superseded',
    );
    await until('nothing of the slower one is left', () => isQuiet(mesh, 3));
  });

  it('launches nothing twice when the same plan is published again', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    const digest = await world.spore({ version: '1.0.0' });
    await deploy(mesh, digest);
    const before = (await mesh.ps()).map(({ instance }) => instance).toSorted();
    await deploy(mesh, digest);
    expect((await mesh.ps()).map(({ instance }) => instance).toSorted()).toEqual(before);
  });

  it('stops a singleton before it starts the next, one slot after the other', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    await deploy(mesh, await world.spore({ version: '1.0.0' }), { strategy: 'stop_first' });
    let most = 0;
    const timer = setInterval(() => {
      const alive = processesOf(homeIdOf(world.home)).length;
      most = Math.max(most, alive);
    }, 5);
    const next = await world.spore({ version: '2.0.0' });
    const { deployment } = await deploy(mesh, next, { strategy: 'stop_first' });
    clearInterval(timer);
    expect(deployment.outcome).toBe('succeeded');
    expect(await versionsOf(mesh)).toEqual(['2.0.0', '2.0.0', '2.0.0']);
    expect(most).toBe(3);

    const broken = await world.spore({ version: '3.0.0', mode: 'exit:9' });
    const reverted = await deploy(mesh, broken, { strategy: 'stop_first' });
    expect(reverted.deployment.outcome).toBe('reverted');
    await until('the old revision serves again', () => isQuiet(mesh, 3));
    expect(await versionsOf(mesh)).toEqual(['2.0.0', '2.0.0', '2.0.0']);
  });

  it('stops, runs again, and is forgotten', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    const digest = await world.spore({ version: '1.0.0' });
    await deploy(mesh, digest);
    await mesh.stopApp('hello');
    await until('nothing runs', async () => (await mesh.ps()).length === 0);
    expect(processesOf(homeIdOf(world.home))).toEqual([]);
    expect((await mesh.status('hello')).state).toBe('stopped');
    expect((await fetch(`${mesh.edgeUrl}/hello/`)).status).toBe(503);

    expect((await deploy(mesh, digest)).deployment.outcome).toBe('succeeded');
    await mesh.remove('hello');
    expect(await mesh.apps()).toEqual([]);
    expect((await fetch(`${mesh.edgeUrl}/hello/`)).status).toBe(404);
    const asked = await mesh.status('hello').catch(codeOf);
    expect(asked).toBe('MESH_ERR_FABRIC_UNKNOWN_APP');
  });

  it('is refused where the budget cannot hold min, and limited by it below max', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    const digest = await world.spore({ version: '1.0.0' });
    const budget = { maxInstances: 2 };
    const refused = mesh.run({ app: 'hello', digest, min: 3, max: 3, budget }).catch(codeOf);
    expect(await refused).toBe('MESH_ERR_FABRIC_BUDGET_EXCEEDED');
    expect(await mesh.ps()).toEqual([]);
    const plan = await mesh.run({ app: 'hello', digest, min: 1, max: 3, budget });
    await deploymentOf(mesh, 'hello', plan.generation);
    expect(await activeOf(mesh)).toHaveLength(2);
  });

  it('is refused where the spore has another name, unless that is allowed', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    const digest = await world.spore({ version: '1.0.0' });
    const refused = mesh.run({ app: 'hello-staging', digest }).catch(codeOf);
    expect(await refused).toBe('MESH_ERR_FABRIC_NAME_MISMATCH');
    expect(await mesh.apps()).toEqual([]);
    const plan = await mesh.run({ app: 'hello-staging', digest, anyName: true });
    const { deployment } = await deploymentOf(mesh, 'hello-staging', plan.generation);
    expect(deployment.outcome).toBe('succeeded');
  });

  it('survives the crash of its actors: a pair, an agent, an instance, the edge', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    await deploy(mesh, await world.spore({ version: '1.0.0' }));
    const before = (await mesh.ps()).map(({ pid }) => pid).toSorted();
    const slot = { app: 'hello', node: 'node-1', ordinal: 0 };
    const [first] = await mesh.ps();
    const crashes: [string, { type: string; [key: string]: unknown }][] = [
      [pairPath(slot), { type: 'report.failed', message: 'as told' }],
      [pairPath(slot), { type: 'instance.lost', instance: first?.instance }],
      ['mesh/agents/node-1/@agent', { type: 'heartbeat.failed', message: 'as told' }],
      ['mesh/planner', { type: 'sweep.failed', message: 'as told' }],
      ['mesh/edge/listener', { type: 'routes.failed', message: 'as told' }],
    ];
    for (const [path, event] of crashes) {
      const restarted = new Promise<void>((resolve) => {
        const stop = mesh.tree.onReport((report) => {
          if (report.type !== 'restart' || report.path !== path) return;
          stop();
          resolve();
        });
      });
      mesh.tree.send(path, event);
      await restarted;
      await until(`all is well after ${path}`, () => isQuiet(mesh, 3));
      await until('the edge serves', async () => {
        // Refused while the listener restarts, which is what is waited for.
        const answer = await fetch(`${mesh.edgeUrl}/hello/version`).catch(() => undefined);
        return answer?.status === 200;
      });
    }
    expect((await mesh.ps()).map(({ pid }) => pid).toSorted()).toEqual(before);
  });

  it('shows a crash loop as such, and ends it with the next good version', async () => {
    await using world = await meshWorld();
    const mesh = await world.start({ nodes: 1 });
    const dying = await world.spore({ version: '1.0.0', mode: 'exit_after:120:4' });
    await deploy(mesh, dying, { min: 1, max: 1 });
    await until('the loop is seen', async () => {
      const { state } = await mesh.status('hello');
      return state === 'crash_looping';
    });
    const { why, slots } = await mesh.status('hello');
    expect(why).toContain('exited with code 4');
    expect(slots[0]?.restarts).toBeGreaterThanOrEqual(4);
    const good = await deploy(mesh, await world.spore({ version: '2.0.0' }), { min: 1, max: 1 });
    expect(good.deployment.outcome).toBe('succeeded');
    await until('it runs', () => isQuiet(mesh, 1));
  });
});
