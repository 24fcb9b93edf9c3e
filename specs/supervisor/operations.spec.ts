import { raise } from 'xstate';
import { describe, expect, it, vi } from 'vitest';
import type { SupervisorSpec } from '../../supervisor/index.ts';
import { SupervisedWorld, child, deafMachine, isUp } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const backoff = { minMs: 1000, maxMs: 1000, factor: 1, jitter: 0, resetAfterMs: 1000 };
const refusal = (reason: string) => ({ ok: false, reason });

describe('startChild', () => {
  it('answers when the child is ready', async () => {
    await using world = await SupervisedWorld.up([]);
    const slow = child('a', { input: { onStart: () => 'wait' }, ready: isUp });
    const started = world.tree.startChild('root', slow);
    await settle();
    expect(world.children()).toEqual(['a:starting']);
    await world.tell('a', 'ready');
    expect(await started).toEqual({ ok: true, path: 'root/a', incarnation: 1 });
  });

  it('answers already_started for a living id and already_present for a known one', async () => {
    await using world = await SupervisedWorld.up([child('a'), child('b', { backoff })]);
    expect(await world.tree.startChild('root', child('a'))).toEqual(refusal('already_started'));
    await world.tree.terminateChild('root', 'a');
    expect(await world.tree.startChild('root', child('a'))).toEqual(refusal('already_present'));
    await world.crash('b');
    expect(await world.tree.startChild('root', child('b'))).toEqual(refusal('already_present'));
  });

  it('answers start_error with the cause, and keeps no spec', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const bad = child('bad', { input: { onStart: () => 'throw' } });
    expect(await world.tree.startChild('root', bad)).toMatchObject({
      ok: false,
      reason: 'start_error',
      cause: { message: 'refused to start' },
    });
    expect(world.children()).toEqual(['a:1']);
  });

  it('answers start_error when the child is terminated before it is ready', async () => {
    await using world = await SupervisedWorld.up([]);
    const slow = child('a', { input: { onStart: () => 'wait' }, ready: isUp });
    const started = world.tree.startChild('root', slow);
    await settle();
    await world.tree.terminateChild('root', 'a');
    expect(await started).toMatchObject({
      reason: 'start_error',
      cause: { code: 'MESH_ERR_SUPERVISOR_START_ABORTED' },
    });
  });

  it('answers not_found where there is no supervisor, or only a worker', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    for (const path of ['root/none', 'root/a', 'other', 'root/a/b'])
      expect(await world.tree.startChild(path, child('x'))).toEqual(refusal('not_found'));
  });

  it('rejects a spec that cannot be meant', async () => {
    await using world = await SupervisedWorld.up([]);
    await expect(world.tree.startChild('root', child(''))).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    });
  });

  it('answers max_children when the supervisor is full', async () => {
    await using world = await SupervisedWorld.up([child('a')], { maxChildren: 2 });
    expect(await world.tree.startChild('root', child('b'))).toMatchObject({ ok: true });
    expect(await world.tree.startChild('root', child('c'))).toEqual(refusal('max_children'));
  });

  it('called in an action of a machine starts the child with no action on the stack', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const started: string[] = [];
      await using world = await SupervisedWorld.up([
        child('a', {
          input: { note: (what: string) => what === 'stop' && startB() },
          restart: 'temporary',
        }),
      ]);
      // Whatever builds a machine within an action is told off by XState; an input is such a place.
      const input = () => {
        started.push(raise({ type: 'x' }).name);
        return {};
      };
      const startB = () => void world.tree.startChild('root', child('b', { input }));
      await world.tell('a', 'stop');
      expect(world.children()).toEqual(['b:1']);
      expect(started).toEqual(['raise']);
      expect(warned.mock.calls).toEqual([]);
    } finally {
      warned.mockRestore();
    }
  });

  it('adds a supervisor with children of its own', async () => {
    await using world = await SupervisedWorld.up([]);
    const sub: SupervisorSpec = { id: 'sub', type: 'supervisor', children: [child('x')] };
    expect(await world.tree.startChild('root', sub)).toMatchObject({ ok: true });
    expect(world.children('root/sub')).toEqual(['x:1']);
  });
});

