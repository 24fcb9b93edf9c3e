/** Children in real threads: what they share with all others, and what only a thread can do. */
import { describe, expect, it } from 'vitest';
import { fromCallback, setup } from 'xstate';
import type { EventObject, Snapshot } from 'xstate';
import { createThreads } from '../../../runtime/adapters/threads.node.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { threadLogic } from '../../../supervisor/index.ts';
import type { ChildSpec, TreeOptions } from '../../../supervisor/index.ts';
import { World, module, placed, threadsOf } from '../../support/threads/thread-world.ts';
import { until } from '../../support/until.ts';

describe('a child in a thread', () => {
  it('has a path, a state, events and snapshots as any other', async () => {
    await using world = await World.of([
      placed({ input: { start: 5 }, ready: (snapshot) => 'value' in snapshot }),
    ]);
    expect(world.tree.describe().children[0]).toMatchObject({ path: 'r/a', state: 'up' });
    world.send({ type: 'count' });
    world.send({ type: 'count', by: 10 });
    await until(() => world.count() === 16);
    const snapshot = world.tree.snapshotOf('r/a') as Snapshot<unknown> & {
      matches(state: string): boolean;
      hasTag(tag: string): boolean;
    };
    expect([snapshot.matches('up'), snapshot.matches('finished')]).toEqual([true, false]);
    expect([snapshot.hasTag('open'), snapshot.hasTag('closed')]).toEqual([true, false]);
  });

  it('takes input made at its start, and gives its output when it ends', async () => {
    await using world = await World.of([
      placed({ restart: 'transient', input: () => ({ start: 41 }) }),
    ]);
    const gone = new Promise((resolve) => world.tree.watch('r/a', resolve));
    world.send({ type: 'count' });
    world.send({ type: 'finish' });
    expect(await gone).toMatchObject({ type: 'down', reason: { type: 'normal' } });
    expect(world.tree.whichChildren('r')).toMatchObject([{ status: 'stopped' }]);
  });

  it('may be any logic, such as a promise', async () => {
    const options = { export: 'doublePromise' };
    await using world = await World.of([placed({ input: 21, restart: 'transient' }, options)]);
    await until(() => world.tree.whichChildren('r')[0]?.status === 'stopped');
    expect(world.tree.deadLetters.count).toBe(0);
  });

  it('sends to paths of the tree, and gets mail from actors by its path', async () => {
    const echo = setup({}).createMachine({
      id: 'echo',
      on: {
        ping: { actions: ({ system }) => system.get('r/a')?.send({ type: 'count' }) },
      },
    });
    await using world = await World.of([placed(), { id: 'echo', logic: echo }]);
    world.send({ type: 'forward', path: 'r/echo', event: { type: 'ping' } });
    await until(() => world.count() === 1);
    world.send({ type: 'forward', path: 'r/nobody', event: { type: 'ping' } });
    await until(() => world.tree.deadLetters.count === 1);
    expect(world.tree.deadLetters.recent()).toMatchObject([
      { path: 'r/nobody', reason: 'not_found', event: { type: 'ping' } },
    ]);
  });

  it('is asked to stop, and ends in its own time', async () => {
    const world = await World.of([placed(), placed({ id: 'b' }, { export: 'plainMachine' })]);
    await world.tree.stop();
    expect(world.reports.map(({ type, path }) => `${type} ${path}`)).toEqual([
      'shutdown r/b',
      'shutdown r/a',
    ]);
  });

  it('leaves no thread behind', async () => {
    const before = threadsOf();
    const world = await World.of([placed(), placed({ id: 'b' }), placed({ id: 'c' })]);
    expect(threadsOf()).toBeGreaterThan(before);
    await world.tree.stop();
    expect(threadsOf()).toBe(before);
  });
});

