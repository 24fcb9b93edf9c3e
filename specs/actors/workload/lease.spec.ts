import { describe, expect, it } from 'vitest';
import { HEARTBEAT_MS, LEASE_MS } from '../../../actors/workload/lease.ts';
import { planRequest } from '../../support/fabric-world.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { playedWorkload } from '../../support/workload-tree.ts';
import type { PlayedWorkload } from '../../support/workload-tree.ts';

const NODES = ['node-1'];
/** From the plan to an endpoint, with a warm-up. */
const DEPLOY_MS = 1_000;

/** A machine that sleeps: the wall clock goes on, timers and the monotonic clock do not. */
class SleepyClock extends VirtualClock {
  #sleptMs = 0;

  override now(): number {
    return super.now() + this.#sleptMs;
  }

  sleep(ms: number): void {
    this.#sleptMs += ms;
  }
}

async function deployed(world: PlayedWorkload): Promise<string> {
  await world.ports.fabric.publishPlan(planRequest({ max: 1 }));
  await world.clock.advance(DEPLOY_MS);
  const [instance = 'none', ...others] = await serving(world);
  expect(others).toEqual([]);
  return instance;
}

const serving = async ({ ports }: PlayedWorkload): Promise<string[]> =>
  (await ports.fabric.endpoints('hello')).map(({ instance }) => instance);

describe('createHeartbeats', () => {
  it('brings back the endpoint of an instance that serves', async () => {
    await using world = await playedWorkload(NODES);
    const instance = await deployed(world);
    const before = await world.ports.fabric.endpoints('hello');
    await world.ports.fabric.switchEndpoints([], [instance]);
    await world.clock.advance(HEARTBEAT_MS);
    const after = await world.ports.fabric.endpoints('hello');
    expect(after).toMatchObject(before.map(({ url }) => ({ instance, url })));
    expect(after[0]?.expiresAtMs).toBeGreaterThan(world.clock.now() + HEARTBEAT_MS);
  });

  it('brings back none of an instance that drains', async () => {
    const drain = () => new Promise<never>(() => {});
    await using world = await playedWorkload(NODES, { requests: { drain } });
    await deployed(world);
    await world.ports.fabric.stopApp('hello');
    await world.clock.advance(HEARTBEAT_MS + 1);
    expect(await world.ports.fabric.instances()).toMatchObject([{ role: 'active' }]);
    expect(await serving(world)).toEqual([]);
    await world.clock.advance(2 * LEASE_MS);
    expect(await world.ports.fabric.instances()).toEqual([]);
  });

  it('come at once when an agent is back from a crash', async () => {
    await using world = await playedWorkload(NODES);
    const instance = await deployed(world);
    const [before] = await world.ports.fabric.endpoints('hello');
    await world.clock.advance(HEARTBEAT_MS - DEPLOY_MS - 1);
    const failure = { type: 'heartbeat.failed', message: 'as told' };
    world.tree.send('mesh/agents/node-1/@agent', failure);
    await world.clock.advance(500);
    const [after] = await world.ports.fabric.endpoints('hello');
    expect(after?.instance).toBe(instance);
    expect(after?.expiresAtMs).toBeGreaterThan(before?.expiresAtMs ?? Infinity);
  });
});

describe('a lease that ends', () => {
  it('takes nothing along when the machine slept for longer than it', async () => {
    const clock = new SleepyClock();
    await using world = await playedWorkload(NODES, {}, clock);
    const instance = await deployed(world);
    // Once within the grace after a start, once well after it.
    for (const awakeMs of [1_000, 4 * LEASE_MS]) {
      await clock.advance(awakeMs);
      clock.sleep(3_600_000);
      for (let passed = 0; passed < 3 * LEASE_MS; passed += 500) {
        await clock.advance(500);
        expect(await serving(world)).toEqual([instance]);
      }
    }
    expect(world.machine.running).toHaveLength(1);
  });

  it('makes its node join again, and its slots are served again', async () => {
    await using world = await playedWorkload(NODES);
    const instance = await deployed(world);
    await world.ports.fabric.sweep(world.clock.now() + 2 * LEASE_MS);
    expect(await serving(world)).toEqual([]);
    await world.clock.advance(2 * LEASE_MS);
    expect(await world.ports.fabric.nodes()).toMatchObject([{ node: 'node-1' }]);
    const [next] = await serving(world);
    expect(next).toMatch(/^hello-/);
    expect(next).not.toBe(instance);
    expect(world.machine.running).toHaveLength(1);
  });

  it('is ended for a node that is gone, and another one takes its slots', async () => {
    await using world = await playedWorkload(['node-1', 'node-2']);
    const expiresAtMs = world.clock.now() + LEASE_MS;
    await world.ports.fabric.registerNode({ node: 'gone', cpuMilli: 0, memoryMb: 0, expiresAtMs });
    await world.ports.fabric.publishPlan(planRequest({ min: 3 }));
    await world.clock.advance(DEPLOY_MS);
    const nodesOf = async (): Promise<string[]> =>
      (await world.ports.fabric.assignments('hello')).map(({ node }) => node);
    expect(await nodesOf()).toContain('gone');
    await world.clock.advance(2 * LEASE_MS);
    expect(await nodesOf()).not.toContain('gone');
    expect(await nodesOf()).toHaveLength(3);
  });
});

describe('the end of an instance', () => {
  it('leaves logs of recorded instances, and lets the others be pruned', async () => {
    await using world = await playedWorkload(NODES);
    const instance = await deployed(world);
    const [running] = world.machine.running;
    world.machine.end(running?.identity.pid ?? 0);
    await world.clock.advance(2_000);
    expect(world.pruned).toEqual([{ app: 'hello', keep: [] }]);
    const [next] = await serving(world);
    expect(next).not.toBe(instance);
    await world.ports.fabric.publishPlan(planRequest({ max: 1, restart: true }));
    await world.clock.advance(20_000);
    expect(world.pruned.at(-1)).toEqual({ app: 'hello', keep: await serving(world) });
    expect(world.notices).toEqual([]);
  });
});
