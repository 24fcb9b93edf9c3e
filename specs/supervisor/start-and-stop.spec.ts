import { fromCallback, fromPromise } from 'xstate';
import { describe, expect, it } from 'vitest';
import { createTree } from '../../supervisor/index.ts';
import {
  SupervisedWorld,
  child,
  deafMachine,
  isUp,
  never,
  seededRandom,
} from '../support/supervised.ts';
import { VirtualClock, settle } from '../support/virtual-clock.ts';

const notes = () => {
  const all: string[] = [];
  const of = (id: string) => ({ input: { note: (what: string) => all.push(`${what} ${id}`) } });
  return { all, of };
};

describe('start', () => {
  it('starts children in order, each ready before the next', async () => {
    const { all, of } = notes();
    const slow = { note: of('a').input.note, onStart: () => 'wait' as const };
    await using world = new SupervisedWorld([
      child('a', { input: slow, ready: isUp }),
      child('b', of('b')),
    ]);
    const { started } = await world.begin();
    expect(all).toEqual(['start a']);
    expect(world.children()).toEqual(['a:starting', 'b:stopped']);
    expect(world.tree.snapshotOf('root')).toMatchObject({ value: 'starting' });
    await world.tell('a', 'ready');
    await started;
    expect(all).toEqual(['start a', 'start b']);
    expect(world.tree.snapshotOf('root')).toMatchObject({ value: 'running' });
  });

  it('waits for the children of a child that is a supervisor', async () => {
    const slow = child('x', { input: { onStart: () => 'wait' }, ready: isUp });
    await using world = new SupervisedWorld([
      { id: 'sub', type: 'supervisor', children: [slow] },
      child('b'),
    ]);
    const { started } = await world.begin();
    expect(world.children()).toEqual(['sub:starting', 'b:stopped']);
    await world.tell('sub/x', 'ready');
    await started;
    expect(world.told('start')).toEqual(['start sub/x', 'start sub', 'start b']);
  });

  it('stops what has started, in reverse, and fails with the cause when one fails', async () => {
    const { all, of } = notes();
    await using world = new SupervisedWorld([
      child('a', of('a')),
      child('b', of('b')),
      child('c', { input: { onStart: () => 'throw' } }),
      child('d', of('d')),
    ]);
    await expect(world.tree.start()).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_START_FAILED',
      details: { child: 'root/c' },
      cause: { message: 'refused to start' },
    });
    expect(all).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    expect(await world.tree.ended).toMatchObject({ type: 'error' });
  });

  it('surfaces a failure deep in the tree with all its causes', async () => {
    const bad = child('bad', { input: { onStart: () => 'throw' } });
    const sub = { id: 'sub', type: 'supervisor' as const, children: [bad] };
    await using world = new SupervisedWorld([sub]);
    await expect(world.tree.start()).rejects.toMatchObject({
      details: { child: 'root/sub' },
      cause: { details: { child: 'root/sub/bad' }, cause: { message: 'refused to start' } },
    });
  });

  it('fails when a child is not ready in time', async () => {
    await using world = new SupervisedWorld([
      child('a', { logic: never, ready: () => false, startTimeoutMs: 700 }),
    ]);
    const { started } = await world.begin();
    await world.clock.advance(699);
    expect(world.children()).toEqual(['a:starting']);
    await world.clock.advance(1);
    await expect(started).rejects.toMatchObject({
      cause: { code: 'MESH_ERR_SUPERVISOR_START_TIMED_OUT', retryable: true },
    });
  });

  it('fails when a child ends before it is ready', async () => {
    const done = fromPromise(() => Promise.resolve(1));
    await using world = new SupervisedWorld([child('a', { logic: done, ready: () => false })]);
    await expect(world.tree.start()).rejects.toMatchObject({
      cause: { code: 'MESH_ERR_SUPERVISOR_ENDED_BEFORE_READY' },
    });
  });

  it('takes the final snapshot of a child for ready if its predicate does', async () => {
    const done = fromPromise(() => Promise.resolve(1));
    const ready = (snapshot: { status: string }) => snapshot.status === 'done';
    await using world = new SupervisedWorld([
      child('a', { logic: done, ready, restart: 'transient' }),
    ]);
    await world.tree.start();
    expect(world.told()).toEqual(['start a', 'exit a']);
  });

  it('fails when the predicate or the input function throws', async () => {
    const spec = () => {
      throw new Error('bad function');
    };
    for (const bad of [child('a', { ready: spec }), child('a', { input: spec })]) {
      await using world = new SupervisedWorld([bad]);
      await expect(world.tree.start()).rejects.toMatchObject({
        cause: { message: 'bad function' },
      });
    }
  });

  it('can be stopped before it is through', async () => {
    const slow = child('a', { input: { onStart: () => 'wait' }, ready: isUp });
    await using world = new SupervisedWorld([slow]);
    const { started } = await world.begin();
    const stopped = world.tree.stop();
    await expect(started).rejects.toMatchObject({ code: 'MESH_ERR_SUPERVISOR_START_ABORTED' });
    await stopped;
    expect(world.clock.pending).toBe(0);
  });

  it('of a tree that was never started is not needed for stop', async () => {
    const tree = createTree(
      { id: 'root', type: 'supervisor' },
      { clock: new VirtualClock(), random: seededRandom(1) },
    );
    await tree.stop();
    expect(tree.describe()).toMatchObject({ status: 'stopped', children: [] });
  });
});

