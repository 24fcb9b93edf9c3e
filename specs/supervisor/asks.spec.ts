import { assign, fromCallback, sendTo, setup } from 'xstate';
import type { AnyActorRef } from 'xstate';
import { describe, expect, it } from 'vitest';
import { ASKS_PENDING_MAX, Asks } from '../../supervisor/delivery/asks.ts';
import type { Asked } from '../../supervisor/index.ts';
import { reply } from '../../supervisor/index.ts';
import { SupervisedWorld, child, deafMachine, isUp, typesOf } from '../support/supervised.ts';
import { VirtualClock, settle } from '../support/virtual-clock.ts';

type CounterEvent =
  | Asked<{ type: 'add'; by: number }>
  | { type: 'forget' }
  | { type: 'crash' }
  | { type: 'answer.late' };

/** Answers with its count; keeps quiet, crashes or answers late when it is told to. */
const counter = setup({
  types: typesOf<{
    context: { count: number; asker: string | undefined };
    events: CounterEvent;
  }>(),
  actions: {
    add: assign(({ context, event }) => ({
      count: context.count + (event.type === 'add' ? event.by : 0),
      asker: event.type === 'add' ? event.replyTo : undefined,
    })),
    tellCount: reply(({ context }) => ({ type: 'count.told', count: context.count })),
    crash: () => {
      throw new Error('of this question');
    },
  },
}).createMachine({
  context: { count: 0, asker: undefined },
  initial: 'talking',
  on: { crash: { actions: 'crash' } },
  states: {
    talking: { on: { add: { actions: ['add', 'tellCount'] }, forget: 'silent' } },
    silent: {
      on: {
        add: { actions: 'add' },
        'answer.late': {
          actions: sendTo(({ context, system }) => system.get(context.asker ?? '') as AnyActorRef, {
            type: 'count.told',
          }),
        },
      },
    },
  },
});

const asked = child('a', { logic: counter });
const failure = (code: string) => ({ code });

