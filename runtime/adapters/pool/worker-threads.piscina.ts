/**
 * One set of worker threads over two Piscina pools. `verify` runs several short tasks in one worker,
 * which cannot be cancelled one by one; `bulk` runs one task a worker, so that ending the worker
 * ends exactly that task. Queues, retries and deadlines are the caller's: at most `capacity` tasks
 * are given to a lane at a time, since Piscina's own queue does not bound cancellable tasks.
 */
import { getCompileCacheDir } from 'node:module';
import { availableParallelism } from 'node:os';
import type { MessagePort, Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { poolError } from '../../../machines/pool/errors.ts';
import type { WorkerPoolFact } from '../../../machines/pool/worker-pool.machine.ts';
import type { WorkerAnswer, WorkerOrder } from '../../workers/task.worker.ts';
import { workerModule } from '../../workers/worker-module.ts';

export type Lane = 'verify' | 'bulk';

export interface ThreadLimits {
  /** Threads of each lane; default one for each core. */
  readonly threads?: number;
  /** Milliseconds after which an idle thread ends and gives its memory back. Default 5,000. */
  readonly idleTimeoutMs?: number;
  /**
   * Heap of one thread in MiB (buffers are outside of it). Default 256, at least 32: V8 ends the
   * whole process when a thread's heap is too small to start in.
   */
  readonly heapMibMax?: number;
  /** The module that every worker starts with. Default: the one that runs orders. */
  readonly entry?: URL;
}

export interface ThreadOrder {
  readonly lane: Lane;
  readonly order: WorkerOrder;
  readonly transfer: readonly (ArrayBuffer | MessagePort)[];
  /** Ends the task with its worker; only for `bulk`. */
  readonly signal?: AbortSignal;
}

export interface WorkerThreads {
  /** Tasks that a lane takes at a time. */
  readonly capacity: Readonly<Record<Lane, number>>;
  /** Threads that are alive or starting. */
  readonly alive: number;
  /**
   * The task's result. Rejects with MESH_ERR_POOL_WORKER_DIED, MESH_ERR_POOL_CANCELLED,
   * MESH_ERR_POOL_TASK_FAILED or the task's own coded error.
   */
  run(order: ThreadOrder): Promise<unknown>;
  /** Ends all threads; tasks under way reject. Resolves when the threads are gone. Idempotent. */
  end(): Promise<void>;
}

/** A second task waits in a `verify` worker while the first runs, so that it never idles. */
const VERIFY_TASKS_PER_WORKER = 2;

/** Short-lived objects of one task; the default of 32 MiB per thread buys nothing here. */
const YOUNG_HEAP_MIB = 8;

const HEAP_MIB_MIN = 32;

export function createWorkerThreads(
  limits: ThreadLimits,
  report: (fact: WorkerPoolFact) => void,
): WorkerThreads {
  const threads = limits.threads ?? availableParallelism();
  const lanes: Record<Lane, ThreadLane> = {
    verify: new ThreadLane(limits, threads, VERIFY_TASKS_PER_WORKER, report),
    bulk: new ThreadLane(limits, threads, 1, report),
  };
  let ended: Promise<void> | undefined;
  return {
    capacity: { verify: lanes.verify.capacity, bulk: lanes.bulk.capacity },
    get alive() {
      return lanes.verify.alive + lanes.bulk.alive;
    },
    run: (order) => lanes[order.lane].run(order),
    end: () =>
      (ended ??= Promise.all([lanes.verify.end(), lanes.bulk.end()]).then(() => undefined)),
  };
}

class ThreadLane {
  readonly capacity: number;
  readonly #piscina: Piscina<WorkerOrder, WorkerAnswer>;
  readonly #report: (fact: WorkerPoolFact) => void;
  /** Threads that were ready once and have not exited. */
  readonly #live = new Set<Worker>();
  /** Threads that are being ended on purpose. */
  readonly #dismissed = new WeakSet<Worker>();
  #lastFailure: Error | undefined;
  #given = 0;
  #isEnding = false;

  constructor(
    limits: ThreadLimits,
    threads: number,
    tasksPerWorker: number,
    report: (fact: WorkerPoolFact) => void,
  ) {
    this.capacity = threads * tasksPerWorker;
    this.#report = report;
    this.#piscina = new Piscina({
      filename: (limits.entry ?? workerModule('../../workers/task', import.meta.url)).href,
      minThreads: 0,
      maxThreads: threads,
      concurrentTasksPerWorker: tasksPerWorker,
      idleTimeout: limits.idleTimeoutMs ?? 5000,
      // Piscina would otherwise block a worker in Atomics.wait between tasks, where it neither
      // sends progress nor ends at once.
      atomics: 'disabled',
      recordTiming: false,
      // Flags of the parent, of a test runner say, are none of the workers' business.
      execArgv: [],
      env: workerEnv(),
      resourceLimits: {
        maxOldGenerationSizeMb: Math.max(HEAP_MIB_MIN, limits.heapMibMax ?? 256),
        maxYoungGenerationSizeMb: YOUNG_HEAP_MIB,
      },
    });
    this.#piscina.on('workerCreate', ({ id }: { id: number }) => this.#watch(id));
    this.#piscina.on('workerDestroy', ({ id }: { id: number }) => this.#dismiss(id));
    // A thread that failed with no task in it; one that had become ready was already reported.
    this.#piscina.on('error', (thrown: Error) => {
      this.#lastFailure = thrown;
      this.#checkStranded();
    });
  }

  get alive(): number {
    return new Set([...this.#live, ...this.#piscina.threads]).size;
  }

  async run({ order, transfer, signal }: ThreadOrder): Promise<unknown> {
    this.#given++;
    try {
      const answer = await this.#piscina.run(order, {
        transferList: [...transfer],
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.ok) return answer.value;
      throw CodedError.fromJSON(answer.error);
    } catch (thrown) {
      throw thrown instanceof CodedError ? thrown : failureOf(thrown, order);
    } finally {
      this.#given--;
    }
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    const exits = [...this.#live].map((worker) => exited(worker));
    await this.#piscina.destroy();
    await Promise.all(exits);
  }

  #watch(id: number): void {
    const worker = this.#piscina.threads.find(({ threadId }) => threadId === id);
    if (worker === undefined) return;
    this.#live.add(worker);
    let isReported = false;
    const tell = (reason: string): void => {
      if (isReported || this.#isEnding || this.#dismissed.has(worker)) return;
      isReported = true;
      this.#report({ type: 'worker.died', reason });
    };
    // First in line: Piscina's own listeners dismiss the worker, after which it looks intended.
    worker.prependListener('error', (thrown: Error) => tell(wordsOf(thrown)));
    worker.prependListener('exit', (code) => {
      this.#live.delete(worker);
      tell(`exit code ${code}`);
    });
  }

  #dismiss(id: number): void {
    const worker = [...this.#live].find(({ threadId }) => threadId === id);
    if (worker) this.#dismissed.add(worker);
    this.#checkStranded();
  }

  /** Piscina starts no worker for tasks that already wait: without any, they would wait for ever. */
  #checkStranded(): void {
    setImmediate(() => {
      if (this.#isEnding || this.#given === 0 || this.#piscina.threads.length > 0) return;
      const cause = this.#lastFailure ?? new Error('The last worker ended before it was ready.');
      const attempt = `Keeping worker threads for ${this.#given} tasks.`;
      const broken = poolError('MESH_ERR_POOL_BROKEN', attempt, { cause });
      this.#report({ type: 'pool.broken', cause: broken.toJSON() });
    });
  }
}

/**
 * A compile cache that the main thread enabled by call is not the workers' by itself. Without one,
 * each worker loads the compiler that strips types: 30 MiB and 100 ms.
 */
function workerEnv(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: folder };
}

function exited(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
  });
}

/** A DataCloneError that crossed threads has lost its name and message; its stack still tells. */
function wordsOf(thrown: unknown): string {
  const { name, message, stack } = thrown as Error;
  return message === '' ? (stack?.split('\n', 1)[0] ?? name) : message;
}

/** What Piscina rejected with, in this pool's words. */
function failureOf(thrown: unknown, { module }: WorkerOrder): CodedError {
  const { name } = thrown as Error;
  const words = wordsOf(thrown);
  const task = module.slice(module.lastIndexOf('/') + 1);
  if (name === 'AbortError')
    return poolError('MESH_ERR_POOL_CANCELLED', `Running ${task}: cancelled under way.`);
  const isUnclonable = name === 'DataCloneError' || words.startsWith('DataCloneError');
  const code = isUnclonable ? 'MESH_ERR_POOL_TASK_FAILED' : 'MESH_ERR_POOL_WORKER_DIED';
  return poolError(code, `Running ${task} in a worker.`, { cause: new Error(words) });
}
