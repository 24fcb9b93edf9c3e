import { describe, expect, it } from 'vitest';
import type { InFlight } from '../../../runtime/edge/target-state.ts';
import type { AppRoute, Target } from '../../../runtime/edge/routing-table.ts';
import { RoutingTable } from '../../../runtime/edge/routing-table.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const target = (instance: string, port = 1): Target => ({
  instance,
  app: 'app',
  host: '127.0.0.1',
  port,
});
const request = (cancel: () => void = () => {}): InFlight => ({ cancel });

function routeIn(table: RoutingTable): AppRoute {
  const route = table.routeOf('app');
  if (!route) throw new Error('The app is published.');
  return route;
}

/** Picks `times` targets, each for a request that ends at once. */
function picks(table: RoutingTable, times: number): string {
  const route = routeIn(table);
  let names = '';
  for (let time = 0; time < times; time++) {
    const one = request();
    const state = table.begin(route, one);
    names += state?.target.instance ?? '-';
    if (state) table.end(state, one);
  }
  return names;
}

describe('RoutingTable', () => {
  it('rounds over the targets of an app', () => {
    const table = new RoutingTable();
    table.publish('app', [target('a'), target('b'), target('c')]);
    expect(picks(table, 7)).toBe('bcabcab');
  });

  it('tells unknown apps from those without a target', () => {
    const table = new RoutingTable();
    expect(table.routeOf('app')).toBeUndefined();
    table.publish('app', []);
    expect(picks(table, 1)).toBe('-');
    table.publish('app', null);
    expect(table.routeOf('app')).toBeUndefined();
    expect(table.snapshot()).toEqual([]);
  });

  it('skips ejected targets, and tries them anyway when all are', () => {
    const table = new RoutingTable();
    table.publish('app', [target('a'), target('b'), target('c')]);
    table.setAvailable('a', false);
    expect(picks(table, 4)).toBe('bcbc');
    table.setAvailable('b', false);
    table.setAvailable('c', false);
    expect(picks(table, 3)).toBe('abc');
    table.setAvailable('b', true);
    table.setAvailable('nobody', false);
    expect(picks(table, 2)).toBe('bb');
    expect(table.routeOf('app')?.counters.snapshot().ejections).toBe(3);
  });

  it('never picks a draining target again, even when published once more', async () => {
    const table = new RoutingTable();
    table.publish('app', [target('a'), target('b')]);
    await table.drain('a', { deadlineMs: 10, clock: new VirtualClock() });
    expect(picks(table, 3)).toBe('bbb');
    table.publish('app', [target('a')]);
    expect(picks(table, 1)).toBe('-');
  });

  it('waits in a drain for a request that was picked just before', async () => {
    const clock = new VirtualClock();
    const table = new RoutingTable();
    table.publish('app', [target('a')]);
    const route = table.routeOf('app');
    const one = request();
    const state = route && table.begin(route, one);
    let drained: unknown;
    const draining = table.drain('a', { deadlineMs: 1_000, clock }).then((result) => {
      drained = result;
    });
    table.publish('app', []);
    await clock.advance(999);
    expect(drained).toBeUndefined();
    expect(table.inFlight('a')).toBe(1);
    if (state) table.end(state, one);
    await draining;
    expect(drained).toEqual({ cancelled: 0 });
    expect(clock.pending).toBe(0);
    expect(table.has('a')).toBe(false);
  });

  it('cancels at the deadline of a drain what is left, and says how much that was', async () => {
    const clock = new VirtualClock();
    const table = new RoutingTable();
    table.publish('app', [target('a')]);
    const route = routeIn(table);
    for (let count = 0; count < 3; count++) {
      const one: InFlight = { cancel: () => state && table.end(state, one) };
      const state = table.begin(route, one);
    }
    const draining = table.drain('a', { deadlineMs: 1_000, clock });
    await clock.advance(1_000);
    expect(await draining).toEqual({ cancelled: 3 });
  });

  it('gives up a drain that is aborted, and leaves its requests alone', async () => {
    const clock = new VirtualClock();
    const table = new RoutingTable();
    table.publish('app', [target('a')]);
    const route = table.routeOf('app');
    let cancelled = 0;
    if (route)
      table.begin(
        route,
        request(() => cancelled++),
      );
    const abort = new AbortController();
    const draining = table.drain('a', { deadlineMs: 1_000, clock, signal: abort.signal });
    abort.abort(new Error('no more'));
    await expect(draining).rejects.toThrow('no more');
    await expect(table.drain('a', { deadlineMs: 1, clock, signal: abort.signal })).rejects.toThrow(
      'no more',
    );
    await clock.advance(2_000);
    expect(cancelled).toBe(0);
  });

  it('has nothing to drain of an unknown instance', async () => {
    const table = new RoutingTable();
    const options = { deadlineMs: 1, clock: new VirtualClock() };
    expect(await table.drain('nobody', options)).toEqual({ cancelled: 0 });
  });

  it('takes an instance at another address for another target', () => {
    const table = new RoutingTable();
    table.publish('app', [target('a', 1)]);
    const route = table.routeOf('app');
    const one = request();
    const before = route && table.begin(route, one);
    table.publish('app', [target('a', 2)]);
    const after = route && table.begin(route, request());
    expect(after).not.toBe(before);
    expect(before?.isRemoved).toBe(true);
    if (before) table.end(before, one);
    expect(table.inFlight('a')).toBe(1);
  });

  it('reports failures in a row, and the response that ends them', () => {
    const table = new RoutingTable();
    const facts: unknown[] = [];
    const stops = [
      table.onTargetPublished((instance) => facts.push([instance, 'published'])),
      table.onTargetFailure((...failure) => facts.push(failure)),
      table.onTargetRecovery((instance) => facts.push([instance, 'recovered'])),
    ];
    table.publish('app', [target('a')]);
    const route = table.routeOf('app');
    const state = route && table.begin(route, request());
    if (!state) throw new Error('There is a target.');
    table.responded(state);
    table.failed(state, 'connect');
    table.failed(state, 'reset');
    table.responded(state);
    for (const stop of stops) stop();
    table.failed(state, 'timeout');
    expect(facts).toEqual([
      ['a', 'published'],
      ['a', 'connect', 1],
      ['a', 'reset', 2],
      ['a', 'recovered'],
    ]);
  });

  it('has a limit of apps and of targets', () => {
    const table = new RoutingTable({ appsMax: 1, targetsMax: 2 });
    table.publish('app', [target('a'), target('b')]);
    const code = 'MESH_ERR_EDGE_APPS_LIMIT';
    expect(() => table.publish('other', [])).toThrow(expect.objectContaining({ code }));
    const three = [target('a'), target('b'), target('c')];
    expect(() => table.publish('app', three)).toThrow(expect.objectContaining({ code }));
    table.publish('app', null);
    table.publish('other', []);
    expect(table.snapshot()).toEqual([{ app: 'other', targets: [] }]);
  });
});