describe('a fault in a thread', () => {
  it.each([
    [
      'a throw',
      'crash',
      { code: 'MESH_ERR_SUPERVISOR_CHILD_CRASHED', message: expect.stringMatching(/^crashed/) },
    ],
    [
      'a rejection',
      'reject',
      { code: 'MESH_ERR_SUPERVISOR_CHILD_CRASHED', message: expect.stringMatching(/^rejected/) },
    ],
    [
      'process.exit',
      'exit',
      { code: 'MESH_ERR_SUPERVISOR_THREAD_EXITED', message: expect.stringMatching(/code 3/) },
    ],
    ['a snapshot that cannot leave', 'hide', { code: 'MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE' }],
  ])('ends only its child, as an error: %s', async (_, type, expected) => {
    await using world = await World.of([placed(), placed({ id: 'b' })]);
    world.send({ type: 'count' }, 'r/b');
    world.send({ type });
    await until(() => world.incarnation === 2 && world.count() === 0);
    expect(world.crash).toMatchObject(expected);
    await until(() => world.count('r/b') === 1);
  });

  it('is running out of memory', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 32 };
    await using world = await World.of([placed({}, { resourceLimits }), placed({ id: 'b' })]);
    world.send({ type: 'hoard' });
    await until(() => world.incarnation === 2 && world.count() === 0);
    expect(world.crash.code).toBe('MESH_ERR_SUPERVISOR_THREAD_OUT_OF_MEMORY');
    expect(world.tree.whichChildren('r')[1]).toMatchObject({ incarnation: 1, status: 'running' });
  });

  it('is blocking it beyond the heartbeat limit, and ends the computation', async () => {
    await using world = await World.of([placed({}, { heartbeatTimeoutMs: 800 })]);
    world.send({ type: 'block' });
    await until(() => world.incarnation === 2 && world.count() === 0);
    expect(world.crash).toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_THREAD_BLOCKED',
      message: expect.stringContaining('800 ms'),
    });
  });

  it('loses the letter that it came from, and no other', async () => {
    await using world = await World.of([placed()]);
    for (const type of ['crash', 'exit'])
      for (const event of [{ type }, { type: 'count' }, { type: 'count' }]) world.send(event);
    await until(() => world.incarnation === 3 && world.count() === 2);
  });
});

describe('killing a child in a thread', () => {
  it('happens at its deadline when it does not stop', async () => {
    const deaf = placed({ shutdown: 50 }, { export: 'deafProbeMachine' });
    const world = await World.of([deaf]);
    await world.tree.stop();
    expect(world.reports).toMatchObject([{ type: 'shutdown_error', reason: { type: 'killed' } }]);
  });

  it.each(['brutal_kill', 20] as const)('ends running code: %s', async (shutdown) => {
    const before = threadsOf();
    const blocked = placed({ shutdown }, { heartbeatTimeoutMs: Infinity });
    const world = await World.of([blocked]);
    world.send({ type: 'block' });
    await world.tree.stop();
    expect(world.reports).toMatchObject([{ reason: { type: 'killed' } }]);
    expect(threadsOf()).toBe(before);
  });

  it('can come while it is starting', async () => {
    const before = threadsOf();
    const world = await World.of([], {});
    const started = world.tree.startChild('r', placed({ shutdown: 'brutal_kill' }));
    expect(await world.tree.terminateChild('r', 'a')).toEqual({ ok: true });
    expect(await started).toMatchObject({ ok: false, reason: 'start_error' });
    await world.tree.stop();
    expect(threadsOf()).toBe(before);
  });
});

