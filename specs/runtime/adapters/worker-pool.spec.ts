import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { WorkerPool } from '../../../actors/pool/ports.ts';
import type { WorkerPoolFact } from '../../../machines/pool/worker-pool.machine.ts';
import { createWorkerPool } from '../../../runtime/adapters/worker-pool.piscina.ts';
import type { WorkerPoolOptions } from '../../../runtime/adapters/worker-pool.piscina.ts';
import {
  ONCE,
  REPEATABLE,
  checksOf,
  createCells,
  createFolder,
  until,
} from '../../support/pool-world.ts';

/** A pool that is closed with its scope, and what it told. */
function createWorld(options: WorkerPoolOptions = {}) {
  const facts: WorkerPoolFact[] = [];
  const pool: WorkerPool = createWorkerPool({ ...options, onFact: (fact) => facts.push(fact) });
  return { pool, facts, [Symbol.asyncDispose]: () => pool.close() };
}

describe('WorkerPool.hashFile', () => {
  it.each([0, 1, 512 * 1024, 512 * 1024 + 1, 3_000_000])('hashes %i bytes', async (size) => {
    await using folder = await createFolder();
    await using world = createWorld({ threads: 1 });
    const bytes = Buffer.alloc(size, 'mesh');
    await writeFile(folder.path('file'), bytes);
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(await world.pool.hashFile(folder.path('file'))).toEqual({ digest, bytes: size });
  });

  it('refuses what is missing, a folder, and a FIFO that nobody writes to', async () => {
    await using folder = await createFolder();
    await using world = createWorld({ threads: 1 });
    await mkdir(folder.path('folder'));
    execFileSync('mkfifo', [folder.path('fifo')]);
    for (const [name, reason] of [
      ['missing', 'ENOENT'],
      ['folder', 'not a regular file'],
      ['fifo', 'not a regular file'],
    ] as const)
      await expect(world.pool.hashFile(folder.path(name))).rejects.toMatchObject({
        code: 'MESH_ERR_POOL_FILE_UNREADABLE',
        details: { path: folder.path(name), reason },
      });
  });
});

describe('WorkerPool.verifySignatures', () => {
  it('gives one verdict per check, in order, whoever shares the batch', async () => {
    await using world = createWorld();
    const calls = [1, 15, 16, 64, 65, 300].map((count) => ({ count, bad: [0, count - 1] }));
    const verdicts = await Promise.all(
      calls.map(({ count, bad }) => world.pool.verifySignatures(checksOf(count, bad))),
    );
    for (const [index, { count, bad }] of calls.entries())
      expect(verdicts[index]).toEqual(
        Array.from({ length: count }, (_, check) => !bad.includes(check)),
      );
  });

  it('calls malformed keys and signatures invalid, and takes empty messages and calls', async () => {
    await using world = createWorld();
    const [good] = checksOf(1);
    if (!good) throw new Error('One check was made.');
    const checks = [
      { ...good, publicKey: new Uint8Array(31) },
      { ...good, signature: new Uint8Array(0) },
      { ...good, message: new Uint8Array(0) },
      good,
    ];
    expect(await world.pool.verifySignatures(checks)).toEqual([false, false, false, true]);
    expect(await world.pool.verifySignatures([])).toEqual([]);
  });
});

