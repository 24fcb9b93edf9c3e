import { describe, expect, it } from 'vitest';
import { homeIdOf } from '../../runtime/home.ts';
import { deploy, meshWorld, until } from '../support/mesh/world.ts';
import { processesOf } from '../support/mesh/processes-of.ts';

/** How often an instance is killed, in rounds of one to all at once. */
const KILLS = 100;
/** With more of them a round, which lasts as long as its longest back-off, kills more. */
const INSTANCES = 8;
const NODES = Array.from({ length: INSTANCES }, (_, index) => `node-${index + 1}`);

/** mulberry32: the seed is printed, so that a failing run can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('instances that are killed', () => {
  it('are all respawned, with no orphan, no duplicate, and the endpoint table right', async () => {
    await using world = await meshWorld();
    const mesh = await world.start({ nodes: INSTANCES });
    await deploy(mesh, await world.spore({ version: '1.0.0' }), { min: INSTANCES, max: INSTANCES });
    const homeId = homeIdOf(world.home);
    const seed = Date.now() % 2 ** 31;
    console.log(`seed ${seed}`);
    const random = randomOf(seed);
    const noticedMs: number[] = [];
    for (let killed = 0; killed < KILLS;) {
      const before = (await mesh.ps()).filter(({ role }) => role === 'active');
      const victims = before.filter(() => random() < 0.5).slice(0, KILLS - killed);
      if (victims.length === 0) continue;
      const at = performance.now();
      for (const { pid } of victims) process.kill(pid ?? 0, 'SIGKILL');
      const gone = new Set(victims.map(({ instance }) => instance));
      await until('the endpoints of the dead are removed', async () =>
        (await mesh.status('hello')).endpoints.every(({ instance }) => !gone.has(instance)),
      );
      noticedMs.push(performance.now() - at);
      killed += victims.length;
      await until('all instances serve again', async () => {
        const { endpoints, instances } = await mesh.status('hello');
        return endpoints.length === INSTANCES && instances.length === INSTANCES;
      });
      const { endpoints, instances } = await mesh.status('hello');
      const active = instances.filter(({ role }) => role === 'active');
      expect(active.map(({ node }) => node).toSorted()).toEqual(NODES);
      expect(endpoints.map(({ url }) => url).toSorted()).toEqual(
        active.map(({ port }) => `http://127.0.0.1:${port}`).toSorted(),
      );
      expect(
        processesOf(homeId)
          .map(({ pid }) => pid)
          .toSorted(),
      ).toEqual(active.map(({ pid }) => pid).toSorted());
      const pids = new Set<string>();
      for (let turn = 0; turn < 2 * INSTANCES; turn++) {
        const answer = await fetch(`${mesh.edgeUrl}/hello/hello`);
        expect(answer.status).toBe(200);
        pids.add(await answer.text());
      }
      expect(pids.size).toBe(INSTANCES);
    }
    const sorted = noticedMs.toSorted((a, b) => a - b);
    console.log(
      `${KILLS} kills; endpoint gone after ${sorted[sorted.length >> 1]?.toFixed(0)} ms (median), ` +
        `${sorted.at(-1)?.toFixed(0)} ms (worst)`,
    );
    const restarts = (await mesh.ps()).reduce((sum, row) => sum + row.restarts, 0);
    expect(restarts).toBe(KILLS);
  });
});