describe('ask', () => {
  it('resolves with what the actor answers by `reply`', async () => {
    await using world = await SupervisedWorld.up([asked]);
    await world.tree.ask('root/a', { type: 'add', by: 2 } as never);
    const answer = await world.tree.ask('root/a', { type: 'add', by: 3 } as never);
    expect(answer).toEqual({ type: 'count.told', count: 5 });
    expect(world.clock.pending).toBe(0);
  });

  it('is answered by logic that is no machine too', async () => {
    const echo = fromCallback<Asked<{ type: 'echo' }>>(({ receive, system }) => {
      receive(({ replyTo }) => {
        const asker = system.get(replyTo ?? '') as { send(event: object): void };
        asker.send({ type: 'echoed' });
      });
    });
    await using world = await SupervisedWorld.up([child('a', { logic: echo })]);
    expect(await world.tree.ask('root/a', { type: 'echo' })).toEqual({ type: 'echoed' });
  });

  it('leaves an event that was only sent without an answer', async () => {
    await using world = await SupervisedWorld.up([asked]);
    world.tree.send('root/a', { type: 'add', by: 2 } as never);
    await settle();
    expect(world.tree.snapshotOf('root/a')).toMatchObject({ context: { count: 2 } });
    expect(world.tree.deadLetters.count).toBe(0);
  });

  it('rejects when the time is over, and a late answer is a dead letter', async () => {
    await using world = await SupervisedWorld.up([asked]);
    await world.tell('a', 'forget');
    const answer = world.tree.ask('root/a', { type: 'add', by: 1 } as never, { timeoutMs: 200 });
    const rejected = expect(answer).rejects.toMatchObject({
      ...failure('MESH_ERR_SUPERVISOR_ASK_TIMED_OUT'),
      retryable: true,
      details: { path: 'root/a', type: 'add' },
    });
    await world.clock.advance(200);
    await rejected;
    await world.tell('a', 'answer.late');
    expect(world.tree.deadLetters.recent()).toMatchObject([
      { reason: 'late_answer', event: { type: 'count.told' } },
    ]);
  });

  it('waits 5 seconds unless it is told otherwise', async () => {
    await using world = await SupervisedWorld.up([child('a')]);
    const answer = world.tree.ask('root/a', { type: 'count' });
    const rejected = expect(answer).rejects.toMatchObject(
      failure('MESH_ERR_SUPERVISOR_ASK_TIMED_OUT'),
    );
    await world.clock.advance(4999);
    expect(world.clock.pending).toBe(1);
    await world.clock.advance(1);
    await rejected;
  });

  it('rejects at once for a path that names nobody, a supervisor or a child that is down', async () => {
    const sub = { id: 'sub', type: 'supervisor' as const };
    await using world = await SupervisedWorld.up([asked, sub]);
    await world.tree.terminateChild('root', 'a');
    for (const path of ['root', 'root/sub', 'root/a', 'root/none', 'elsewhere'])
      await expect(world.tree.ask(path, { type: 'add' })).rejects.toMatchObject(
        failure('MESH_ERR_SUPERVISOR_ASK_UNREACHABLE'),
      );
    expect(world.clock.pending).toBe(0);
  });

  it('rejects when the actor ends before it answers, however it ends', async () => {
    await using world = await SupervisedWorld.up([asked]);
    const crashed = world.tree.ask('root/a', { type: 'crash' });
    await expect(crashed).rejects.toMatchObject(failure('MESH_ERR_SUPERVISOR_ASK_UNANSWERED'));
    await world.tell('a', 'forget');
    const stopped = world.tree.ask('root/a', { type: 'add', by: 1 } as never);
    await settle();
    const rejected = expect(stopped).rejects.toMatchObject(
      failure('MESH_ERR_SUPERVISOR_ASK_UNANSWERED'),
    );
    await world.tree.terminateChild('root', 'a');
    await rejected;
    expect(world.clock.pending).toBe(0);
  });

  it('of a question that waits behind a crash is answered by the next incarnation', async () => {
    await using world = await SupervisedWorld.up([asked]);
    world.tree.send('root/a', { type: 'crash' });
    const answer = await world.tree.ask('root/a', { type: 'add', by: 7 } as never);
    expect(answer).toEqual({ type: 'count.told', count: 7 });
    expect(world.children()).toEqual(['a:2']);
  });

  it.each(['drop', 'dead_letter'] as const)(
    'rejects when the question is lost in a restart with mailbox %s',
    async (mailbox) => {
      await using world = await SupervisedWorld.up([{ ...asked, mailbox }]);
      world.tree.send('root/a', { type: 'crash' });
      await expect(world.tree.ask('root/a', { type: 'add' })).rejects.toMatchObject(
        failure('MESH_ERR_SUPERVISOR_ASK_UNREACHABLE'),
      );
    },
  );

  it('rejects all who wait when the tree stops', async () => {
    await using world = await SupervisedWorld.up([child('a', { logic: deafMachine })]);
    const answers = [1, 2, 3].map(() => world.tree.ask('root/a', { type: 'count' }));
    const rejected = Promise.allSettled(answers);
    const stopped = world.tree.stop();
    await world.clock.advance(4999);
    await world.clock.advance(1);
    await stopped;
    expect((await rejected).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    expect(world.clock.pending).toBe(0);
  });

  it.each([0, -1, Number.NaN, Infinity])('refuses to wait %d ms', async (timeoutMs) => {
    await using world = await SupervisedWorld.up([asked]);
    await expect(world.tree.ask('root/a', { type: 'add' }, { timeoutMs })).rejects.toMatchObject(
      failure('MESH_ERR_SUPERVISOR_ASK_INVALID'),
    );
  });

  it('reaches an actor that is still starting', async () => {
    const slow = child('a', { logic: counter, ready: () => false });
    await using world = new SupervisedWorld([slow, child('b', { ready: isUp })]);
    await world.begin();
    expect(await world.tree.ask('root/a', { type: 'add', by: 1 } as never)).toMatchObject({
      count: 1,
    });
  });
});

describe('Asks', () => {
  it('keeps nothing of 10,000 questions, answered or not', async () => {
    const clock = new VirtualClock();
    const asks = new Asks('root', clock);
    const answers: Promise<unknown>[] = [];
    for (let at = 0; at < 10_000; at++)
      answers.push(
        asks.ask(`root/${at % 7}`, { type: 'x' }, {}, (event) => {
          const { replyTo } = event as Asked<{ type: string }>;
          return at % 2 === 0 && asks.answer(replyTo ?? '', { type: 'y' });
        }),
      );
    const settled = await Promise.allSettled(answers);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(5000);
    expect([asks.pending, clock.pending]).toEqual([0, 0]);
  });

  it('refuses more than its bound', async () => {
    const asks = new Asks('root', new VirtualClock());
    const all = Array.from({ length: ASKS_PENDING_MAX }, () =>
      asks.ask('root/a', { type: 'x' }, {}, () => true),
    );
    expect(() => asks.ask('root/a', { type: 'x' }, {}, () => true)).toThrow(
      expect.objectContaining(failure('MESH_ERR_SUPERVISOR_ASK_UNREACHABLE')),
    );
    asks.ended('root/a');
    expect(await Promise.allSettled(all)).toHaveLength(ASKS_PENDING_MAX);
  });
});
