import type { WorkerPool } from '../../actors/pool/ports.ts';
import { createWorkerPool } from '../adapters/worker-pool.piscina.ts';

/** Gives `work` a pool of worker threads that ends with it. */
export async function withPool<Result>(
  work: (pool: WorkerPool) => Promise<Result>,
): Promise<Result> {
  const pool = createWorkerPool();
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}
