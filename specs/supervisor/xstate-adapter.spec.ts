import {
  assign,
  createActor,
  fromCallback,
  fromPromise,
  fromTransition,
  sendTo,
  setup,
} from 'xstate';
import xstatePackage from 'xstate/package.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import {
  XSTATE_SUPPORTED,
  assertXstateVersion,
  reactsToStop,
} from '../../supervisor/xstate-shape.ts';
import {
  SupervisedWorld,
  child,
  deafMachine,
  never,
  obedientMachine,
  typesOf,
} from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const boom = () => {
  throw new Error('boom');
};

/** A machine whose child, and that child's child, note when they are cleaned up. */
function nestedMachine(gone: string[], systemId?: string) {
  const leaf = fromCallback(() => () => gone.push('leaf'));
  const middle = setup({ actors: { leaf } }).createMachine({
    id: 'middle',
    invoke: { src: 'leaf', ...(systemId === undefined ? {} : { systemId }) },
  });
  const spawned = fromCallback(() => () => gone.push('spawned'));
  return setup({
    types: typesOf<{ context: { ref?: unknown }; events: { type: 'crash' | 'finish' } }>(),
    actors: { middle, spawned },
    actions: { boom },
  }).createMachine({
    context: ({ spawn }) => ({ ref: spawn('spawned') }),
    invoke: { src: 'middle' },
    initial: 'up',
    on: { crash: { actions: 'boom' }, finish: '.done' },
    states: { up: {}, done: { type: 'final' } },
  });
}

describe('XState’s shape', () => {
  it('is that of a supported version', () => {
    expect(xstatePackage.version).toMatch(XSTATE_SUPPORTED);
    expect(() => assertXstateVersion('6.0.0')).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_SUPERVISOR_XSTATE_UNSUPPORTED' }),
    );
  });

  it('has every part that the adapter replaces or calls', () => {
    const actor = createActor(fromTransition((state: number) => state, 0));
    const system = actor.system as unknown as Record<string, unknown>;
    for (const name of ['_relay', '_unregister', '_sendInspectionEvent', '_register', '_bookId'])
      expect(system[name]).toBeTypeOf('function');
    expect(Object.keys(system['scheduler'] as object)).toEqual(['schedule', 'cancel', 'cancelAll']);
    const parts = actor as unknown as Record<string, unknown>;
    for (const name of ['_stop', '_send', '_error', 'start'])
      expect(parts[name]).toBeTypeOf('function');
    expect(parts['_processingStatus']).toBe(0);
    expect(parts['mailbox']).toHaveProperty('_current', null);
    actor.start();
    expect(parts['_processingStatus']).toBe(1);
    actor.stop();
    expect(parts['_processingStatus']).toBe(2);
  });

  it('lets the crash of plain XState leave children behind, which the adapter must not', () => {
    const gone: string[] = [];
    const actor = createActor(nestedMachine(gone));
    actor.subscribe({ error: () => {} });
    actor.start();
    actor.send({ type: 'crash' });
    expect(gone).toEqual([]);
  });
});

describe('reactsToStop', () => {
  it('is true of machines that name stop, or any event', () => {
    const any = setup({}).createMachine({ on: { '*': { actions: () => {} } } });
    const none = setup({}).createMachine({});
    const logics = [obedientMachine, deafMachine, any, none, never];
    expect(logics.map(reactsToStop)).toEqual([true, true, true, false, false]);
  });
});

describe('the end of an actor', () => {
  it.each(['crash', 'finish'])('by %s ends everything that it owned', async (event) => {
    const gone: string[] = [];
    const logic = nestedMachine(gone);
    await using world = await SupervisedWorld.up([child('a', { logic, restart: 'temporary' })]);
    await world.tell('a', event);
    expect(gone.toSorted()).toEqual(['leaf', 'spawned']);
  });

  it('by an orderly stop ends everything that it owned', async () => {
    const gone: string[] = [];
    await using world = await SupervisedWorld.up([child('a', { logic: nestedMachine(gone) })]);
    await world.tree.stop();
    expect(gone.toSorted()).toEqual(['leaf', 'spawned']);
  });

  it('frees system ids before its successor starts', async () => {
    const gone: string[] = [];
    const logic = nestedMachine(gone, 'the-leaf');
    await using world = await SupervisedWorld.up([child('a', { logic })]);
    await world.crash('a');
    expect(world.children()).toEqual(['a:2']);
  });

  it('cleans up a callback that fails', async () => {
    let cleaned = 0;
    const logic = fromCallback(({ receive }) => {
      receive(boom);
      return () => cleaned++;
    });
    await using world = await SupervisedWorld.up([child('a', { logic })]);
    await world.crash('a');
    expect([cleaned, world.children()]).toEqual([1, ['a:2']]);
  });

  it('aborts a promise whose time to start is over', async () => {
    let aborted = 0;
    const logic = fromPromise(({ signal }) => {
      signal.addEventListener('abort', () => aborted++);
      return new Promise<never>(() => {});
    });
    await using world = new SupervisedWorld([
      child('a', { logic, ready: () => false, startTimeoutMs: 10 }),
    ]);
    const { started } = await world.begin();
    await world.clock.advance(10);
    await expect(started).rejects.toBeDefined();
    expect(aborted).toBe(1);
  });

  it('cancels its timers, and only its own', async () => {
    const timed = setup({ actions: { boom } }).createMachine({
      on: { crash: { actions: 'boom' } },
      after: { 5000: { actions: 'boom' } },
    });
    const spec = { logic: timed, restart: 'temporary' } as const;
    await using world = await SupervisedWorld.up([child('a', spec), child('b', spec)]);
    expect(world.clock.pending).toBe(2);
    await world.crash('a');
    expect(world.clock.pending).toBe(1);
  });
});

