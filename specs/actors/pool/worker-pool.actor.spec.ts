import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import type { WorkerPoolThreads } from '../../../actors/pool/ports.ts';
import {
  createWorkerPoolLogic,
  isServing,
  workerPoolSpec,
} from '../../../actors/pool/worker-pool.actor.ts';
import { workerPoolMachine } from '../../../machines/pool/worker-pool.machine.ts';
import type { WorkerPoolFact } from '../../../machines/pool/worker-pool.machine.ts';
import { poolError } from '../../../machines/pool/errors.ts';
import { createSupervisedWorkerPool } from '../../../runtime/adapters/worker-pool.piscina.ts';
import { startTree } from '../../../runtime/start-tree.ts';
import type { SupervisorReport } from '../../../supervisor/index.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { workerPoolModel } from '../../support/model/pool-model.ts';
import { ONCE, REPEATABLE, createCells, until } from '../../support/pool-world.ts';

const broken: WorkerPoolFact = {
  type: 'pool.broken',
  cause: poolError('MESH_ERR_POOL_BROKEN', 'Broken by the spec.').toJSON(),
};

/** Real threads whose watchers the spec can tell what the world would. */
function createThreads() {
  const { pool, threads } = createSupervisedWorkerPool({ threads: 1 });
  const watchers = new Set<(fact: WorkerPoolFact) => void>();
  const told: WorkerPoolThreads = {
    ...threads,
    watch: (report) => {
      watchers.add(report);
      const stop = threads.watch(report);
      return () => {
        watchers.delete(report);
        stop();
      };
    },
  };
  const tell = (fact: WorkerPoolFact): void => {
    for (const report of watchers) report(fact);
  };
  return { pool, threads: told, tell, watchers };
}

modelWalk(workerPoolMachine, {
  models: [workerPoolModel],
  bind: (gates) => {
    let report: ((fact: WorkerPoolFact) => void) | undefined;
    const fact = (one: WorkerPoolFact): void => report?.(one);
    return {
      logic: createWorkerPoolLogic({
        start: () => gates.wait('startThreads'),
        drain: () => gates.wait('drainThreads'),
        end: () => Promise.resolve(),
        watch: (listener) => {
          report = listener;
          return () => undefined;
        },
      }),
      facts: {
        'worker.died': fact,
        'queue.filled': fact,
        'queue.drained': fact,
        'pool.broken': fact,
      },
    };
  },
  crashes: { failed: ({ cause }) => String(cause?.message) },
});

describe('createWorkerPoolLogic', () => {
  it('serves, drains accepted work on stop, and leaves no watcher and no thread', async () => {
    const { pool, threads, watchers } = createThreads();
    const actor = createActor(createWorkerPoolLogic(threads), { input: {} }).start();
    await until(() => isServing(actor.getSnapshot()), 'the pool serves');
    const cells = createCells();
    const work = pool.run(ONCE, { do: 'spin', cells });
    await until(() => Atomics.load(cells, 0) > 0, 'the task spins');
    actor.send({ type: 'stop' });
    expect(actor.getSnapshot().value).toBe('draining');
    Atomics.store(cells, 1, 1);
    expect(await work).toBeGreaterThan(0);
    await until(() => actor.getSnapshot().status === 'done', 'the actor is done');
    expect(actor.getSnapshot().value).toBe('closed');
    expect([watchers.size, pool.stats().workers]).toEqual([0, 0]);
    await pool.close();
  });

  it('exits with the cause when its threads break', async () => {
    const { pool, threads, tell } = createThreads();
    const actor = createActor(createWorkerPoolLogic(threads), { input: {} });
    actor.subscribe({ error: () => {} });
    actor.start();
    await until(() => isServing(actor.getSnapshot()), 'the pool serves');
    tell(broken);
    expect(actor.getSnapshot()).toMatchObject({
      status: 'error',
      error: { code: 'MESH_ERR_POOL_BROKEN', message: 'Broken by the spec.' },
    });
    await pool.close();
  });
});

describe('workerPoolSpec, supervised,', () => {
  it('is ready before its siblings start, and is restarted with its handle intact', async () => {
    const { pool, threads, tell } = createThreads();
    const tree = await startTree({
      id: 'mesh',
      type: 'supervisor',
      children: [workerPoolSpec(threads)],
    });
    const reports: SupervisorReport[] = [];
    tree.onReport((report) => reports.push(report));
    const [repeatable, waiting] = [createCells(), createCells()];
    const again = pool.run(REPEATABLE, { do: 'spin', cells: repeatable });
    await until(() => Atomics.load(repeatable, 0) > 0, 'the first task spins');
    const queued = pool.run(ONCE, { do: 'spin', cells: waiting });
    tell(broken);
    await until(() => reports.some(({ type }) => type === 'restart'), 'the pool is restarted');
    Atomics.store(repeatable, 1, 1);
    Atomics.store(waiting, 1, 1);
    expect(await again).toBeGreaterThan(0);
    expect(await queued).toBe(0);
    expect(reports.map(({ type, path }) => [type, path])).toEqual([
      ['crash', 'mesh/worker-pool'],
      ['restart', 'mesh/worker-pool'],
    ]);
    expect(reports[0]).toMatchObject({ reason: { cause: { code: 'MESH_ERR_POOL_BROKEN' } } });
    await tree.stop();
    expect(pool.stats()).toMatchObject({ workers: 0, running: 0, retries: 1 });
    await pool.close();
  });

  it('fails work that may not be repeated when its threads are replaced', async () => {
    const { pool, threads, tell } = createThreads();
    const tree = await startTree({
      id: 'mesh',
      type: 'supervisor',
      children: [workerPoolSpec(threads, { id: 'pool', drainTimeoutMs: 100 })],
    });
    const cells = createCells();
    const lost = pool.run(ONCE, { do: 'spin', cells });
    await until(() => Atomics.load(cells, 0) > 0, 'the task spins');
    tell(broken);
    await expect(lost).rejects.toMatchObject({ code: 'MESH_ERR_POOL_WORKER_DIED' });
    expect(await pool.run(ONCE, { do: 'echo', value: 'fresh' })).toBe('fresh');
    await tree.stop();
    await pool.close();
  });

  it('stops within its drain deadline even when work does not end', async () => {
    const { pool, threads } = createThreads();
    const tree = await startTree({
      id: 'mesh',
      type: 'supervisor',
      children: [workerPoolSpec(threads, { drainTimeoutMs: 50 })],
    });
    const cells = createCells();
    const lost = expect(pool.run(ONCE, { do: 'spin', cells })).rejects.toMatchObject({
      code: 'MESH_ERR_POOL_WORKER_DIED',
    });
    await until(() => Atomics.load(cells, 0) > 0, 'the task spins');
    await tree.stop();
    await lost;
    await until(() => pool.stats().workers === 0, 'its worker is gone');
    await pool.close();
  });
});
