import { sendTo, setup } from 'xstate';
import type { AnyActorRef } from 'xstate';
import { describe, expect, it } from 'vitest';
import type { BoundedMailbox, TreeNode } from '../../supervisor/index.ts';
import { SupervisedWorld, child, isUp, typesOf } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const backoff = { minMs: 1000, maxMs: 1000, factor: 1, jitter: 0, resetAfterMs: 1000 };

/** Notes the events that it handles, in order, once its time to open is over. */
const noting = (noted: string[], openingMs = 0) =>
  setup({
    types: typesOf<{ events: { type: string } }>(),
    actions: {
      note: ({ event }) => noted.push(event.type),
      crash: () => {
        throw new Error('on request');
      },
    },
    guards: { isOpen: () => openingMs === 0 },
    delays: { opening: openingMs },
  }).createMachine({
    initial: 'opening',
    states: {
      opening: { always: { guard: 'isOpen', target: 'up' }, after: { opening: 'up' } },
      up: { on: { crash: { actions: 'crash' }, stop: 'stopped', '*': { actions: 'note' } } },
      stopped: { type: 'final' },
    },
  });

const mailboxOf = (world: SupervisedWorld, id = 'a'): TreeNode['mailbox'] =>
  world.tree.describe().children.find((node) => node.id === id)?.mailbox;

const numbered = (world: SupervisedWorld, from: number, to: number): boolean[] =>
  Array.from({ length: to - from + 1 }, (_, at) =>
    world.tree.send('root/a', { type: `n${from + at}` }),
  );

describe('a bounded mailbox', () => {
  const full = async (mailbox: BoundedMailbox) => {
    const noted: string[] = [];
    const world = await SupervisedWorld.up([child('a', { logic: noting(noted), mailbox })]);
    return { world, noted };
  };

  it('with drop_newest keeps what came first, and counts what it drops', async () => {
    const { world, noted } = await full({ capacity: 3, overflow: 'drop_newest' });
    await using _ = world;
    expect(numbered(world, 1, 5)).toEqual([true, true, true, false, false]);
    expect(mailboxOf(world)).toEqual({ waiting: 3, capacity: 3, dropped: 2, refused: 0 });
    await settle();
    expect(noted).toEqual(['n1', 'n2', 'n3']);
    expect(mailboxOf(world)).toMatchObject({ waiting: 0, dropped: 2 });
    expect(world.tree.deadLetters.count).toBe(0);
  });

  it('with drop_oldest keeps what came last, and counts what it drops', async () => {
    const { world, noted } = await full({ capacity: 3, overflow: 'drop_oldest' });
    await using _ = world;
    expect(numbered(world, 1, 5)).toEqual([true, true, true, true, true]);
    expect(mailboxOf(world)).toEqual({ waiting: 3, capacity: 3, dropped: 2, refused: 0 });
    await settle();
    expect(noted).toEqual(['n3', 'n4', 'n5']);
  });

  it('with refuse makes dead letters of what does not fit, and counts them', async () => {
    const { world, noted } = await full({ capacity: 3 });
    await using _ = world;
    expect(numbered(world, 1, 5)).toEqual([true, true, true, false, false]);
    expect(mailboxOf(world)).toEqual({ waiting: 3, capacity: 3, dropped: 0, refused: 2 });
    expect(world.tree.deadLetters.recent()).toMatchObject([
      { reason: 'mailbox_full', path: 'root/a', event: { type: 'n4' } },
      { reason: 'mailbox_full', event: { type: 'n5' } },
    ]);
    await settle();
    expect(noted).toEqual(['n1', 'n2', 'n3']);
    expect(numbered(world, 6, 6)).toEqual([true]);
  });

  it('always has room for the command to stop', async () => {
    const { world } = await full({ capacity: 1, overflow: 'drop_newest' });
    numbered(world, 1, 3);
    await world.tree.stop();
    expect(world.told()).toEqual(['shutdown a']);
  });

  it('bounds the mail of other actors too, but not that of an actor to itself', async () => {
    const noted: string[] = [];
    const talking = setup({ types: typesOf<{ events: { type: 'go' } }>() }).createMachine({
      on: {
        go: {
          actions: [1, 2, 3].map((at) =>
            sendTo(({ system }) => system.get('root/a') as AnyActorRef, { type: `m${at}` }),
          ),
        },
      },
    });
    const mailbox = { capacity: 2, overflow: 'drop_newest' } as const;
    await using world = await SupervisedWorld.up([
      child('a', { logic: noting(noted), mailbox }),
      child('b', { logic: talking }),
    ]);
    await world.tell('b', 'go');
    expect(noted).toEqual(['m1', 'm2']);
    expect(mailboxOf(world)).toMatchObject({ dropped: 1 });
  });

  it('bounds what waits for a restart in the same way, over all incarnations', async () => {
    const noted: string[] = [];
    const mailbox = { capacity: 2, overflow: 'drop_oldest' } as const;
    const spec = child('a', { logic: noting(noted), mailbox, backoff });
    await using world = await SupervisedWorld.up([spec], { intensity: 9 });
    await world.crash('a');
    expect(numbered(world, 1, 5)).toEqual([true, true, true, true, true]);
    expect(mailboxOf(world)).toEqual({ waiting: 2, capacity: 2, dropped: 3, refused: 0 });
    await world.clock.advance(1000);
    expect(noted).toEqual(['n4', 'n5']);
    await world.crash('a');
    numbered(world, 6, 8);
    expect(mailboxOf(world)).toMatchObject({ dropped: 4 });
  });

  it.each([
    ['keep', ['n1']],
    ['drop', []],
    ['dead_letter', []],
  ] as const)('does %s at a restart when its spec says so', async (onRestart, expected) => {
    const { world, noted } = await full({ capacity: 5, onRestart });
    await using _ = world;
    world.tree.send('root/a', { type: 'crash' });
    numbered(world, 1, 1);
    await settle();
    expect(noted).toEqual(expected);
    expect(world.tree.deadLetters.count).toBe(onRestart === 'dead_letter' ? 1 : 0);
  });

  it('is not shown for a child that has none', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    expect(mailboxOf(world)).toBeUndefined();
  });

  it('that refuses fails a question at once', async () => {
    const { world } = await full({ capacity: 1 });
    await using _ = world;
    numbered(world, 1, 1);
    await expect(world.tree.ask('root/a', { type: 'q' })).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_ASK_UNREACHABLE',
    });
  });

  it('that drops the oldest fails the question that it drops', async () => {
    const { world } = await full({ capacity: 1, overflow: 'drop_oldest' });
    await using _ = world;
    const answer = world.tree.ask('root/a', { type: 'q' });
    const rejected = expect(answer).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_ASK_UNREACHABLE',
    });
    numbered(world, 1, 1);
    await rejected;
  });
});