describe('terminateChild', () => {
  it('keeps the spec of a permanent child and forgets a temporary one', async () => {
    const children = [child('p'), child('t', { restart: 'temporary' })];
    await using world = await SupervisedWorld.up(children);
    for (const id of ['p', 't'])
      expect(await world.tree.terminateChild('root', id)).toEqual({ ok: true });
    expect(world.children()).toEqual(['p:stopped']);
    expect(await world.tree.terminateChild('root', 'p')).toEqual({ ok: true });
    expect(await world.tree.terminateChild('root', 't')).toEqual(refusal('not_found'));
  });

  it('answers all who asked for the same child', async () => {
    await using world = await SupervisedWorld.up([child('a', { logic: deafMachine })]);
    const both = Promise.all([
      world.tree.terminateChild('root', 'a'),
      world.tree.terminateChild('root', 'a'),
    ]);
    await world.clock.advance(5000);
    expect(await both).toEqual([{ ok: true }, { ok: true }]);
  });

  it('does not hold up the others while one child takes its time', async () => {
    await using world = await SupervisedWorld.up([child('a', { logic: deafMachine }), child('b')]);
    const terminated = world.tree.terminateChild('root', 'a');
    await world.crash('b');
    expect(world.children()).toEqual(['a:stopping', 'b:2']);
    await world.clock.advance(5000);
    expect(await terminated).toEqual({ ok: true });
  });
});

describe('restartChild and deleteChild', () => {
  it('refuse a child that runs, restarts or is unknown', async () => {
    await using world = await SupervisedWorld.up([child('a'), child('b', { backoff })]);
    await world.crash('b');
    const answers = async (id: string) => [
      await world.tree.restartChild('root', id),
      await world.tree.deleteChild('root', id),
    ];
    expect(await answers('a')).toEqual([refusal('running'), refusal('running')]);
    expect(await answers('b')).toEqual([refusal('restarting'), refusal('restarting')]);
    expect(await answers('c')).toEqual([refusal('not_found'), refusal('not_found')]);
  });

  it('start and forget a child that was terminated', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    await world.tree.terminateChild('root', 'a');
    expect(await world.tree.restartChild('root', 'a')).toMatchObject({ ok: true, incarnation: 2 });
    await world.tree.terminateChild('root', 'a');
    expect(await world.tree.deleteChild('root', 'a')).toEqual({ ok: true });
    expect(world.children()).toEqual([]);
  });

  it('keeps the spec of a child whose manual restart fails', async () => {
    let how: 'up' | 'throw' = 'up';
    await using world = await SupervisedWorld.up([child('a', { input: { onStart: () => how } })]);
    await world.tree.terminateChild('root', 'a');
    how = 'throw';
    expect(await world.tree.restartChild('root', 'a')).toMatchObject({ reason: 'start_error' });
    expect(world.children()).toEqual(['a:stopped']);
  });
});

describe('an operation during a restart', () => {
  it('waits until a group has been restarted, and answers not_found if its supervisor ends', async () => {
    let how: 'up' | 'wait' = 'up';
    const slow = child('a', { input: { onStart: () => how }, ready: isUp });
    await using world = await SupervisedWorld.up([slow], { strategy: 'one_for_all', intensity: 9 });
    how = 'wait';
    await world.crash('a');
    const added = world.tree.startChild('root', child('b'));
    await settle();
    expect(world.children()).toEqual(['a:starting']);
    await world.tell('a', 'ready');
    expect(await added).toMatchObject({ ok: true });

    await world.crash('a');
    const late = world.tree.startChild('root', child('c'));
    await settle();
    await world.tree.stop();
    expect(await late).toEqual(refusal('not_found'));
  });

  it('is served between the tries of a restart that keeps failing', async () => {
    let how: 'up' | 'throw' = 'up';
    const failing = child('a', { input: { onStart: () => how } });
    await using world = await SupervisedWorld.up([failing, child('b')], { intensity: Infinity });
    how = 'throw';
    world.tree.send('root/a', { type: 'crash' });
    await Promise.resolve();
    expect(await world.tree.startChild('root', child('c'))).toMatchObject({ ok: true });
    expect(await world.tree.terminateChild('root', 'a')).toEqual({ ok: true });
    expect(world.children()).toEqual(['a:stopped', 'b:1', 'c:1']);
  });
});

