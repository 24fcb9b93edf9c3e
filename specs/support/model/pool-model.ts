/** What may happen to the worker pool: for the suite of any machine, and for the walk. */
import { poolError } from '../../../machines/pool/errors.ts';
import type { workerPoolMachine } from '../../../machines/pool/worker-pool.machine.ts';
import type { ModelOptions } from './model-paths.ts';

const cause = poolError('MESH_ERR_POOL_BROKEN', 'Broken.').toJSON();

/** A pool that begins. */
export const workerPoolModel: ModelOptions<typeof workerPoolMachine> = {
  input: {},
  samples: [
    { type: 'stop' },
    { type: 'worker.died', reason: 'exit code 1' },
    { type: 'queue.filled', waiting: 1024 },
    { type: 'queue.drained' },
    { type: 'pool.broken', cause },
  ],
};
