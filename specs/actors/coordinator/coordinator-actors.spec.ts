import { describe, expect, it } from 'vitest';
import { createHistoryWatchLogic } from '../../../actors/coordinator/history-watch.actor.ts';
import type { History, HistoryEvent } from '../../../actors/coordinator/ports/history.ts';
import type { CoordinatorPorts } from '../../../actors/coordinator/ports/services.ts';
import { createStateguardLogic } from '../../../actors/coordinator/stateguard.actor.ts';
import { historyError } from '../../../machines/coordinator/history-errors.ts';
import { historyWatchMachine } from '../../../machines/coordinator/history-watch.machine.ts';
import { stateguardMachine } from '../../../machines/coordinator/stateguard.machine.ts';
import type {
  GuardView,
  StateguardFact,
} from '../../../machines/coordinator/stateguard.machine.ts';
import { CoordinatorWorld } from '../../support/coordinator/coordinator-world.ts';
import type { Member } from '../../support/coordinator/coordinator-world.ts';
import { createMemoryHistory } from '../../support/coordinator/memory-history.ts';
import {
  GUARD_VIEWS,
  historyWatchModel,
  stateguardModel,
} from '../../support/coordinator/samples.ts';
import type { Gates } from '../../support/model/gates.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** A cell and a history of which the walk decides what they say. */
function fakePorts(gates: Gates) {
  let view: GuardView = GUARD_VIEWS.EMPTY;
  let tellGuard: (fact: StateguardFact) => void = () => {};
  let tellWatch: (event: HistoryEvent) => void = () => {};
  const ports = {
    cell: {
      held: null,
      observed: undefined,
      view: () => view,
      observe: () => {},
      fail: () => {},
      publish: () => {},
      onFact: (listener: typeof tellGuard) => {
        tellGuard = listener;
        return () => {};
      },
    },
    history: {
      latest: () => gates.wait('latest'),
      watch: (listener: typeof tellWatch) => {
        tellWatch = listener;
        return () => {};
      },
    },
    floor: { read: async () => null },
    clock: new VirtualClock(),
    notice: () => {},
  } as unknown as CoordinatorPorts;
  return {
    ports,
    see: (next: GuardView) => (view = next),
    tellGuard: (fact: StateguardFact) => tellGuard(fact),
    tellWatch: (event: HistoryEvent) => tellWatch(event),
  };
}

modelWalk(stateguardMachine, {
  models: [stateguardModel],
  bind: (gates) => {
    const { ports, see, tellGuard } = fakePorts(gates);
    return {
      logic: createStateguardLogic(ports),
      effects: {
        readHistory: {
          done: (output: GuardView) => {
            see(output);
            gates.open('latest', null);
          },
          fail: (error) => gates.fail('latest', error),
        },
      },
      facts: {
        'history.observed': tellGuard,
        'history.failed': tellGuard,
        'state.swapped': tellGuard,
      },
    };
  },
});

modelWalk(historyWatchMachine, {
  models: [historyWatchModel],
  bind: (gates) => {
    const { ports, tellWatch } = fakePorts(gates);
    return {
      logic: createHistoryWatchLogic(ports),
      facts: {
        'latest.observed': () => {
          tellWatch({ type: 'changed' });
          gates.open('latest', null);
        },
        'watch.failed': ({ message }: { message: string }) =>
          tellWatch({ type: 'failed', message }),
      },
    };
  },
});

const UNAVAILABLE = historyError('MESH_ERR_HISTORY_UNAVAILABLE', 'It was made to fail.');
const started = ({ reports }: Member, child: string): number =>
  reports.filter(({ type, path }) => type === 'restart' && path.endsWith(child)).length;

