import { describe, expect, it } from 'vitest';
import { homeIdOf } from '../../runtime/home.ts';
import type { MeshControl } from '../../runtime/control/mesh-control.ts';
import { startMeshProcess } from '../support/mesh/process.ts';
import { meshWorld, until } from '../support/mesh/world.ts';
import { processesOf } from '../support/mesh/processes-of.ts';

/** How often the whole runtime is killed, each time at another moment of a deployment. */
const CRASHES = 15;

const pidsOf = async (control: MeshControl): Promise<number[]> =>
  (await control.ps()).map(({ pid }) => pid ?? 0).toSorted();

const isSettled = async (control: MeshControl, digest: string): Promise<boolean> => {
  const { state, instances, endpoints } = await control.status('hello');
  return (
    state === 'running' &&
    endpoints.length === 3 &&
    instances.length === 3 &&
    instances.every((row) => row.role === 'active' && row.digest === digest)
  );
};

describe('a runtime that is killed', () => {
  it('adopts the living instances at its next start, and loses none', async () => {
    await using world = await meshWorld();
    const digest = await world.spore({ version: '1.0.0' });
    const homeId = await (async () => {
      await using first = await startMeshProcess(world.home);
      await first.control.run({ app: 'hello', digest, min: 3, max: 3 });
      await until('three instances serve', () => isSettled(first.control, digest));
      const before = await pidsOf(first.control);
      await first.kill();
      const id = homeIdOf(world.home);
      expect(
        processesOf(id)
          .map(({ pid }) => pid)
          .toSorted(),
      ).toEqual(before);

      await using second = await startMeshProcess(world.home);
      await until('they are adopted', () => isSettled(second.control, digest));
      expect(await pidsOf(second.control)).toEqual(before);
      expect((await fetch(`${second.edgeUrl}/hello/hello`)).status).toBe(200);

      // An adopted process is not a child, and its end is seen all the same.
      const [victim] = await second.control.ps();
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      await until('the dead one is replaced', async () => {
        const rows = await second.control.ps();
        return (
          rows.every(({ pid }) => pid !== victim?.pid) && (await isSettled(second.control, digest))
        );
      });
      return id;
    })();
    expect(processesOf(homeId)).toEqual([]);
  });

  it('finishes what was acknowledged, whenever it dies in a deployment', async () => {
    await using world = await meshWorld();
    const digests = await Promise.all(
      ['1.0.0', '2.0.0'].map((version) => world.spore({ version })),
    );
    let generation = 0;
    for (let crash = 0; crash < CRASHES; crash++) {
      const digest = digests[crash % 2] ?? '';
      await using mesh = await startMeshProcess(world.home);
      const plan = await mesh.control.run({ app: 'hello', digest, min: 3, max: 3 });
      expect(plan.generation).toBeGreaterThan(generation);
      generation = plan.generation;
      // From the very first moment to well after the switch.
      await new Promise((resolve) => {
        setTimeout(resolve, (crash * 600) / CRASHES);
      });
      await mesh.kill();
      await using next = await startMeshProcess(world.home);
      await until('the deployment ends as if nothing had been', () =>
        isSettled(next.control, digest),
      );
      const alive = processesOf(homeIdOf(world.home)).map(({ pid }) => pid);
      expect(alive.toSorted()).toEqual(await pidsOf(next.control));
      const [newest] = await next.control.history('hello');
      expect(newest).toMatchObject({ generation, outcome: 'succeeded' });
      await next.kill();
    }
    await using last = await startMeshProcess(world.home);
    await last.control.remove('hello');
    expect(processesOf(homeIdOf(world.home))).toEqual([]);
  });
});
