import { describe, expect, it } from 'vitest';
import { createActor, fromCallback, fromPromise } from 'xstate';
import type { EventObject } from 'xstate';
import {
  CALM_MS,
  DEATHS_DEGRADED,
  DEATHS_MAX,
  DRAIN_TIMEOUT_MS,
  START_TIMEOUT_MS,
  causeOf,
  isBeyondMending,
  isTroubled,
  workerPoolMachine,
} from '../../../machines/pool/worker-pool.machine.ts';
import type { WorkerPoolFact } from '../../../machines/pool/worker-pool.machine.ts';
import { poolError } from '../../../machines/pool/errors.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { workerPoolModel } from '../../support/model/pool-model.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const died: WorkerPoolFact = { type: 'worker.died', reason: 'exit code 1' };

machineSuite(workerPoolMachine, workerPoolModel);

/** The machine with effects that never report, and what the world needs to play them. */
function createWorld() {
  const clock = new VirtualClock();
  const told: EventObject[] = [];
  const actor = createActor(
    workerPoolMachine.provide({
      actors: {
        startThreads: fromPromise(() => new Promise<void>(() => {})),
        drainThreads: fromPromise(() => new Promise<void>(() => {})),
        watchThreads: fromCallback(() => {}),
      },
    }),
    { input: {}, clock },
  );
  actor.on('*', (fact) => told.push(fact));
  actor.subscribe({ error: () => {} });
  actor.start();
  const started = { type: 'xstate.done.actor.0.worker-pool.starting', output: undefined };
  return { actor, clock, told, serve: () => actor.send(started as never) };
}

describe('worker-pool', () => {
  it('serves once its threads have started, and closes when they are drained', () => {
    const { actor, serve } = createWorld();
    expect(actor.getSnapshot().value).toBe('starting');
    serve();
    expect(actor.getSnapshot().value).toEqual({ serving: 'running' });
    actor.send({ type: 'stop' });
    expect(actor.getSnapshot().value).toBe('draining');
    actor.send({ type: 'xstate.done.actor.0.worker-pool.draining', output: undefined } as never);
    expect(actor.getSnapshot()).toMatchObject({ value: 'closed', status: 'done' });
  });

  it('is degraded from the third death on, until a calm spell', async () => {
    const { actor, clock, serve, told } = createWorld();
    serve();
    for (let death = 1; death < DEATHS_DEGRADED; death++) actor.send(died);
    expect(actor.getSnapshot().value).toEqual({ serving: 'running' });
    actor.send(died);
    expect(actor.getSnapshot().value).toEqual({ serving: 'degraded' });
    await clock.advance(CALM_MS - 1);
    expect(actor.getSnapshot().value).toEqual({ serving: 'degraded' });
    await clock.advance(1);
    expect(actor.getSnapshot().value).toEqual({ serving: 'running' });
    expect(told).toEqual([died, died, died]);
  });

  it('forgets single deaths that lie a calm spell apart', async () => {
    const { actor, clock, serve } = createWorld();
    serve();
    for (let death = 0; death < 2 * DEATHS_MAX; death++) {
      actor.send(died);
      await clock.advance(CALM_MS);
    }
    expect(actor.getSnapshot()).toMatchObject({ value: { serving: 'running' } });
  });

  it('fails after too many deaths in a row', () => {
    const { actor, serve } = createWorld();
    serve();
    for (let death = 0; death < DEATHS_MAX; death++) actor.send(died);
    expect(actor.getSnapshot().status).toBe('active');
    actor.send(died);
    expect(actor.getSnapshot()).toMatchObject({
      status: 'error',
      error: { code: 'MESH_ERR_POOL_BROKEN', retryable: true },
    });
  });

  it('is degraded for as long as its queue is full', async () => {
    const { actor, clock, serve } = createWorld();
    serve();
    actor.send({ type: 'queue.filled', waiting: 9 });
    await clock.advance(3 * CALM_MS);
    expect(actor.getSnapshot().value).toEqual({ serving: 'degraded' });
    actor.send({ type: 'queue.drained' });
    expect(actor.getSnapshot().value).toEqual({ serving: 'running' });
  });

  it('fails when its threads do not start in time', async () => {
    const { actor, clock } = createWorld();
    await clock.advance(START_TIMEOUT_MS);
    expect(actor.getSnapshot()).toMatchObject({
      status: 'error',
      error: { code: 'MESH_ERR_POOL_BROKEN' },
    });
  });

  it('closes when draining takes too long', async () => {
    const { actor, clock, serve } = createWorld();
    serve();
    actor.send({ type: 'stop' });
    await clock.advance(DRAIN_TIMEOUT_MS);
    expect(actor.getSnapshot()).toMatchObject({ value: 'closed', status: 'done' });
  });
});

describe('the guards', () => {
  it.each([
    [0, false, false],
    [2, false, false],
    [3, false, true],
    [0, true, true],
  ])('isTroubled(%i deaths, full queue %s) is %s', (deaths, isQueueFull, expected) => {
    expect(isTroubled(deaths, isQueueFull)).toBe(expected);
  });

  it('isBeyondMending only above the limit', () => {
    expect([DEATHS_MAX, DEATHS_MAX + 1].map(isBeyondMending)).toEqual([false, true]);
  });
});

describe('causeOf', () => {
  it('keeps a coded error and wraps any other', () => {
    const closed = poolError('MESH_ERR_POOL_CLOSED', 'Closed.');
    expect(causeOf(closed, 'Starting.')).toEqual(closed.toJSON());
    expect(causeOf(new Error('why'), 'Starting.')).toMatchObject({
      code: 'MESH_ERR_POOL_BROKEN',
      message: 'Starting.',
      cause: { message: 'why' },
    });
  });
});