describe('the actors of a Coordinator, supervised,', () => {
  it('watch again after five seconds when the watch fails', async () => {
    await using world = new CoordinatorWorld();
    const history = createMemoryHistory(world.disk, { hears: false });
    const listeners: ((event: HistoryEvent) => void)[] = [];
    const watched: History = {
      ...history,
      watch: (listener) => {
        listeners.push(listener);
        return () => {};
      },
    };
    const member = await world.add({ history: watched });
    await world.until(member.set());
    expect(listeners).toHaveLength(1);
    listeners[0]?.({ type: 'failed', message: 'The folder is gone.' });
    await world.advance(4_999);
    expect([listeners.length, member.status]).toEqual([1, 'ready']);
    await world.advance(1);
    expect(listeners).toHaveLength(2);
    expect(started(member, 'history-watch')).toBe(0);
  });

  it('restart a watch that throws; the state survives, and so does a guard that crashed', async () => {
    await using world = new CoordinatorWorld();
    const history = createMemoryHistory(world.disk);
    let isBroken = false;
    const watched: History = {
      ...history,
      watch: (listener) => {
        if (isBroken) throw UNAVAILABLE;
        return history.watch(listener);
      },
    };
    const member = await world.add({ history: watched });
    await world.until(member.set());
    const state = member.ports.cell.take();
    isBroken = true;
    await world.until(member.tree.terminateChild(member.name, 'history-watch'));
    await world.until(member.tree.restartChild(member.name, 'history-watch'));
    await world.advance(1_000);
    expect(started(member, 'history-watch')).toBeGreaterThan(0);
    expect(member.ports.cell.take()).toBe(state);
    isBroken = false;
    await world.advance(10_000);
    expect(member.tree.snapshotOf(`${member.name}/history-watch`)).toMatchObject({
      value: 'watching',
    });
    await world.until(member.tree.terminateChild(member.name, 'stateguard'));
    expect(member.ports.cell.take()).toBe(state);
    await world.until(member.tree.restartChild(member.name, 'stateguard'));
    await world.advance(0);
    expect([member.status, member.ports.cell.take()]).toEqual(['ready', state]);
  });

  it('restart a recovery that panics, and it recovers', async () => {
    await using world = new CoordinatorWorld();
    const peer = await world.add();
    await world.until(peer.set());
    let panics = 0;
    const member = await world.add({
      wrap: (ports) => ({
        ...ports,
        transport: {
          recover: (name, appraisal, signal) => {
            if (panics++ < 2) throw new TypeError('a fault of the program');
            return ports.transport.recover(name, appraisal, signal);
          },
        },
      }),
    });
    await world.advance(20_000);
    expect([panics, member.status, started(member, 'recovery')]).toEqual([1, 'recovering', 1]);
    await world.advance(60_000);
    expect([panics, member.status, started(member, 'recovery')]).toEqual([3, 'ready', 2]);
    expect([started(member, 'stateguard'), started(member, 'history-watch')]).toEqual([0, 0]);
  });

  it('give up a silent peer after ten seconds, and ask the next one', async () => {
    await using world = new CoordinatorWorld();
    const peer = await world.add();
    await world.until(peer.set());
    const signals: AbortSignal[] = [];
    const member = await world.add({
      wrap: (ports) => ({
        ...ports,
        directory: { peers: async () => ['silent', peer.name] },
        transport: {
          recover: (name, appraisal, signal) => {
            if (name !== 'silent') return ports.transport.recover(name, appraisal, signal);
            signals.push(signal);
            return new Promise<never>(() => {});
          },
        },
      }),
    });
    await world.advance(18_000);
    expect([signals.length, signals[0]?.aborted, member.status]).toEqual([1, false, 'recovering']);
    await world.advance(10_000);
    expect([signals[0]?.aborted, member.status]).toEqual([true, 'ready']);
  });

  it('say why a round failed: no peers, or a directory that does not answer', async () => {
    await using world = new CoordinatorWorld();
    const peer = await world.add();
    await world.until(peer.set());
    const failureOf = async (peers: () => Promise<readonly string[]>) => {
      const member = await world.add({
        name: `lonely${world.members.length}`,
        wrap: (ports) => ({ ...ports, directory: { peers } }),
      });
      await world.advance(30_000);
      const snapshot = member.tree.snapshotOf(`${member.name}/recovery`);
      return (snapshot as unknown as { context: { failure: unknown } }).context.failure;
    };
    expect(await failureOf(async () => [])).toMatchObject({ reason: 'no_peers' });
    expect(await failureOf(() => Promise.reject(new Error('No network.')))).toEqual({
      reason: 'no_peers',
      message: 'Error: No network.',
    });
    expect(await failureOf(() => new Promise(() => {}))).toMatchObject({ reason: 'no_peers' });
  });

  it('begin although the history cannot be read, and serve once it can', async () => {
    await using world = new CoordinatorWorld();
    const history = createMemoryHistory(world.disk);
    let isBroken = true;
    const latest: History['latest'] = () =>
      isBroken ? Promise.reject(UNAVAILABLE) : history.latest();
    const member = await world.add({ history: { ...history, latest } });
    await world.advance(1_000);
    expect(() => member.ports.cell.take()).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE' }),
    );
    isBroken = false;
    await world.advance(5_000);
    expect(member.status).toBe('empty');
  });
});
