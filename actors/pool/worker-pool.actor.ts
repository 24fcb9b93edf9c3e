/** Binds the pool's machine to its threads, and says how a supervisor keeps it. */
import { fromCallback, fromPromise } from 'xstate';
import type { SnapshotFrom } from 'xstate';
import { DRAIN_TIMEOUT_MS, workerPoolMachine } from '../../machines/pool/worker-pool.machine.ts';
import type { WorkerPoolInput } from '../../machines/pool/worker-pool.machine.ts';
import type { ChildSpec } from '../../supervisor/index.ts';
import type { WorkerPoolThreads } from './ports.ts';

type Bindings = Required<NonNullable<Parameters<typeof workerPoolMachine.provide>[0]['actors']>>;

/** Beyond the machine's own drain deadline, for ending the threads. */
const SHUTDOWN_MARGIN_MS = 1000;

/** The machine with its effects bound to `threads`. */
export function createWorkerPoolLogic(threads: WorkerPoolThreads) {
  const actors: Bindings = {
    startThreads: fromPromise(({ signal }) => threads.start(signal)),
    drainThreads: fromPromise(({ signal }) => threads.drain(signal)),
    watchThreads: fromCallback(({ sendBack }) => threads.watch(sendBack)),
  };
  return workerPoolMachine.provide({ actors });
}

/** Threads are attached: tasks run. */
export const isServing = (snapshot: SnapshotFrom<typeof workerPoolMachine>): boolean =>
  snapshot.matches('serving');

/** The child spec of a pool: permanent, ready when it serves. `id` defaults to `worker-pool`. */
export function workerPoolSpec(
  threads: WorkerPoolThreads,
  options: WorkerPoolInput & { readonly id?: string } = {},
): ChildSpec {
  const { id = 'worker-pool', ...input } = options;
  return {
    id,
    logic: createWorkerPoolLogic(threads),
    input,
    restart: 'permanent',
    shutdown: (input.drainTimeoutMs ?? DRAIN_TIMEOUT_MS) + SHUTDOWN_MARGIN_MS,
    ready: isServing,
  };
}