describe('simple_one_for_one', () => {
  const root = { strategy: 'simple_one_for_one', intensity: 3 } as const;

  it('starts nothing by itself, and children from its template', async () => {
    await using world = await SupervisedWorld.up([child('job')], root);
    expect(world.tree.countChildren('root')).toEqual({
      specs: 0,
      active: 0,
      supervisors: 0,
      workers: 0,
    });
    expect(await world.tree.startChild('root', { id: 'one' })).toMatchObject({ ok: true });
    expect(await world.tree.startChild('root', {})).toMatchObject({ ok: true });
    expect(world.children()).toEqual(['one:1', 'job-2:1']);
  });

  it('restarts each alone, and forgets those that were terminated or have ended', async () => {
    const template = child('job', { restart: 'transient' });
    await using world = await SupervisedWorld.up([template], root);
    for (const id of ['a', 'b', 'c']) await world.tree.startChild('root', { id });
    await world.crash('a');
    await world.tell('b', 'finish');
    await world.tree.terminateChild('root', 'c');
    expect(world.children()).toEqual(['a:2']);
    expect(await world.tree.restartChild('root', 'c')).toEqual(refusal('not_found'));
  });

  it('stops all children at once', async () => {
    const template = child('job', { logic: deafMachine, shutdown: 1000 });
    await using world = await SupervisedWorld.up([template], root);
    for (const id of ['a', 'b', 'c']) await world.tree.startChild('root', { id });
    const stopped = world.tree.stop();
    await world.clock.advance(1000);
    await stopped;
    expect(world.told('shutdown_error')).toHaveLength(3);
  });
});

describe('countChildren and whichChildren', () => {
  it('are exact while a restart keeps failing', async () => {
    let how: 'up' | 'throw' = 'up';
    const failing = child('a', { backoff, input: { onStart: () => how } });
    const sub: SupervisorSpec = { id: 'sub', type: 'supervisor' };
    await using world = await SupervisedWorld.up([failing, child('b'), sub], { intensity: 9 });
    const counts = () => world.tree.countChildren('root');
    expect(counts()).toEqual({ specs: 3, active: 3, supervisors: 1, workers: 2 });
    how = 'throw';
    await world.crash('a');
    expect(counts()).toEqual({ specs: 3, active: 2, supervisors: 1, workers: 2 });
    await world.clock.advance(1000);
    expect(counts()).toEqual({ specs: 3, active: 2, supervisors: 1, workers: 2 });
    how = 'up';
    await world.clock.advance(1000);
    expect(counts()).toEqual({ specs: 3, active: 3, supervisors: 1, workers: 2 });
    expect(world.tree.whichChildren('root')[0]).toEqual({
      id: 'a',
      path: 'root/a',
      type: 'worker',
      restart: 'permanent',
      significant: false,
      status: 'running',
      incarnation: 3,
      restarts: 2,
      sinceMs: world.clock.now(),
    });
  });

  it('are empty for a path without a supervisor', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    expect(world.tree.whichChildren('root/a')).toEqual([]);
    expect(world.tree.countChildren('nowhere')).toMatchObject({ specs: 0 });
    expect(world.tree.supervisor('root/a')).toBeUndefined();
    expect(world.tree.supervisor('root')?.countChildren()).toMatchObject({ specs: 1 });
  });
});
