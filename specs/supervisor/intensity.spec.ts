import { describe, expect, it } from 'vitest';
import { RestartWindow } from '../../supervisor/restart/restart-window.ts';
import { backoffDelayMs } from '../../supervisor/restart/backoff.ts';
import { SupervisedWorld, child, seededRandom } from '../support/supervised.ts';

describe('RestartWindow', () => {
  it('admits intensity restarts within the period and refuses the next', () => {
    const window = new RestartWindow(3, 1000);
    expect([0, 1, 2, 3].map((nowMs) => window.admit(nowMs))).toEqual([true, true, true, false]);
  });

  it('slides: a restart older than the period no longer counts', () => {
    const window = new RestartWindow(2, 1000);
    const times = [0, 900, 1001, 1100, 1901];
    expect(times.map((nowMs) => window.admit(nowMs))).toEqual([true, true, true, false, true]);
  });

  it('counts a restart exactly one period ago, as OTP does', () => {
    const window = new RestartWindow(1, 1000);
    expect([window.admit(0), window.admit(1000), window.admit(1001)]).toEqual([true, false, true]);
  });

  it('refuses the first with intensity 0, and nothing with Infinity', () => {
    expect(new RestartWindow(0, 1000).admit(0)).toBe(false);
    const window = new RestartWindow(Infinity, 1000);
    expect(Array.from({ length: 1000 }, () => window.admit(0)).every(Boolean)).toBe(true);
  });
});

describe('intensity', () => {
  it('1 allows the restart of crashes that are further apart than the period', async () => {
    await using world = await SupervisedWorld.up([child('a')], { intensity: 1, periodMs: 1000 });
    for (let crash = 0; crash < 4; crash++) {
      await world.crash('a');
      await world.clock.advance(2100);
    }
    expect(world.children()).toEqual(['a:5']);
  });

  it('ends the supervisor with shutdown after stopping its other children in reverse', async () => {
    await using world = await SupervisedWorld.up([child('a'), child('b'), child('c')]);
    await world.crash('b');
    world.reports.length = 0;
    await world.crash('b');
    expect(await world.end()).toMatchObject({
      type: 'shutdown',
      cause: { code: 'MESH_ERR_SUPERVISOR_INTENSITY_REACHED' },
    });
    expect(world.told()).toEqual([
      'crash b',
      'intensity root',
      'shutdown c',
      'shutdown a',
      'escalation root',
    ]);
  });

  it('0 makes the first crash end it', async () => {
    await using world = await SupervisedWorld.up([child('a')], { intensity: 0 });
    await world.crash('a');
    expect(await world.end()).toMatchObject({ type: 'shutdown' });
  });

  it('lets the next supervisor decide, which starts the subtree again', async () => {
    const sub = { id: 'sub', type: 'supervisor' as const, children: [child('x'), child('y')] };
    await using world = await SupervisedWorld.up([sub, child('b')]);
    await world.crash('sub/x', 'sub/x', 'sub/x');
    expect(world.children()).toEqual(['sub:2', 'b:1']);
    expect(world.children('root/sub')).toEqual(['x:3', 'y:2']);
    expect(world.told('intensity', 'escalation', 'exit')).toEqual([
      'intensity sub',
      'escalation sub',
      'exit sub',
    ]);
  });

  it.each([
    ['permanent', ['sub:2']],
    ['transient', ['sub:stopped']],
    ['temporary', []],
  ] as const)('a %s supervisor that gave up is %j above', async (restart, expected) => {
    const sub = {
      id: 'sub',
      type: 'supervisor' as const,
      restart,
      intensity: 0,
      children: [child('x')],
    };
    await using world = await SupervisedWorld.up([sub]);
    await world.crash('sub/x');
    expect(world.children()).toEqual(expected);
  });

  it('forgets dynamic children when the subtree restarts, and keeps the static ones', async () => {
    const sub = {
      id: 'sub',
      type: 'supervisor' as const,
      intensity: 0,
      children: [child('x')],
    };
    await using world = await SupervisedWorld.up([sub]);
    await world.tree.startChild('root/sub', child('dynamic'));
    await world.crash('sub/x');
    expect(world.children('root/sub')).toEqual(['x:2']);
  });

  it('counts each failed try of a restart, and does not recurse', async () => {
    let isBroken = false;
    const onStart = () => (isBroken ? 'throw' : 'up');
    await using world = await SupervisedWorld.up([child('a', { input: { onStart } })], {
      intensity: 20_000,
    });
    isBroken = true;
    await world.crash('a');
    for (let turn = 0; turn < 50 && !(await world.end()); turn++) await world.clock.advance(0);
    expect(await world.end()).toMatchObject({ type: 'shutdown' });
    expect(world.told('start_error')).toHaveLength(20_000);
  });
});

