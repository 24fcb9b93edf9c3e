import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  createSupervisedWorkerPool,
  createWorkerPool,
} from '../../../runtime/adapters/worker-pool.piscina.ts';
import { ONCE, checksOf, createCells, createFolder, until } from '../../support/pool-world.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const never = new AbortController().signal;
const closed = { code: 'MESH_ERR_POOL_CLOSED' };

/** Prints the value of `expression` in a process that makes a pool and does not close it. */
async function runScript(expression: string): Promise<string> {
  await using folder = await createFolder();
  const url = new URL('../../../runtime/adapters/worker-pool.piscina.ts', import.meta.url).href;
  const script = `
    import { enableCompileCache } from 'node:module';
    import { createWorkerPool } from ${JSON.stringify(url)};
    enableCompileCache('cache');
    const pool = createWorkerPool();
    console.log(${expression});`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script],
    { cwd: folder.path('.'), timeout: 15_000 },
  );
  return stdout;
}

describe('closing a pool', () => {
  it('waits for accepted work, leaves no thread, and refuses what comes after', async () => {
    const pool = createWorkerPool({ threads: 1 });
    const cells = createCells();
    const work = [
      pool.run(ONCE, { do: 'spin', cells }),
      pool.run(ONCE, { do: 'echo', value: 'waited' }),
      pool.verifySignatures(checksOf(3)),
    ];
    const closing = pool.close();
    await expect(pool.hashFile('/etc/hostname')).rejects.toMatchObject(closed);
    await expect(pool.verifySignatures(checksOf(1))).rejects.toMatchObject(closed);
    Atomics.store(cells, 1, 1);
    await closing;
    expect((await Promise.all(work)).slice(1)).toEqual(['waited', [true, true, true]]);
    expect(pool.stats()).toMatchObject({ workers: 0, running: 0, waitingTasks: 0 });
    expect(pool.close()).toBe(pool.close());
  });

  it('gives up on work at its deadline, and ends it', async () => {
    const pool = createWorkerPool({ threads: 1, closeTimeoutMs: 30 });
    const [first, second] = [createCells(), createCells()];
    const work = [
      pool.run(ONCE, { do: 'spin', cells: first }),
      pool.run(ONCE, { do: 'spin', cells: second }),
    ].map((task) => expect(task).rejects.toMatchObject(closed));
    await until(() => Atomics.load(first, 0) > 0, 'the first spins');
    await pool.close();
    await Promise.all(work);
    const count = Atomics.load(first, 0);
    expect(pool.stats().workers).toBe(0);
    expect([Atomics.load(first, 0), Atomics.load(second, 0)]).toEqual([count, 0]);
  });

  it('refuses to start threads again', async () => {
    const { pool, threads } = createSupervisedWorkerPool();
    await pool.close();
    await expect(threads.start(never)).rejects.toMatchObject(closed);
  });
});

describe('threads', () => {
  it('come with the first work and go when idle', async () => {
    const pool = createWorkerPool({ idleTimeoutMs: 20 });
    expect(pool.stats().workers).toBe(0);
    await pool.run(ONCE, { do: 'echo', value: 1 });
    await pool.verifySignatures(checksOf(1));
    await until(() => pool.stats().workers === 0, 'the idle threads are gone');
    expect(await pool.run(ONCE, { do: 'echo', value: 2 })).toBe(2);
    expect(pool.stats().workerDeaths).toBe(0);
    await pool.close();
  });

  it('do not keep a process alive that forgot to close its pool', async () => {
    const stdout = await runScript('(await pool.hashFile(process.execPath)).bytes');
    expect(Number(stdout)).toBeGreaterThan(1_000_000);
  });

  it('share the compile cache of a main thread that enabled one', async () => {
    const task = `{ name: 'find', module: new URL(${JSON.stringify(ONCE.module)}) }`;
    const stdout = await runScript(`await pool.run(${task}, { do: 'findCompileCache' })`);
    expect(stdout.trim()).toMatch(/^\/.*\/cache(\/|$)/);
  });
});

describe('signature batches', () => {
  it('go out after 1 ms, or at once from 16 checks on', async () => {
    const clock = new VirtualClock();
    const pool = createWorkerPool({ clock });
    const few = pool.verifySignatures(checksOf(15));
    expect(pool.stats()).toMatchObject({ waitingChecks: 15, running: 0 });
    await clock.advance(0.9);
    expect(pool.stats()).toMatchObject({ waitingChecks: 15, running: 0 });
    await clock.advance(0.1);
    expect(pool.stats()).toMatchObject({ waitingChecks: 0 });
    expect(await few).toHaveLength(15);
    const many = pool.verifySignatures(checksOf(16));
    expect(pool.stats()).toMatchObject({ waitingChecks: 0, running: 1 });
    expect(await many).toHaveLength(16);
    expect(clock.pending).toBe(0);
    await pool.close();
  });

  it('hold at most 64 checks and about 1 MiB of messages', async () => {
    const pool = createWorkerPool({ clock: new VirtualClock(), threads: 2 });
    const checks = pool.verifySignatures(checksOf(130));
    expect(pool.stats()).toMatchObject({ waitingChecks: 2, running: 2 });
    const message = new Uint8Array(700_000);
    const large = pool.verifySignatures(checksOf(20).map((check) => ({ ...check, message })));
    expect(pool.stats()).toMatchObject({ waitingChecks: 18, running: 4 });
    await pool.close();
    expect(await checks).toHaveLength(130);
    expect(await large).toEqual(Array.from({ length: 20 }, () => false));
  });
});

describe('a pool without threads', () => {
  it('keeps work for its outage time, then rejects it with MESH_ERR_POOL_UNAVAILABLE', async () => {
    const clock = new VirtualClock();
    const { pool } = createSupervisedWorkerPool({ clock, outageMs: 1000, waitingTasksMax: 2 });
    const gone = { code: 'MESH_ERR_POOL_UNAVAILABLE', retryable: true };
    const work = [
      pool.run(ONCE, { do: 'echo', value: 1 }),
      pool.hashFile('/etc/hostname'),
      pool.verifySignatures(checksOf(2)),
    ].map((task) => expect(task).rejects.toMatchObject(gone));
    await expect(pool.hashFile('/')).rejects.toMatchObject({ code: 'MESH_ERR_POOL_BUSY' });
    await clock.advance(999);
    expect(pool.stats()).toMatchObject({ waitingTasks: 2, waitingChecks: 2 });
    await clock.advance(1);
    await Promise.all(work);
    expect(clock.pending).toBe(0);
    await pool.close();
  });

  it('bounds the signatures that wait, and takes one large call when none do', async () => {
    const { pool } = createSupervisedWorkerPool({
      clock: new VirtualClock(),
      waitingChecksMax: 10,
    });
    const accepted = expect(pool.verifySignatures(checksOf(12))).rejects.toMatchObject(closed);
    const refused = pool.verifySignatures(checksOf(1));
    await expect(refused).rejects.toMatchObject({ code: 'MESH_ERR_POOL_BUSY' });
    await pool.close();
    await accepted;
  });
});