describe('the failure of a machine’s own child', () => {
  const parentOf = (on: object) =>
    setup({
      actors: { failing: fromPromise(() => Promise.reject(new Error('inner'))) },
    }).createMachine({
      context: {},
      invoke: { id: 'inner', src: 'failing', ...on },
    });

  it('is its owner’s to handle', async () => {
    await using world = await SupervisedWorld.up([
      child('a', { logic: parentOf({ onError: {} }) }),
    ]);
    await settle();
    expect(world.told()).toEqual([]);
  });

  it('reaches the supervisor when the owner does not handle it', async () => {
    const spec = child('a', { logic: parentOf({}), restart: 'temporary' });
    await using world = new SupervisedWorld([spec]);
    await world.tree.start();
    await settle();
    expect(world.told('crash')).toEqual(['crash a']);
  });

  it('is not swallowed by a user’s *, and neither is its end taken by one', async () => {
    const seen: string[] = [];
    const done = fromPromise(() => Promise.resolve(1));
    const failing = fromPromise(() => Promise.reject(new Error('inner')));
    const greedy = (src: typeof done) =>
      setup({ actors: { src } }).createMachine({
        invoke: { src: 'src' },
        on: { '*': { actions: ({ event }) => seen.push(event.type) } },
      });
    await using world = new SupervisedWorld([
      child('a', { logic: greedy(done), restart: 'temporary' }),
      child('b', { logic: greedy(failing as typeof done), restart: 'temporary' }),
    ]);
    await world.tree.start();
    await world.tell('a', 'hello');
    expect(seen).toEqual(['hello']);
    expect(world.told('crash')).toEqual(['crash b']);
  });
});

describe('delivery', () => {
  it('passes an event through 20,000 actors without a stack', async () => {
    const length = 20_000;
    const refs: { send(event: { type: 'pass' }): void }[] = [];
    let arrived = 0;
    const link = fromCallback<{ type: 'pass' }, { at: number }>(({ self, input, receive }) => {
      refs[input.at] = self;
      receive((event) => {
        const next = refs[input.at + 1];
        if (next) next.send(event);
        else arrived++;
      });
    });
    const template = child('link', { logic: link });
    await using world = await SupervisedWorld.up([template], { strategy: 'simple_one_for_one' });
    const starts = Array.from({ length }, (_, at) =>
      world.tree.startChild('root', { id: `n${at}`, input: { at } }),
    );
    await Promise.all(starts);
    world.tree.send('root/n0', { type: 'pass' });
    await settle(100);
    expect(arrived).toBe(1);
  });

  it('lets no actor with much mail hold up another', async () => {
    const order: string[] = [];
    const noting = (id: string) =>
      fromTransition((state: number) => {
        order.push(id);
        return state;
      }, 0);
    await using world = await SupervisedWorld.up([
      child('busy', { logic: noting('busy') }),
      child('quiet', { logic: noting('quiet') }),
    ]);
    for (let sent = 0; sent < 10_000; sent++) world.tree.send('root/busy', { type: 'x' });
    world.tree.send('root/quiet', { type: 'x' });
    for (let turn = 0; turn < 20; turn++) await settle();
    expect(order).toHaveLength(10_001);
    expect(order.indexOf('quiet')).toBe(64);
  });

  it('delivers a machine’s last mail to its child before it stops it', async () => {
    const got: string[] = [];
    const listener = fromCallback(({ receive }) => receive(({ type }) => got.push(type)));
    const machine = setup({ actors: { listener } }).createMachine({
      initial: 'up',
      states: {
        up: {
          invoke: { id: 'listener', src: 'listener' },
          exit: sendTo('listener', { type: 'bye' }),
          on: { leave: 'left' },
        },
        left: {},
      },
    });
    await using world = await SupervisedWorld.up([child('a', { logic: machine })]);
    await world.tell('a', 'leave');
    expect(got).toEqual(['bye']);
  });

  it('gives a child’s answer to its machine in a turn of its own', async () => {
    const echo = fromCallback(({ sendBack, receive }) => {
      receive(() => {
        sendBack({ type: 'echo' });
        sendBack({ type: 'echo' });
      });
    });
    const machine = setup({
      types: typesOf<{ context: { echoes: number }; events: { type: 'ask' | 'echo' } }>(),
      actors: { echo },
    }).createMachine({
      context: { echoes: 0 },
      invoke: { id: 'echo', src: 'echo' },
      on: {
        ask: { actions: sendTo('echo', { type: 'ask' }) },
        echo: { actions: assign({ echoes: ({ context }) => context.echoes + 1 }) },
      },
    });
    await using world = await SupervisedWorld.up([child('a', { logic: machine })]);
    await world.tell('a', 'ask');
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { echoes: 2 } });
  });

  it('counts mail to a supervisor, and to an actor that has ended, as dead letters', async () => {
    const noisy = fromCallback(({ sendBack }) => sendBack({ type: 'hello' }));
    await using world = await SupervisedWorld.up([child('a', { logic: noisy })]);
    await settle();
    expect(world.tree.deadLetters.recent()).toMatchObject([
      { path: 'root', event: { type: 'hello' }, reason: 'supervisor' },
    ]);
  });
});
