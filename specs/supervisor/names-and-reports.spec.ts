import { describe, expect, it } from 'vitest';
import { getShortestPaths } from 'xstate/graph';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import { stateText } from '../../supervisor/describe.ts';
import { supervisorMachine } from '../../supervisor/index.ts';
import type { LogLine, SupervisorSpec, WatchEvent } from '../../supervisor/index.ts';
import { SupervisedWorld, child, deafMachine } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

describe('watch', () => {
  it('tells when a path goes, with the reason, and when it comes back', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const seen: WatchEvent[] = [];
    const unwatch = world.tree.watch('root/a', (event) => seen.push(event));
    await world.crash('a');
    expect(seen).toMatchObject([
      { type: 'down', path: 'root/a', incarnation: 1, reason: { type: 'error' } },
      { type: 'up', path: 'root/a', incarnation: 2 },
    ]);
    unwatch();
    await world.tree.terminateChild('root', 'a');
    expect(seen).toHaveLength(2);
  });

  it('works for a path that does not exist yet, for supervisors and for the root', async () => {
    await using world = await SupervisedWorld.up([]);
    const seen: string[] = [];
    for (const path of ['root', 'root/sub', 'root/sub/x'])
      world.tree.watch(path, ({ type, path: of }) => seen.push(`${type} ${of}`));
    await world.tree.startChild('root', { id: 'sub', type: 'supervisor', children: [child('x')] });
    await world.tree.stop();
    expect(seen).toEqual([
      'up root/sub/x',
      'up root/sub',
      'down root/sub/x',
      'down root/sub',
      'down root',
    ]);
  });

  it('gives each incarnation of a path a number of its own, also when its supervisor restarts', async () => {
    const inner: SupervisorSpec = {
      id: 'y',
      type: 'supervisor',
      intensity: 0,
      children: [child('z')],
    };
    const sub: SupervisorSpec = { id: 'sub', type: 'supervisor', intensity: 0, children: [inner] };
    await using world = await SupervisedWorld.up([sub]);
    await world.crash('sub/y/z');
    expect(world.children()).toEqual(['sub:2']);
    expect(world.children('root/sub')).toEqual(['y:2']);
    expect(world.children('root/sub/y')).toEqual(['z:2']);
  });
});

describe('reports', () => {
  it('are plain JSON', async () => {
    await using world = await SupervisedWorld.up([child('a')], { intensity: 1 });
    await world.crash('a');
    await world.crash('a');
    expect(JSON.parse(JSON.stringify(world.reports))).toEqual(world.reports);
    expect(world.told()).toEqual([
      'crash a',
      'restart a',
      'crash a',
      'intensity root',
      'escalation root',
    ]);
  });

  it('carry a cause that can be rebuilt, and where it was thrown', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    await world.crash('a');
    const report = world.reports[0];
    if (report?.type !== 'crash') throw new Error('expected a crash');
    expect(report.willRestart).toBe(true);
    expect(report.stack).toContain('crashed on request');
    const cause = CodedError.fromJSON(report.reason.cause);
    expect(cause.code).toBe('MESH_ERR_SUPERVISOR_CHILD_CRASHED');
    expect(cause.cause).toMatchObject({ message: 'crashed on request' });
  });

  it('go on when a listener throws, which is logged', async () => {
    const lines: LogLine[] = [];
    const logger = (line: LogLine) => lines.push(line);
    await using world = await SupervisedWorld.up([child('a')], {}, { logger });
    world.tree.onReport(() => {
      throw new Error('bad listener');
    });
    const seen: string[] = [];
    const stop = world.tree.onReport(({ type }) => seen.push(type));
    await world.crash('a');
    stop();
    await world.tree.stop();
    expect(seen).toEqual(['crash', 'restart']);
    expect(lines[0]).toMatchObject({ level: 'error', details: { message: 'bad listener' } });
  });
});

describe('describe', () => {
  it('shows the whole tree as it is', async () => {
    const sub: SupervisorSpec = { id: 'sub', type: 'supervisor', children: [child('x')] };
    await using world = await SupervisedWorld.up([sub, child('b', { logic: deafMachine })]);
    await world.crash('sub/x');
    const node = { restarts: 0, incarnation: 1, status: 'running', children: [] };
    expect(world.tree.describe()).toMatchObject({
      path: 'root',
      kind: 'supervisor',
      state: 'running',
      children: [
        {
          path: 'root/sub',
          kind: 'supervisor',
          state: 'running',
          children: [{ path: 'root/sub/x', state: 'up', restarts: 1, incarnation: 2 }],
        },
        { ...node, path: 'root/b', id: 'b', kind: 'worker', state: 'up' },
      ],
    });
  });

  it('writes nested and parallel states as text', () => {
    expect(['on', { a: { b: 'c' }, d: 'e' }, { a: {} }].map(stateText)).toEqual([
      'on',
      'a.b.c,d.e',
      'a',
    ]);
  });
});

describe('supervisorMachine', () => {
  const states = new Set(Object.keys(supervisorMachine.states));
  const edges = new Set(
    Object.entries(supervisorMachine.states).flatMap(([from, node]) =>
      Object.values(node.transitions instanceof Map ? [...node.transitions.values()].flat() : [])
        .flatMap(({ target }) => target ?? [])
        .map(({ key }) => `${from} → ${key}`),
    ),
  );

  it('reaches every state', () => {
    const reached = getShortestPaths(supervisorMachine, {
      events: [
        { type: 'start' },
        { type: 'children.started' },
        { type: 'group.ended' },
        { type: 'stop' },
        { type: 'children.stopped' },
        { type: 'kill' },
      ],
    }).map(({ state }) => state.value);
    expect(new Set(reached)).toEqual(states);
  });

  it('has an edge for every change of status that a supervisor makes', async () => {
    const children = [child('a'), child('b', { logic: deafMachine, shutdown: 100 })];
    await using world = new SupervisedWorld(children, { strategy: 'one_for_all', intensity: 1 });
    const changes: string[] = [];
    let last = 'idle';
    const look = () => {
      const now = String((world.tree.snapshotOf('root') as { value?: unknown }).value);
      if (now !== last) changes.push(`${last} → ${now}`);
      last = now;
    };
    world.tree.onReport(look);
    await world.tree.start();
    look();
    await world.crash('a');
    look();
    await world.clock.advance(100);
    look();
    await world.crash('a');
    look();
    await world.clock.advance(100);
    await settle();
    look();
    expect(changes).toEqual([
      'idle → starting',
      'starting → running',
      'running → restarting',
      'restarting → running',
      'running → stopping',
      'stopping → stopped',
    ]);
    for (const change of changes) expect(edges).toContain(change);
  });
});
