import { describe, expect, it } from 'vitest';
import {
  createSupervisedWorkerPool,
  createWorkerPool,
} from '../../../runtime/adapters/worker-pool.piscina.ts';
import type { WorkerPoolOptions } from '../../../runtime/adapters/worker-pool.piscina.ts';
import type { Job } from '../../../runtime/adapters/pool/job.ts';
import { TaskQueue } from '../../../runtime/adapters/pool/task-queue.ts';
import { createWorkerThreads } from '../../../runtime/adapters/pool/worker-threads.piscina.ts';
import type { WorkerPoolFact } from '../../../machines/pool/worker-pool.machine.ts';
import type { PoolTask } from '../../support/pool-tasks.worker.ts';
import {
  ONCE,
  REPEATABLE,
  checksOf,
  createCells,
  createFolder,
  until,
} from '../../support/pool-world.ts';

const died = { code: 'MESH_ERR_POOL_WORKER_DIED', retryable: true };
const never = new AbortController().signal;

function createWorld(options: WorkerPoolOptions = {}) {
  const facts: WorkerPoolFact[] = [];
  const pool = createWorkerPool({ ...options, onFact: (fact) => facts.push(fact) });
  return { pool, facts, [Symbol.asyncDispose]: () => pool.close() };
}

describe('a worker that dies under its task', () => {
  it('is replaced, and repeatable work is tried once more', async () => {
    await using folder = await createFolder();
    await using world = createWorld({ threads: 1 });
    const log = folder.path('runs');
    expect(await world.pool.run(REPEATABLE, { do: 'exit', log, deaths: 1 })).toBe(2);
    expect(world.facts).toEqual([{ type: 'worker.died', reason: 'exit code 3' }]);
    expect(world.pool.stats()).toMatchObject({ workerDeaths: 1, retries: 1 });
  });

  it.each([
    { name: 'exits', task: { do: 'exit', deaths: 9 } },
    { name: 'runs out of memory', task: { do: 'exhaustMemory' } },
    { name: 'throws out of band', task: { do: 'throwLater' } },
  ] as const)('that $name twice fails the work, and the pool serves on', async ({ task }) => {
    await using folder = await createFolder();
    await using world = createWorld({ threads: 1, heapMibMax: 32 });
    const work = world.pool.run(REPEATABLE, { ...task, log: folder.path('runs') });
    await expect(work).rejects.toMatchObject(died);
    expect(await folder.runsIn('runs')).toBe(2);
    expect(world.facts.map(({ type }) => type)).toEqual(['worker.died', 'worker.died']);
    expect(await world.pool.run(ONCE, { do: 'echo', value: 1 })).toBe(1);
  });

  it('fails work that may not be repeated, and work whose buffers have moved, at once', async () => {
    await using folder = await createFolder();
    await using world = createWorld({ threads: 1 });
    const task = (name: string) => ({ do: 'exit', log: folder.path(name), deaths: 9 }) as const;
    await expect(world.pool.run(ONCE, task('once'))).rejects.toMatchObject(died);
    const transfer = [new ArrayBuffer(8)];
    await expect(world.pool.run(REPEATABLE, task('moved'), { transfer })).rejects.toMatchObject(
      died,
    );
    expect([await folder.runsIn('once'), await folder.runsIn('moved')]).toEqual([1, 1]);
  });

  it('takes no task along that shared the worker: each is tried again alone', async () => {
    await using folder = await createFolder();
    const threads = createWorkerThreads({ threads: 1 }, () => {});
    const nothing = (): void => {};
    const queue = new TaskQueue({
      waitingMax: 9,
      onRoom: nothing,
      onFilled: nothing,
      onDrained: nothing,
    });
    queue.attach(threads);
    const begin = (payload: PoolTask): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const order = () => ({ module: ONCE.module, payload, transfer: [] });
        const job: Job = {
          name: 'job',
          lane: 'verify',
          isRepeatable: true,
          order,
          resolve,
          reject,
        };
        queue.begin(job);
      });
    const innocent = begin({ do: 'throwLater', log: folder.path('innocent') });
    const poison = begin({ do: 'exit', log: folder.path('poison'), deaths: 9 });
    await Promise.all([innocent, poison].map((work) => expect(work).rejects.toMatchObject(died)));
    expect([await folder.runsIn('poison'), await folder.runsIn('innocent')]).toEqual([2, 2]);
    await threads.end();
  });
});

describe('threads that end or break', () => {
  it('fail over what may be repeated, keep what waits, and fail the rest', async () => {
    const { pool, threads } = createSupervisedWorkerPool({ threads: 2 });
    await threads.start(never);
    const [repeatable, once] = [createCells(), createCells()];
    const again = pool.run(REPEATABLE, { do: 'spin', cells: repeatable });
    const lost = expect(pool.run(ONCE, { do: 'spin', cells: once })).rejects.toMatchObject(died);
    const waiting = pool.run(ONCE, { do: 'echo', value: 'waited' });
    const verdicts = pool.verifySignatures(checksOf(40));
    await until(() => Atomics.load(once, 0) > 0 && Atomics.load(repeatable, 0) > 0, 'both spin');
    await threads.end();
    await lost;
    Atomics.store(repeatable, 1, 1);
    await threads.start(never);
    expect(await again).toBeGreaterThan(0);
    expect(await waiting).toBe('waited');
    expect(await verdicts).toHaveLength(40);
    await pool.close();
  });

  it('tell that they are broken when no worker can start, and strand nothing', async () => {
    const entry = new URL('./no-such-module.ts', import.meta.url);
    const facts: WorkerPoolFact[] = [];
    const onFact = (fact: WorkerPoolFact): void => void facts.push(fact);
    const { pool, threads } = createSupervisedWorkerPool({ entry, onFact, outageMs: 20 });
    await threads.start(never);
    const hash = pool.hashFile('/etc/hostname');
    await expect(hash).rejects.toMatchObject({ code: 'MESH_ERR_POOL_UNAVAILABLE' });
    expect(facts).toMatchObject([
      { type: 'pool.broken', cause: { code: 'MESH_ERR_POOL_BROKEN', cause: {} } },
    ]);
    const broken = { code: 'MESH_ERR_POOL_BROKEN', retryable: true };
    await expect(threads.start(never)).rejects.toMatchObject(broken);
    await pool.close();
  });
});
