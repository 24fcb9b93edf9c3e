import { assign, createMachine, fromPromise, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { startTree } from '../../../runtime/start-tree.ts';
import { dynamicPath } from '../../../supervisor/index.ts';
import { STEPS_MAX } from '../../../runtime/web/recorder/bounds.ts';
import { Recorder } from '../../../runtime/web/recorder/recorder.ts';

const doorMachine = setup({
  types: {} as { context: { opened: number; secret: string } },
  guards: { isOiled: ({ context }) => context.opened > 0 },
  actions: {
    count: assign({ opened: ({ context }) => context.opened + 1 }),
    break: () => {
      throw new Error('The hinge broke.');
    },
  },
}).createMachine({
  id: 'door',
  context: { opened: 0, secret: 'under the mat' },
  initial: 'closed',
  states: {
    closed: {
      on: {
        open: { target: 'open', actions: 'count' },
        lock: { guard: 'isOiled', target: 'locked' },
      },
    },
    open: { on: { close: 'closed', slam: { actions: 'break' } } },
    locked: { on: { unlock: 'closed' } },
  },
});

async function world() {
  const tree = await startTree({
    id: 'house',
    type: 'supervisor',
    intensity: 10,
    children: [
      { id: 'door', logic: doorMachine },
      { id: 'hall', type: 'supervisor', children: [] },
    ],
  });
  const recorder = new Recorder(tree);
  const settled = (): Promise<void> =>
    new Promise((resolve) => void setImmediate(() => setImmediate(() => setImmediate(resolve))));
  await settled();
  return {
    tree,
    recorder,
    settled,
    send: async (...types: string[]) => {
      for (const type of types) tree.send('house/door', { type });
      await settled();
    },
    [Symbol.asyncDispose]: async () => {
      recorder.close();
      await tree.stop();
    },
  };
}

describe('Recorder', () => {
  it('knows actors that started long before it, with their machines and states', async () => {
    await using at = await world();
    expect(at.recorder.all().actors).toMatchObject([
      { path: 'house', parent: null, kind: 'supervisor', machine: null },
      { path: 'house/door', parent: 'house', kind: 'worker', machine: 'door', state: 'closed' },
      { path: 'house/hall', parent: 'house', kind: 'supervisor' },
    ]);
  });

  it('writes a line for each event with the state that came of it, and counts it', async () => {
    await using at = await world();
    at.recorder.all();
    await at.send('open', 'close');
    const delta = at.recorder.delta();
    const events = delta?.log.filter(({ kind }) => kind === 'event');
    expect(events?.map(({ path, text, state }) => [path, text, state])).toEqual([
      ['house/door', 'open', 'open'],
      ['house/door', 'close', 'closed'],
    ]);
    expect(delta?.actors).toMatchObject([{ path: 'house/door', state: 'closed', events: 2 }]);
    expect(at.recorder.delta()).toBeUndefined();
  });

  it('keeps steps of what is watched only: states, transitions and context, no secrets', async () => {
    await using at = await world();
    await at.send('open');
    expect(at.recorder.detailsOf('house/door')?.steps).toEqual([]);
    at.recorder.watch(new Set(['house/door']));
    await at.send('close', 'lock');
    expect(at.recorder.detailsOf('house/door')?.steps).toMatchObject([
      { event: 'close', active: ['closed'], taken: ['open|close|0'], context: { opened: 1 } },
      { event: 'lock', active: ['locked'], taken: ['closed|lock|0'] },
    ]);
    expect(JSON.stringify(at.recorder.detailsOf('house/door'))).not.toContain('under the mat');
    at.recorder.watch(new Set());
    expect(at.recorder.detailsOf('house/door')?.steps).toEqual([]);
  });

  it('names the very transition where two lead alike, and the guard that refused', async () => {
    const gateMachine = setup({
      types: {} as { context: { tries: number } },
      guards: { isThird: ({ context }) => context.tries >= 2 },
      actions: { count: assign({ tries: ({ context }) => context.tries + 1 }) },
    }).createMachine({
      id: 'gate',
      context: { tries: 0 },
      initial: 'shut',
      states: {
        shut: {
          on: {
            push: [{ guard: 'isThird', target: 'shut', reenter: true }, { actions: 'count' }],
            lift: { guard: 'isThird', target: 'raised' },
          },
        },
        raised: {},
      },
    });
    await using at = await world();
    await at.tree.startChild('house/hall', { id: 'gate', logic: gateMachine });
    await at.settled();
    at.recorder.watch(new Set(['house/hall/gate']));
    at.recorder.all();
    for (const type of ['lift', 'push', 'push', 'push', 'sing'])
      at.tree.send(dynamicPath('house/hall/gate'), { type });
    await at.settled();
    const steps = at.recorder.detailsOf('house/hall/gate')?.steps;
    expect(steps?.map(({ event, taken, refusedBy }) => [event, taken, refusedBy])).toEqual([
      ['lift', [], 'isThird'],
      ['push', ['shut|push|1'], undefined],
      ['push', ['shut|push|1'], undefined],
      ['push', ['shut|push|0'], undefined],
      ['sing', [], undefined],
    ]);
    const log = at.recorder.delta()?.log;
    expect(log?.map(({ text, refusedBy }) => [text, refusedBy])).toEqual([
      ['lift', 'isThird'],
      ['push', undefined],
      ['push', undefined],
      ['push', undefined],
      ['sing', undefined],
    ]);
    expect(steps?.map(({ seq }) => seq)).toEqual(log?.map(({ seq }) => seq));
  });

  it('calls what a machine invoked by the name of its effect', async () => {
    const bellMachine = setup({ actors: { ring: fromPromise(() => new Promise(() => {})) } });
    const logic = bellMachine.createMachine({
      id: 'bell',
      initial: 'ringing',
      states: {
        ringing: { invoke: [{ src: 'ring' }, { src: fromPromise(() => new Promise(() => {})) }] },
      },
    });
    await using at = await world();
    await at.tree.startChild('house/hall', { id: 'bell', logic });
    await at.settled();
    const rows = at.recorder.all().actors.filter(({ path }) => path.includes('bell/'));
    expect(rows.map(({ path, kind, label }) => [path, kind, label])).toEqual([
      ['house/hall/bell/0.bell.ringing', 'own', 'ring'],
      ['house/hall/bell/1.bell.ringing', 'own', 'invoked by ringing'],
    ]);
  });

  it('bounds the steps', async () => {
    await using at = await world();
    at.recorder.watch(new Set(['house/door']));
    for (let round = 0; round < STEPS_MAX; round++) await at.send('open', 'close');
    expect(at.recorder.detailsOf('house/door')?.steps).toHaveLength(STEPS_MAX);
  });

  it('says which events would be taken now, and which guard is false', async () => {
    await using at = await world();
    expect(at.recorder.detailsOf('house/door')?.accepts).toEqual([
      { event: 'open', isEnabled: true },
      { event: 'lock', isEnabled: false, guard: 'isOiled' },
    ]);
    await at.send('open', 'close');
    expect(at.recorder.detailsOf('house/door')?.accepts).toEqual([
      { event: 'open', isEnabled: true },
      { event: 'lock', isEnabled: true },
    ]);
  });

  it('keeps the line of a child that crashed, with its restarts and the crash in the log', async () => {
    await using at = await world();
    at.recorder.all();
    await at.send('open', 'slam');
    const delta = at.recorder.delta();
    expect(delta?.gone).toEqual([]);
    expect(delta?.actors.find(({ path }) => path === 'house/door')).toMatchObject({
      restarts: 1,
      status: 'running',
      state: 'closed',
    });
    const crash = delta?.log.find(({ kind }) => kind === 'crash');
    expect(crash).toMatchObject({
      path: 'house/door',
      text: expect.stringContaining('The hinge broke'),
    });
  });

  it('takes the line of a child that was deleted away', async () => {
    await using at = await world();
    const lamp = createMachine({ id: 'lamp' });
    await at.tree.startChild('house/hall', { id: 'lamp', logic: lamp, restart: 'temporary' });
    await at.settled();
    expect(at.recorder.all().actors.map(({ path }) => path)).toContain('house/hall/lamp');
    await at.tree.terminateChild('house/hall', 'lamp');
    await at.settled();
    expect(at.recorder.delta()?.gone).toEqual(['house/hall/lamp']);
  });

  it('lists the machines with how many actors stand where', async () => {
    await using at = await world();
    expect(at.recorder.machines()).toEqual([
      { key: 'door', name: 'door', actors: 1, standing: { closed: 1 } },
    ]);
  });

  it('says what got lost', async () => {
    await using at = await world();
    at.recorder.all();
    at.tree.send(dynamicPath('house/nobody'), { type: 'hello' });
    await at.settled();
    const lost = at.recorder.delta()?.log.find(({ kind }) => kind === 'lost');
    expect(lost).toMatchObject({ path: 'house/nobody', text: expect.stringContaining('hello') });
  });
});