describe('WorkerPool.run', () => {
  it('hands back the result, and a coded error with its code and details', async () => {
    await using world = createWorld({ threads: 1 });
    const value = { text: 'ä', list: [1, new Uint8Array([2])] };
    expect(await world.pool.run(ONCE, { do: 'echo', value })).toEqual(value);
    await expect(world.pool.run(ONCE, { do: 'failCoded' })).rejects.toMatchObject({
      code: 'MESH_ERR_SPEC_TASK',
      details: { at: 7 },
    });
  });

  it('fails with MESH_ERR_POOL_TASK_FAILED on errors without a code and what is not clonable', async () => {
    await using world = createWorld({ threads: 1 });
    const failed = { code: 'MESH_ERR_POOL_TASK_FAILED' };
    await expect(world.pool.run(ONCE, { do: 'failPlain' })).rejects.toMatchObject({
      ...failed,
      cause: { message: 'No code.' },
    });
    const value = (): void => {};
    await expect(world.pool.run(REPEATABLE, { do: 'echo', value })).rejects.toMatchObject(failed);
    await expect(world.pool.run(REPEATABLE, { do: 'failUnclonable' })).rejects.toMatchObject(
      failed,
    );
    expect(await world.pool.run(ONCE, { do: 'echo', value: 1 })).toBe(1);
    expect(world.pool.stats().retries).toBe(0);
  });

  it('moves buffers both ways instead of copying them', async () => {
    await using world = createWorld({ threads: 1 });
    const bytes = new Uint8Array(1024);
    const transfer = [bytes.buffer];
    const filled = await world.pool.run(ONCE, { do: 'fill', bytes, isMoved: true }, { transfer });
    expect(bytes.byteLength).toBe(0);
    expect(filled).toEqual(new Uint8Array(1024).fill(7));
  });

  it('reports progress at most every 50 ms', async () => {
    await using world = createWorld({ threads: 1 });
    const seen: number[] = [];
    const calls = await world.pool.run(
      ONCE,
      { do: 'report', forMs: 300 },
      { onProgress: (done) => seen.push(done) },
    );
    expect(calls).toBeGreaterThan(100);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThanOrEqual(7);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('fails with what the progress listener throws, and ends the work', async () => {
    await using world = createWorld({ threads: 1 });
    const onProgress = (): void => {
      throw new Error('Listener broke.');
    };
    const work = world.pool.run(ONCE, { do: 'report', forMs: 60_000 }, { onProgress });
    await expect(work).rejects.toThrow('Listener broke.');
    await until(() => world.pool.stats().running === 0, 'the work has ended');
  });
});

describe('cancelling', () => {
  const cancelled = { code: 'MESH_ERR_POOL_CANCELLED' };

  it('refuses work whose signal is aborted already', async () => {
    await using world = createWorld();
    const signal = AbortSignal.abort();
    await expect(world.pool.hashFile('/', { signal })).rejects.toMatchObject(cancelled);
    await expect(world.pool.verifySignatures(checksOf(1), { signal })).rejects.toMatchObject(
      cancelled,
    );
  });

  it('really ends work under way, and a fresh worker takes the next task', async () => {
    await using world = createWorld({ threads: 1 });
    const cells = createCells();
    const stop = new AbortController();
    const work = world.pool.run(ONCE, { do: 'spin', cells }, { signal: stop.signal });
    await until(() => Atomics.load(cells, 0) > 0, 'the task spins');
    stop.abort();
    await expect(work).rejects.toMatchObject(cancelled);
    await until(() => world.pool.stats().workers === 0, 'its worker is gone');
    const count = Atomics.load(cells, 0);
    expect(await world.pool.run(ONCE, { do: 'echo', value: 'next' })).toBe('next');
    expect(Atomics.load(cells, 0)).toBe(count);
    expect(world.facts).toEqual([]);
  });

  it('takes waiting work out of the queue', async () => {
    await using world = createWorld({ threads: 1 });
    const cells = createCells();
    const first = world.pool.run(ONCE, { do: 'spin', cells });
    const stop = new AbortController();
    const second = world.pool.run(ONCE, { do: 'echo', value: 2 }, { signal: stop.signal });
    expect(world.pool.stats()).toMatchObject({ waitingTasks: 1, running: 1 });
    stop.abort();
    await expect(second).rejects.toMatchObject(cancelled);
    expect(world.pool.stats().waitingTasks).toBe(0);
    Atomics.store(cells, 1, 1);
    await first;
  });

  it('drops signatures that wait, and leaves other callers of the batch alone', async () => {
    await using world = createWorld();
    const stop = new AbortController();
    const dropped = world.pool.verifySignatures(checksOf(3), { signal: stop.signal });
    const kept = world.pool.verifySignatures(checksOf(2));
    stop.abort();
    await expect(dropped).rejects.toMatchObject(cancelled);
    expect(await kept).toEqual([true, true]);
  });
});

describe('a full queue', () => {
  const busy = { code: 'MESH_ERR_POOL_BUSY', retryable: true };

  it('refuses the next task, and tells when it fills and when it drains', async () => {
    await using world = createWorld({ threads: 1, waitingTasksMax: 2 });
    const cells = createCells();
    const echo = (value: number) => world.pool.run(ONCE, { do: 'echo', value });
    const accepted = [world.pool.run(ONCE, { do: 'spin', cells }), echo(1), echo(2)];
    await expect(echo(3)).rejects.toMatchObject(busy);
    await expect(echo(4)).rejects.toMatchObject(busy);
    expect(world.pool.stats()).toMatchObject({ waitingTasks: 2, refusals: 2 });
    Atomics.store(cells, 1, 1);
    expect((await Promise.all(accepted)).slice(1)).toEqual([1, 2]);
    expect(world.facts).toEqual([{ type: 'queue.filled', waiting: 2 }, { type: 'queue.drained' }]);
  });
});
