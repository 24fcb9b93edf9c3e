import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import { planRequest } from '../../support/fabric-world.ts';
import { playedWorkload } from '../../support/workload-tree.ts';

const { intervalMs, failuresMax } = DEFAULT_SETTINGS;

describe('an instance that becomes unhealthy', () => {
  it('has no endpoint from the last failure on, however long its end takes', async () => {
    let isHealthy = true;
    const health = {
      probe: async () =>
        isHealthy
          ? ({ ok: true, status: 200 } as const)
          : ({ ok: false, status: 503, message: 'HTTP 503' } as const),
    };
    const env = { SAMPLE_MODE: 'ignore_sigterm' };
    const prepared = {
      settings: DEFAULT_SETTINGS,
      command: '/srv/app',
      args: [],
      env,
      folder: '/srv',
    };
    const files = {
      prepare: async () => prepared,
      settings: async () => DEFAULT_SETTINGS,
      discard: async () => {},
    };
    await using world = await playedWorkload(['node-1'], { health, files });
    const { fabric } = world.ports;
    await fabric.publishPlan(planRequest({ max: 1 }));
    await world.clock.advance(2_000);
    const [served] = await fabric.endpoints('hello');
    const [running] = world.machine.running;
    isHealthy = false;
    await world.clock.advance((failuresMax + 1) * intervalMs);
    expect(await fabric.endpoints('hello')).toEqual([]);
    expect(world.machine.running).toEqual([running]);

    isHealthy = true;
    await world.clock.advance(10_000);
    expect(await fabric.endpoints('hello')).toHaveLength(1);
    expect((await fabric.endpoints('hello'))[0]?.instance).not.toBe(served?.instance);
    expect(world.notices).toEqual([]);
  });
});