describe('backoff', () => {
  const backoff = { minMs: 100, maxMs: 1000, factor: 2, jitter: 0, resetAfterMs: 5000 };

  it('doubles from minMs to maxMs', () => {
    const delays = [0, 1, 2, 3, 4, 50].map((at) => backoffDelayMs(backoff, at, seededRandom(1)));
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('takes at most its jitter away, and never exceeds maxMs', () => {
    const random = seededRandom(7);
    for (let attempt = 0; attempt < 200; attempt++) {
      const delayMs = backoffDelayMs({ ...backoff, jitter: 0.5 }, attempt, random);
      expect(delayMs).toBeLessThanOrEqual(1000);
      expect(delayMs).toBeGreaterThan(49);
    }
  });

  it('waits before each restart, longer each time, and begins again after a good run', async () => {
    const root = { intensity: 100 };
    await using world = await SupervisedWorld.up([child('a', { backoff })], root);
    await world.crash('a');
    expect(world.children()).toEqual(['a:restarting']);
    await world.clock.advance(99);
    expect(world.children()).toEqual(['a:restarting']);
    await world.clock.advance(1);
    expect(world.children()).toEqual(['a:2']);
    await world.crash('a');
    await world.clock.advance(199);
    expect(world.children()).toEqual(['a:restarting']);
    await world.clock.advance(1);
    expect(world.children()).toEqual(['a:3']);
    await world.clock.advance(5000);
    await world.crash('a');
    await world.clock.advance(100);
    expect(world.children()).toEqual(['a:4']);
  });

  it('counts in the window when it runs out, so a slow loop does not escalate', async () => {
    const slow = { ...backoff, minMs: 6000, maxMs: 6000 };
    await using world = await SupervisedWorld.up([child('a', { backoff: slow })]);
    for (let crash = 0; crash < 10; crash++) {
      await world.crash('a');
      await world.clock.advance(6000);
    }
    expect(world.children()).toEqual(['a:11']);
  });

  it('stops a group at once and starts it after the wait', async () => {
    const children = [child('a', { backoff }), child('b'), child('c')];
    await using world = await SupervisedWorld.up(children, { strategy: 'one_for_all' });
    await world.crash('a');
    expect(world.children()).toEqual(['a:restarting', 'b:restarting', 'c:restarting']);
    expect(world.tree.snapshotOf('root')).toMatchObject({ value: 'restarting' });
    await world.clock.advance(100);
    expect(world.children()).toEqual(['a:2', 'b:2', 'c:2']);
  });

  it('can be stopped, and terminated, while it waits', async () => {
    await using world = await SupervisedWorld.up([child('a', { backoff }), child('b')]);
    await world.crash('a');
    expect(await world.tree.restartChild('root', 'a')).toEqual({ ok: false, reason: 'restarting' });
    expect(await world.tree.terminateChild('root', 'a')).toEqual({ ok: true });
    await world.clock.advance(60_000);
    expect(world.children()).toEqual(['a:stopped', 'b:1']);
    await world.tree.stop();
    expect(world.clock.pending).toBe(0);
  });
});
