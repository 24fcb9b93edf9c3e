import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import {
  APPS_MAX,
  ENDPOINTS_MAX,
  INSTANCES_MAX,
  NODES_MAX,
  WATCHES_MAX,
} from '../../../runtime/adapters/fabric/limits.ts';
import { endpointOf, inMemory, join, planRequest } from '../../support/fabric-world.ts';
import type { FabricWorld } from '../../support/fabric-world.ts';
import { scratch } from '../../support/scratch.ts';
import { instanceRecord } from '../../support/workload-samples.ts';

const FULL = { code: 'MESH_ERR_FABRIC_FULL' };

const numbers = (count: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** A control plane whose tables were filled without its help. */
function filled(statement: string): FabricWorld {
  const folder = scratch();
  const path = folder.file('fabric.sqlite');
  const world = inMemory({ path });
  const other = new DatabaseSync(path);
  other.exec(statement);
  other.close();
  return {
    ...world,
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const instancesOf = (count: number): string =>
  `${numbers(count)} INSERT INTO instances SELECT 'i-' || i, 'hello', 'node-1', 0, 1,
     '${'a'.repeat(64)}', 0, '1.0.0', 'active', 'token', NULL, NULL, 0 FROM n`;

describe('the bounds of the fabric', () => {
  it('hold for apps', async () => {
    await using world = filled(
      `${numbers(APPS_MAX)} INSERT INTO budgets SELECT 'app-' || i, 0, 0, 0 FROM n`,
    );
    await join(world, 'node-1');
    const budget = { app: 'app-1', maxInstances: 3, cpuMilli: 0, memoryMb: 0 };
    await world.fabric.setBudget(budget);
    expect(await world.fabric.budget('app-1')).toEqual(budget);
    await world.fabric.publishPlan(planRequest({ app: 'app-1' }));
    await expect(world.fabric.setBudget({ ...budget, app: 'late' })).rejects.toMatchObject(FULL);
    await expect(world.fabric.publishPlan(planRequest())).rejects.toMatchObject(FULL);
    await world.fabric.removeApp('app-2');
    await world.fabric.publishPlan(planRequest());
  });

  it('hold for nodes', async () => {
    await using world = filled(
      `${numbers(NODES_MAX)} INSERT INTO nodes SELECT 'node-' || i, 0, 0, 9 FROM n`,
    );
    await join(world, 'node-1');
    await expect(join(world, 'late')).rejects.toMatchObject(FULL);
  });

  it('hold for slots over all apps, and what fits is placed anew all the same', async () => {
    await using world = inMemory();
    await join(world, 'node-1');
    for (let app = 0; app < 10; app++) {
      const size = app < 9 ? 1_000 : 999;
      await world.fabric.publishPlan(planRequest({ app: `app-${app}`, min: size, max: size }));
    }
    const two = planRequest({ min: 2, max: 2 });
    await expect(world.fabric.publishPlan(two)).rejects.toMatchObject(FULL);
    expect(await world.fabric.plan('hello')).toBeNull();
    await world.fabric.publishPlan(planRequest({ min: 1, max: 2 }));
    await join(world, 'node-2');
    expect(await world.fabric.assignments('hello')).toHaveLength(1);
    await world.fabric.stopApp('app-0');
    expect(await world.fabric.assignments('hello')).toHaveLength(2);
  });

  it('hold for instances', async () => {
    await using world = filled(instancesOf(INSTANCES_MAX));
    const late = instanceRecord({ instance: 'late' });
    await expect(world.fabric.recordInstance(late)).rejects.toMatchObject(FULL);
    await world.fabric.recordInstance(instanceRecord({ instance: 'i-1' }));
    await world.fabric.forgetInstance('i-1');
    await world.fabric.recordInstance(late);
  });

  it('hold for endpoints', async () => {
    await using world = filled(
      `${numbers(ENDPOINTS_MAX)} INSERT INTO endpoints
         SELECT 'e-' || i, 'hello', 'http://127.0.0.1:1', 'node-1', 1, 0 FROM n`,
    );
    const record = instanceRecord({ instance: 'late' });
    await world.fabric.recordInstance(record);
    const added = world.fabric.switchEndpoints([endpointOf(record)], []);
    await expect(added).rejects.toMatchObject(FULL);
    await world.fabric.switchEndpoints([endpointOf(record)], ['e-1']);
  });

  it('hold for watches', async () => {
    await using world = inMemory();
    const ends = Array.from({ length: WATCHES_MAX }, () => world.fabric.watchPlans(() => {}));
    let code: string | undefined;
    try {
      world.fabric.watchPlans(() => {});
    } catch (error) {
      code = codeOf(error);
    }
    expect(code).toBe('MESH_ERR_FABRIC_FULL');
    ends[0]?.();
    world.fabric.watchPlans(() => {});
  });
});