describe('a stash', () => {
  const mailbox = { whileStarting: 'stash' } as const;
  const slow = child('a', { mailbox, ready: isUp, input: { onStart: () => 'wait' } });
  it('holds mail until the child is ready, and gives it in order', async () => {
    const noted: string[] = [];
    const spec = child('a', { logic: noting(noted, 100), mailbox, ready: isUp });
    await using world = new SupervisedWorld([spec], { intensity: 9 });
    await world.begin();
    numbered(world, 1, 3);
    await settle();
    expect(noted).toEqual([]);
    expect(mailboxOf(world)).toMatchObject({ waiting: 3 });
    await world.clock.advance(100);
    numbered(world, 4, 4);
    await settle();
    expect(noted).toEqual(['n1', 'n2', 'n3', 'n4']);
    await world.crash('a');
    numbered(world, 5, 6);
    await world.clock.advance(99);
    expect(noted).toHaveLength(4);
    await world.clock.advance(1);
    expect(noted).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
  });

  it('is dead letters when the child never becomes ready', async () => {
    await using world = new SupervisedWorld([slow]);
    const { started } = await world.begin();
    const rejected = expect(started).rejects.toMatchObject({
      code: 'MESH_ERR_SUPERVISOR_START_FAILED',
    });
    numbered(world, 1, 1);
    await world.clock.advance(30_000);
    await rejected;
    expect(world.tree.deadLetters.recent()).toMatchObject([{ reason: 'unhandled' }]);
  });

  it('is not needed by a child that has to hear something to become ready', async () => {
    const plain = child('a', { ready: isUp, input: { onStart: () => 'wait' } });
    await using world = new SupervisedWorld([plain]);
    const { started } = await world.begin();
    await world.tell('a', 'ready');
    await started;
  });
});

describe('a flooded actor', () => {
  it('gives way to another after a quantum, and to the event loop after a slice', async () => {
    const turns: string[] = [];
    const note = (name: string) =>
      setup({
        types: typesOf<{ events: { type: 'x' } }>(),
        actions: { note: () => turns.push(name) },
      }).createMachine({ on: { x: { actions: 'note' } } });
    await using world = await SupervisedWorld.up(
      [child('a', { logic: note('a') }), child('b', { logic: note('b') })],
      {},
      { defer: (slice) => setImmediate(slice) },
    );
    for (let at = 0; at < 10_000; at++) world.tree.send('root/a', { type: 'x' });
    world.tree.send('root/b', { type: 'x' });
    let atFirstTurnOfTheLoop = 0;
    setImmediate(() => (atFirstTurnOfTheLoop = turns.length));
    await settle(20);
    expect(turns).toHaveLength(10_001);
    expect(turns.indexOf('b')).toBeLessThanOrEqual(64);
    expect(atFirstTurnOfTheLoop).toBeLessThanOrEqual(1024 + 64);
  });
});
