/** A runtime that sleeps, or comes back as another: what it left, and what it finds. */
import { describe, expect, it } from 'vitest';
import { HEARTBEAT_MS, LEASE_MS } from '../../actors/workload/lease.ts';
import { homeIdOf } from '../../runtime/home.ts';
import type { MeshControl } from '../../runtime/control/mesh-control.ts';
import { startMeshProcess } from '../support/mesh/process.ts';
import { deploy, meshWorld, until } from '../support/mesh/world.ts';
import { processesOf } from '../support/mesh/processes-of.ts';

const pidsOf = async (control: Pick<MeshControl, 'ps'>): Promise<number[]> =>
  (await control.ps()).map(({ pid }) => pid ?? 0).toSorted();

describe('a runtime that is stopped for longer than a lease', () => {
  it('goes on with the same instances, and serves all the while', async () => {
    await using world = await meshWorld();
    const digest = await world.spore({ version: '1.0.0' });
    await using mesh = await startMeshProcess(world.home);
    await mesh.control.run({ app: 'hello', digest, min: 3, max: 3 });
    await until('three instances serve', async () => {
      const { state, endpoints } = await mesh.control.status('hello');
      return state === 'running' && endpoints.length === 3;
    });
    const before = await pidsOf(mesh.control);
    await mesh.pause(LEASE_MS + 5_000);
    const deadline = performance.now() + LEASE_MS + 2 * HEARTBEAT_MS;
    while (performance.now() < deadline) {
      const { endpoints } = await mesh.control.status('hello');
      expect(endpoints).toHaveLength(3);
      expect((await fetch(`${mesh.edgeUrl}/hello/version`)).status).toBe(200);
    }
    expect(await pidsOf(mesh.control)).toEqual(before);
    expect((await mesh.control.status('hello')).state).toBe('running');
  });
});

describe('a mesh that starts with fewer nodes', () => {
  it('ends the instances of the others, and places their slots on those it has', async () => {
    await using world = await meshWorld();
    const digest = await world.spore({ version: '1.0.0' });
    const first = await world.start({ nodes: 3 });
    await deploy(first, digest);
    const [kept] = (await first.ps()).filter(({ node }) => node === 'node-1');
    await first.detach();
    const before = processesOf(homeIdOf(world.home)).map(({ pid }) => pid);
    expect(before).toHaveLength(3);

    const second = await world.start({ nodes: 1 });
    const left = processesOf(homeIdOf(world.home)).map(({ pid }) => pid);
    expect(before.filter((pid) => left.includes(pid))).toEqual([kept?.pid]);
    await until('all three slots are served by one node', async () => {
      const { state, endpoints, instances } = await second.status('hello');
      return state === 'running' && endpoints.length === 3 && instances.length === 3;
    });
    const rows = await second.ps();
    expect(rows.map(({ node }) => node)).toEqual(['node-1', 'node-1', 'node-1']);
    expect(rows.map(({ pid }) => pid)).toContain(kept?.pid);
    const alive = processesOf(homeIdOf(world.home)).map(({ pid }) => pid);
    expect(alive.toSorted()).toEqual(await pidsOf(second));
  });
});
