import { describe, expect, it } from 'vitest';
import { isRestarted } from '../../supervisor/restart/exit-reason.ts';
import type { ExitReason } from '../../supervisor/index.ts';
import { SupervisedWorld, child, deafMachine } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const RESTARTS = ['permanent', 'transient', 'temporary'] as const;

describe('isRestarted', () => {
  const reasons: readonly ExitReason[] = [
    { type: 'normal' },
    { type: 'shutdown' },
    { type: 'killed' },
    { type: 'error', cause: new Error('x') },
  ];
  const expected = {
    permanent: [true, true, true, true],
    transient: [false, false, true, true],
    temporary: [false, false, false, false],
  };

  it.each(RESTARTS)('decides for a %s child as OTP does', (restart) => {
    expect(reasons.map((reason) => isRestarted(restart, reason))).toEqual(expected[restart]);
  });
});

describe('restart types', () => {
  const after = {
    finish: { permanent: ['a:2'], transient: ['a:stopped'], temporary: [] },
    crash: { permanent: ['a:2'], transient: ['a:2'], temporary: [] },
  } as const;

  for (const restart of RESTARTS)
    for (const event of ['finish', 'crash'] as const)
      it(`a ${restart} child that gets ${event} ends as ${after[event][restart].join() || 'gone'}`, async () => {
        await using world = await SupervisedWorld.up([child('a', { restart })]);
        await world.tell('a', event);
        expect(world.children()).toEqual(after[event][restart]);
      });

  it.each(RESTARTS)('a %s child that is terminated stays down', async (restart) => {
    await using world = await SupervisedWorld.up([child('a', { restart })]);
    expect(await world.tree.terminateChild('root', 'a')).toEqual({ ok: true });
    await world.clock.advance(60_000);
    expect(world.children()).toEqual(restart === 'temporary' ? [] : ['a:stopped']);
  });

  it.each(RESTARTS)('a %s child that is killed at its deadline stays down', async (restart) => {
    await using world = await SupervisedWorld.up([child('a', { restart, logic: deafMachine })]);
    const terminated = world.tree.terminateChild('root', 'a');
    await world.clock.advance(5000);
    expect(await terminated).toEqual({ ok: true });
    expect(world.told('shutdown_error')).toEqual(['shutdown_error a']);
    expect(world.children()).toEqual(restart === 'temporary' ? [] : ['a:stopped']);
  });

  it('starts a permanent child again however it ends, with a fresh context', async () => {
    await using world = await SupervisedWorld.up([child('a')], { intensity: 3 });
    world.tree.send('root/a', { type: 'count' });
    await world.crash('a');
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { count: 0 } });
  });

  it('calls an input function at every start with the incarnation', async () => {
    const scopes: unknown[] = [];
    const input = (scope: unknown) => (scopes.push(scope), {});
    await using world = await SupervisedWorld.up([child('a', { input })]);
    await world.crash('a');
    expect(scopes).toEqual([
      { path: 'root/a', incarnation: 1 },
      { path: 'root/a', incarnation: 2 },
    ]);
  });

  it('takes an actor that is final from the start for one that has ended', async () => {
    await using world = new SupervisedWorld([
      child('a', { restart: 'transient', input: { onStart: () => 'up' } }),
    ]);
    await world.tree.start();
    await world.tell('a', 'finish');
    await settle();
    expect(world.told('exit')).toEqual(['exit a']);
  });
});