describe('stop', () => {
  it('stops children in reverse start order, one after the other', async () => {
    const { all, of } = notes();
    const sub = { id: 's', type: 'supervisor' as const, children: [child('x', of('x'))] };
    await using world = await SupervisedWorld.up([child('a', of('a')), sub, child('b', of('b'))]);
    await world.tree.stop();
    expect(all.slice(3)).toEqual(['stop b', 'stop x', 'stop a']);
    expect(await world.tree.ended).toEqual({ type: 'shutdown' });
    expect(world.children()).toEqual([]);
  });

  it('waits its time for a child that does not stop, and then kills it', async () => {
    await using world = await SupervisedWorld.up([
      child('a'),
      child('deaf', { logic: deafMachine, shutdown: 300 }),
    ]);
    const stopped = world.tree.stop();
    await world.clock.advance(299);
    expect(world.children()).toEqual(['a:1', 'deaf:stopping']);
    await world.clock.advance(1);
    await stopped;
    expect(world.told()).toEqual(['shutdown_error deaf', 'shutdown a']);
    expect(world.reports[0]).toMatchObject({ reason: { type: 'killed' } });
  });

  it('gives 5000 ms by default, and with infinity waits for ever', async () => {
    await using world = await SupervisedWorld.up([child('deaf', { logic: deafMachine })]);
    const stopped = world.tree.stop();
    await world.clock.advance(4999);
    expect(world.children()).toEqual(['deaf:stopping']);
    await world.clock.advance(1);
    await stopped;

    const patient = child('deaf', { logic: deafMachine, shutdown: 'infinity' });
    await using other = await SupervisedWorld.up([patient]);
    const never = other.tree.stop();
    await other.clock.advance(86_400_000);
    expect(other.children()).toEqual(['deaf:stopping']);
    await other.tell('deaf', 'finish');
    await never;
  });

  it('kills at once with brutal_kill, which is no error', async () => {
    await using world = await SupervisedWorld.up([
      child('deaf', { logic: deafMachine, shutdown: 'brutal_kill' }),
    ]);
    await world.tree.stop();
    expect(world.told()).toEqual(['shutdown deaf']);
    expect(world.reports[0]).toMatchObject({ reason: { type: 'killed' } });
  });

  it('reports a child that crashes while it stops, and goes on', async () => {
    await using world = await SupervisedWorld.up([child('a'), child('b', { logic: deafMachine })]);
    const stopped = world.tree.stop();
    await settle();
    await world.crash('b');
    await stopped;
    expect(world.told()).toEqual(['shutdown_error b', 'shutdown a']);
  });

  it('does not restart children that end by themselves while it waits for another', async () => {
    const restarts = ['permanent', 'transient', 'temporary'] as const;
    const others = restarts.flatMap((restart) => [
      child(`${restart}-finish`, { restart }),
      child(`${restart}-crash`, { restart }),
    ]);
    await using world = await SupervisedWorld.up([...others, child('z', { logic: deafMachine })]);
    const stopped = world.tree.stop();
    for (const { id } of others) await world.tell(id, id.endsWith('crash') ? 'crash' : 'finish');
    await world.clock.advance(5000);
    await stopped;
    expect(world.told('restart', 'start', 'backoff')).toEqual([]);
    expect(world.told('crash', 'exit')).toHaveLength(6);
  });

  it('stops promise and callback logic at once, by signal and by clean-up', async () => {
    const seen: string[] = [];
    const promise = fromPromise(({ signal }) => {
      signal.addEventListener('abort', () => seen.push('aborted'));
      return new Promise<never>(() => {});
    });
    const callback = fromCallback(() => () => seen.push('cleaned up'));
    await using world = await SupervisedWorld.up([
      child('a', { logic: promise }),
      child('b', { logic: callback }),
    ]);
    await world.tree.stop();
    expect(seen).toEqual(['cleaned up', 'aborted']);
    expect(world.told()).toEqual(['shutdown b', 'shutdown a']);
  });

  it('reports a clean-up that throws', async () => {
    const callback = fromCallback(() => () => {
      throw new Error('cannot clean up');
    });
    await using world = await SupervisedWorld.up([child('b', { logic: callback })]);
    await world.tree.stop();
    expect(world.told()).toEqual(['shutdown_error b']);
    expect(world.reports[0]).toMatchObject({
      reason: { type: 'error', cause: { cause: { message: 'cannot clean up' } } },
    });
  });

  it('kills a whole subtree whose time is over', async () => {
    const sub = {
      id: 'sub',
      type: 'supervisor' as const,
      shutdown: 100,
      children: [child('x', { logic: deafMachine, shutdown: 'infinity' }), child('y')],
    };
    await using world = await SupervisedWorld.up([sub]);
    const stopped = world.tree.stop();
    await world.clock.advance(100);
    await stopped;
    expect(world.told()).toEqual(['shutdown sub/y', 'shutdown_error sub/x', 'shutdown_error sub']);
    expect(world.clock.pending).toBe(0);
  });

  it('leaves no timer behind, and answers a second time', async () => {
    await using world = await SupervisedWorld.up([child('a'), child('b', { logic: never })]);
    await Promise.all([world.tree.stop(), world.tree.stop()]);
    await world.tree.stop();
    expect(world.clock.pending).toBe(0);
    expect(world.tree.send('root/a', { type: 'count' })).toBe(false);
  });
});
