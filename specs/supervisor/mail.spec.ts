import { assign, setup } from 'xstate';
import { describe, expect, it } from 'vitest';
import { DEAD_LETTERS_KEPT_MAX, DeadLetters } from '../../supervisor/delivery/dead-letters.ts';
import { MAIL_HELD_MAX } from '../../supervisor/delivery/mailbox.ts';
import { SupervisedWorld, child, deafMachine, typesOf } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const backoff = { minMs: 1000, maxMs: 1000, factor: 1, jitter: 0, resetAfterMs: 1000 };
const countOf = (world: SupervisedWorld, id = 'a'): number =>
  (world.tree.snapshotOf(`root/${id}`) as unknown as { context: { count: number } }).context.count;
const letters = (world: SupervisedWorld) =>
  world.tree.deadLetters
    .recent()
    .map(({ path, event, reason }) => `${reason} ${path} ${event.type}`);

describe('send', () => {
  it('reaches the child of that path, and never runs it on the caller’s stack', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    expect(world.tree.send('root/a', { type: 'count' })).toBe(true);
    expect(countOf(world)).toBe(0);
    await settle();
    expect(countOf(world)).toBe(1);
  });

  it('to a path without a running child is a dead letter: false, counted, never thrown', async () => {
    const sub = { id: 'sub', type: 'supervisor' as const };
    await using world = await SupervisedWorld.up([child('a'), sub]);
    await world.tree.terminateChild('root', 'a');
    for (const path of ['root/a', 'root/none', 'root/a/b', 'other', 'root', 'root/sub'])
      expect(world.tree.send(path, { type: 'x' })).toBe(false);
    expect(letters(world)).toEqual([
      'not_running root/a x',
      'not_found root/none x',
      'not_found root/a/b x',
      'not_found other x',
      'supervisor root x',
      'supervisor root/sub x',
    ]);
  });
});

describe('mailbox', () => {
  it.each([
    ['keep', 2, []],
    ['drop', 0, []],
    ['dead_letter', 0, ['unhandled root/a count', 'unhandled root/a count']],
  ] as const)(
    '%s decides about mail behind the event that crashed',
    async (mailbox, count, dead) => {
      await using world = await SupervisedWorld.up([child('a', { mailbox })]);
      for (const type of ['crash', 'count', 'count']) world.tree.send('root/a', { type });
      await settle();
      expect(world.children()).toEqual(['a:2']);
      expect(countOf(world)).toBe(count);
      expect(letters(world)).toEqual(dead);
    },
  );

  it('keep holds what is sent while the child waits for its restart', async () => {
    await using world = await SupervisedWorld.up([child('a', { backoff })]);
    await world.crash('a');
    expect(world.tree.send('root/a', { type: 'count' })).toBe(true);
    await world.clock.advance(1000);
    expect(countOf(world)).toBe(1);
  });

  it('keep holds no more than its bound', async () => {
    await using world = await SupervisedWorld.up([child('a', { backoff })]);
    await world.crash('a');
    for (let sent = 0; sent < MAIL_HELD_MAX; sent++) world.tree.send('root/a', { type: 'count' });
    expect(world.tree.send('root/a', { type: 'count' })).toBe(false);
    expect(letters(world)).toEqual(['mailbox_full root/a count']);
    await world.clock.advance(1000);
    expect(countOf(world)).toBe(MAIL_HELD_MAX);
  });

  it('keep survives the restart of a group', async () => {
    const children = [child('a'), child('b', { logic: deafMachine, shutdown: 100 })];
    await using world = await SupervisedWorld.up(children, { strategy: 'one_for_all' });
    await world.crash('a');
    world.tree.send('root/a', { type: 'count' });
    await world.clock.advance(100);
    world.tree.send('root/b', { type: 'count' });
    await settle();
    expect([countOf(world, 'a'), countOf(world, 'b')]).toEqual([1, 1]);
  });

  it('is a dead letter when the child does not come back', async () => {
    await using world = await SupervisedWorld.up([child('a', { restart: 'transient' })]);
    for (const type of ['finish', 'count']) world.tree.send('root/a', { type });
    await settle();
    expect(letters(world)).toEqual(['unhandled root/a count']);
  });

  it('held for a child is a dead letter when its supervisor ends', async () => {
    await using world = await SupervisedWorld.up([child('a', { backoff })]);
    await world.crash('a');
    world.tree.send('root/a', { type: 'count' });
    await world.tree.stop();
    expect(letters(world)).toEqual(['unhandled root/a count']);
  });
});

describe('a stale event', () => {
  it('of a dead incarnation, a timer of its own, never reaches its successor', async () => {
    const ticking = setup({
      types: typesOf<{ context: { ticks: number }; events: { type: 'crash' | 'tick' } }>(),
      actions: {
        crash: () => {
          throw new Error('x');
        },
      },
      delays: { tick: 100 },
    }).createMachine({
      context: { ticks: 0 },
      initial: 'waiting',
      on: { crash: { actions: 'crash' } },
      states: {
        waiting: {
          after: { tick: { actions: assign({ ticks: ({ context }) => context.ticks + 1 }) } },
        },
      },
    });
    await using world = await SupervisedWorld.up([child('a', { logic: ticking })]);
    await world.clock.advance(50);
    await world.crash('a');
    await world.clock.advance(50);
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { ticks: 0 } });
    await world.clock.advance(50);
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { ticks: 1 } });
  });

  it('that it sent to itself just before ends with it', async () => {
    const selfSending = setup({
      types: typesOf<{ context: { told: number }; events: { type: 'crash' | 'told' } }>(),
    }).createMachine({
      context: { told: 0 },
      on: {
        told: { actions: assign({ told: ({ context }) => context.told + 1 }) },
        crash: {
          actions: ({ self }) => {
            (self as unknown as { system: { _relay(...args: unknown[]): void } }).system._relay(
              self,
              self,
              { type: 'told' },
            );
            throw new Error('x');
          },
        },
      },
    });
    await using world = await SupervisedWorld.up([child('a', { logic: selfSending })]);
    await world.crash('a');
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { told: 0 } });
    expect(world.tree.deadLetters.count).toBe(0);
  });
});

describe('DeadLetters', () => {
  it('counts all and keeps the newest, oldest first', () => {
    const dead = new DeadLetters();
    const total = DEAD_LETTERS_KEPT_MAX * 2 + 3;
    for (let at = 0; at < total; at++)
      dead.add({ path: `p${at}`, event: { type: 'x' }, reason: 'not_found', atMs: at });
    expect(dead.count).toBe(total);
    expect(dead.recent().map(({ atMs }) => atMs)).toEqual(
      Array.from({ length: DEAD_LETTERS_KEPT_MAX }, (_, at) => total - DEAD_LETTERS_KEPT_MAX + at),
    );
  });
});