describe('refusals', () => {
  const start = async (child: ChildSpec, options?: Partial<TreeOptions>): Promise<unknown> => {
    const world = await World.of([child], {}, options).catch((cause: unknown) => cause);
    if (!(world instanceof World)) return world;
    await world.tree.stop();
    throw new Error('It started.');
  };
  const inner = (thrown: unknown): unknown => (thrown as { cause?: unknown }).cause;

  it.each([
    [
      'inline logic',
      placed({ logic: setup({}).createMachine({}) }),
      'MESH_ERR_SUPERVISOR_THREAD_LOGIC_INLINE',
    ],
    [
      'input with a function',
      placed({ input: { start: () => 1 } }),
      'MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE',
    ],
    ['a relative module', placed({}, { module: './a.ts' }), 'MESH_ERR_SUPERVISOR_SPEC_INVALID'],
    ['an empty export', placed({}, { export: '' }), 'MESH_ERR_SUPERVISOR_SPEC_INVALID'],
    ['no heartbeat', placed({}, { heartbeatTimeoutMs: 0 }), 'MESH_ERR_SUPERVISOR_SPEC_INVALID'],
    [
      'no memory',
      placed({}, { resourceLimits: { stackSizeMb: -1 } }),
      'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    ],
    [
      'an unknown place',
      placed({ placement: 'elsewhere' as never }),
      'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    ],
    [
      'a thread’s logic elsewhere',
      placed({ placement: 'local' }),
      'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    ],
  ])('come before anything starts: %s', async (_, spec, code) => {
    expect(codeOf(await start(spec))).toBe(code);
  });

  it.each([
    [
      'a missing module',
      { module: new URL('absent.ts', module) },
      'MESH_ERR_SUPERVISOR_THREAD_MODULE_FAILED',
    ],
    ['a missing export', { export: 'absentMachine' }, 'MESH_ERR_SUPERVISOR_THREAD_EXPORT_MISSING'],
    [
      'an export that is no logic',
      { export: 'notLogic' },
      'MESH_ERR_SUPERVISOR_THREAD_EXPORT_MISSING',
    ],
  ])('come with the start: %s', async (_, options, code) => {
    const error = await start(placed({}, options));
    expect(codeOf(error)).toBe('MESH_ERR_SUPERVISOR_START_FAILED');
    expect(codeOf(inner(error))).toBe(code);
  });

  it('come with the start: input that is made then', async () => {
    const error = await start(placed({ input: () => ({ start: Symbol('one') }) }));
    expect(codeOf(inner(error))).toBe('MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE');
    expect((inner(error) as Error).message).toContain('start is a symbol');
  });

  it('come with the start: a tree without threads, or without a further one', async () => {
    const without = await start(placed(), { threads: undefined as never });
    expect(codeOf(inner(without))).toBe('MESH_ERR_SUPERVISOR_THREADS_MISSING');
    const none = await start(placed(), { threads: createThreads({ threadsMax: 0 }) });
    expect(codeOf(inner(none))).toBe('MESH_ERR_SUPERVISOR_THREADS_EXHAUSTED');
  });

  it('come when it is sent: an event that cannot cross', async () => {
    await using world = await World.of([placed()]);
    const send = (by: unknown) => () => world.send({ type: 'count', by });
    const refused = (found: string) =>
      expect.objectContaining({
        code: 'MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE',
        message: expect.stringContaining(found),
      });
    expect(send(() => 1)).toThrow(refused('by is a function'));
    expect(send({ deep: [Promise.resolve()] })).toThrow(refused('by.deep.0 cannot be cloned'));
    expect(send(new Map([[1, () => 1]]))).toThrow(refused('by cannot be cloned'));
    expect(send(new Map([[1, new Date(0)]]))()).toBe(true);
  });

  it('come from XState too: the name of logic is not logic', () => {
    const logic = threadLogic({ module });
    const scope = undefined as never;
    expect(() => logic.getInitialSnapshot(scope, undefined)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_SUPERVISOR_THREAD_UNPLACED' }),
    );
  });
});

describe('system.get', () => {
  it('knows paths of the tree, across restarts, and leaves names alone', async () => {
    const teller = fromCallback<EventObject>(({ system, receive }) => {
      receive(() => {
        system.get('r/a')?.send({ type: 'count' });
        expect(system.get('unknown')).toBeUndefined();
      });
    });
    await using world = await World.of([placed(), { id: 'b', logic: teller }]);
    world.send({ type: 'crash' });
    world.send({ type: 'go' }, 'r/b');
    await until(() => world.incarnation === 2 && world.count() === 1);
  });
});
