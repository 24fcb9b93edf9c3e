import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { targetMachine } from '../../../machines/workload/target.machine.ts';
import type { TargetFact } from '../../../machines/workload/target.machine.ts';
import type { AppRoute } from '../../../runtime/edge/routing-table.ts';
import {
  createTargetLogic,
  targetChildSpec,
  trafficOf,
} from '../../../actors/workload/target.actor.ts';
import { RoutingTable } from '../../../runtime/edge/routing-table.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { targetModel } from '../../support/model/workload-models.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** A table with two targets of one app, and the actor of the first. */
function world() {
  const clock = new VirtualClock();
  const table = new RoutingTable();
  const traffic = trafficOf(table, {
    drain: (instance, options) => table.drain(instance, { ...options, clock }),
  });
  const publish = (): void =>
    table.publish(
      'app',
      ['a', 'b'].map((instance) => ({ instance, app: 'app', host: '127.0.0.1', port: 1 })),
    );
  const logic = createTargetLogic(traffic);
  const input = { instance: 'a', app: 'app', drainTimeoutMs: 1_000 };
  const actor = createActor(logic, { input, clock });
  actor.subscribe({ error: () => {} });
  const routeIn = (): AppRoute => {
    const route = table.routeOf('app');
    if (!route) throw new Error('The app is published.');
    return route;
  };
  const first = () => {
    const [state] = routeIn().targets;
    if (!state) throw new Error('The app has targets.');
    return state;
  };
  const picks = (times: number): string => {
    let names = '';
    for (let time = 0; time < times; time++) {
      const request = { cancel: () => {} };
      const state = table.begin(routeIn(), request);
      names += state?.target.instance ?? '-';
      if (state) table.end(state, request);
    }
    return names;
  };
  return { clock, table, publish, actor, logic, input, first, routeIn, picks };
}

modelWalk(targetMachine, {
  models: [targetModel],
  bind: (gates) => {
    let tell: ((fact: TargetFact) => void) | undefined;
    const fact = (one: TargetFact): void => tell?.(one);
    return {
      logic: createTargetLogic({
        requests: { drain: () => gates.wait('drainRequests') },
        isPublished: () => false,
        setAvailable: () => undefined,
        watch: (_, listener) => {
          tell = listener;
          return () => undefined;
        },
      }),
      facts: {
        'target.published': fact,
        'connection.failed': fact,
        'connection.recovered': fact,
      },
    };
  },
});

describe('createTargetLogic', () => {
  it('is healthy once the table names the target, before or after its start', () => {
    const early = world();
    early.publish();
    early.actor.start();
    expect(early.actor.getSnapshot().value).toBe('healthy');
    const late = world();
    late.actor.start();
    expect(late.actor.getSnapshot().value).toBe('adding');
    late.publish();
    expect(late.actor.getSnapshot().value).toBe('healthy');
    late.actor.stop();
    early.actor.stop();
  });

  it('takes a failing target out of the round, longer each time, until it responds', async () => {
    const { actor, clock, first, picks, publish, table } = world();
    publish();
    actor.start();
    for (let count = 0; count < 2; count++) table.failed(first(), 'connect');
    expect(picks(4)).toContain('a');
    table.failed(first(), 'connect');
    expect(picks(3)).toBe('bbb');
    await clock.advance(1_000);
    expect(picks(2)).toContain('a');
    table.failed(first(), 'reset');
    expect(picks(3)).toBe('bbb');
    await clock.advance(1_999);
    expect(picks(3)).toBe('bbb');
    await clock.advance(1);
    expect(picks(2)).toContain('a');
    table.responded(first());
    for (let count = 0; count < 3; count++) table.failed(first(), 'timeout');
    await clock.advance(1_000);
    expect(actor.getSnapshot().value).toBe('healthy');
    expect(table.routeOf('app')?.counters.snapshot().ejections).toBe(3);
    actor.stop();
  });

  it('listens to its own instance only', () => {
    const { actor, publish, routeIn, table } = world();
    publish();
    actor.start();
    const others = routeIn().targets.slice(1);
    for (const other of [...others, ...others, ...others, ...others]) table.failed(other, 'reset');
    expect(actor.getSnapshot().value).toBe('healthy');
    actor.stop();
  });

  it('drains its requests, and ends', async () => {
    const { actor, clock, picks, publish, routeIn, table } = world();
    publish();
    actor.start();
    const request = { cancel: () => {} };
    while (table.inFlight('a') === 0) {
      const state = table.begin(routeIn(), request);
      if (state && state.target.instance !== 'a') table.end(state, request);
    }
    actor.send({ type: 'drain' });
    expect(picks(3)).toBe('bbb');
    await clock.advance(500);
    expect(actor.getSnapshot().value).toBe('draining');
    const [state] = routeIn().targets;
    if (state) table.end(state, request);
    await clock.advance(0);
    expect(actor.getSnapshot()).toMatchObject({ value: 'removed', status: 'done' });
  });

  it('hears nothing more once it is removed', () => {
    const { actor, first, picks, publish, table } = world();
    publish();
    actor.start();
    for (let count = 0; count < 3; count++) table.failed(first(), 'connect');
    actor.send({ type: 'remove' });
    expect(actor.getSnapshot().status).toBe('done');
    expect(picks(2)).toContain('a');
    for (let count = 0; count < 3; count++) table.failed(first(), 'connect');
    expect(picks(2)).toContain('a');
  });
});

describe('targetChildSpec', () => {
  it('restarts the actor only after a crash', () => {
    const { input, logic } = world();
    expect(targetChildSpec(logic, input)).toMatchObject({ id: 'a', restart: 'transient', input });
  });
});
