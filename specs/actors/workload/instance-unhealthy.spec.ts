import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import { HELD } from '../../support/model/certificate-model.ts';
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

  it.each<[string, 'own_identity' | 'identity', boolean, boolean]>([
    ['stays while the asking side has no certificate', 'own_identity', true, true],
    ['stays while nobody could renew its own', 'identity', false, true],
    ['goes if it does not take up its renewal', 'identity', true, false],
  ])('%s', async (_, fault, isRenewed, stays) => {
    let isProved = true;
    const health = {
      probe: async () =>
        isProved
          ? ({ ok: true, status: 200 } as const)
          : ({ ok: false, status: null, message: 'expired', fault } as const),
    };
    const settings = { ...DEFAULT_SETTINGS, tls: 'mesh' } as const;
    const files = {
      prepare: async () => ({ settings, command: '/srv/app', args: [], env: {}, folder: '/srv' }),
      settings: async () => settings,
      discard: async () => {},
    };
    const certificates = {
      read: async () => (isRenewed ? HELD : null),
      obtain: async () => HELD,
      settled: async () => undefined,
      environment: async () => ({}),
    };
    await using world = await playedWorkload(['node-1'], { health, files, certificates });
    const { fabric } = world.ports;
    await fabric.publishPlan(planRequest({ max: 1 }));
    await world.clock.advance(2_000);
    const [served] = await fabric.endpoints('hello');
    expect(served?.url).toMatch(/^https:/);
    isProved = false;
    await world.clock.advance((failuresMax + 1) * intervalMs);
    expect(await fabric.endpoints('hello')).toHaveLength(stays ? 1 : 0);
  });
});
