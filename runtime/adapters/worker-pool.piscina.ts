/**
 * The pool's handle: bounded queues, batches, retries and deadlines over a replaceable set of
 * worker threads. Callers keep the handle; a supervised actor starts and ends the threads.
 */
import type {
  FileHash,
  RunOptions,
  SignatureCheck,
  TaskOptions,
  WorkerPool,
  WorkerPoolStats,
  WorkerPoolThreads,
  WorkerTask,
} from '../../actors/pool/ports.ts';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import { poolError } from '../../machines/pool/errors.ts';
import type { WorkerPoolFact } from '../../machines/pool/worker-pool.machine.ts';
import { packChecks } from '../workers/signature-batch.ts';
import { workerModule } from '../workers/worker-module.ts';
import { systemClock } from './clock.system.ts';
import { Backlog } from './pool/backlog.ts';
import type { BacklogLimits } from './pool/backlog.ts';
import { createWorkerThreads } from './pool/worker-threads.piscina.ts';
import type { ThreadLimits, WorkerThreads } from './pool/worker-threads.piscina.ts';

/** All have defaults that fit a node of the mesh. */
export interface WorkerPoolOptions extends ThreadLimits, BacklogLimits {
  /** Default: the machine's own time. */
  readonly clock?: Clock;
  /** Milliseconds that `close` waits for accepted work. Default 30,000. */
  readonly closeTimeoutMs?: number;
  /** Told every fact about the threads: for the log and the metrics. */
  readonly onFact?: (fact: WorkerPoolFact) => void;
}

/** Milliseconds for ended threads to be gone; one that is stuck in the kernel is left behind. */
const EXIT_TIMEOUT_MS = 2000;

const HASH_FILE: WorkerTask<{ path: string }, FileHash> = {
  name: 'hash-file',
  module: workerModule('../workers/hash-file', import.meta.url),
  idempotent: true,
};

/** A pool whose threads an actor drives: give `threads` to it and `pool` to everybody else. */
export function createSupervisedWorkerPool(options: WorkerPoolOptions = {}): {
  readonly pool: WorkerPool;
  readonly threads: WorkerPoolThreads;
} {
  const pool = new Pool(options);
  return { pool, threads: pool.threads };
}

/** A pool that looks after its threads itself: a broken set is replaced at once. */
export function createWorkerPool(options: WorkerPoolOptions = {}): WorkerPool {
  const pool = new Pool(options);
  pool.threads.watch((fact) => {
    if (fact.type === 'pool.broken') pool.replaceThreads();
  });
  pool.replaceThreads();
  return pool;
}

class Pool implements WorkerPool {
  readonly threads: WorkerPoolThreads = {
    start: (signal) => this.#start(signal),
    watch: (report) => this.#watch(report),
    drain: (signal) => this.#drain(signal),
    end: () => this.#end(),
  };
  readonly #options: WorkerPoolOptions;
  readonly #clock: Clock;
  readonly #backlog: Backlog;
  readonly #watchers = new Set<(fact: WorkerPoolFact) => void>();
  #current: WorkerThreads | undefined;
  #ending: Promise<void> = Promise.resolve();
  /** Why the newest set broke. */
  #break: ErrorJson | undefined;
  #sets = 0;
  #deaths = 0;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backlog = new Backlog(this.#clock, options, (fact) => this.#tell(fact));
  }

  async hashFile(path: string, options: TaskOptions = {}): Promise<FileHash> {
    return this.run(HASH_FILE, { path }, options);
  }

  async verifySignatures(
    checks: readonly SignatureCheck[],
    options: TaskOptions = {},
  ): Promise<boolean[]> {
    this.#refuseClosed(`checking ${checks.length} signatures`);
    const verdicts = await this.#backlog.verify(checks, options.signal);
    options.onProgress?.(checks.length, checks.length);
    return verdicts;
  }

  async run<Payload, Result>(
    task: WorkerTask<Payload, Result>,
    payload: Payload,
    options: RunOptions = {},
  ): Promise<Result> {
    this.#refuseClosed(task.name);
    const { signal, onProgress, transfer = [] } = options;
    return new Promise((resolve, reject) => {
      this.#backlog.submit({
        name: task.name,
        lane: 'bulk',
        isRepeatable: task.idempotent && transfer.length === 0,
        order: () => ({ module: task.module, payload, transfer }),
        resolve: (value) => resolve(value as Result),
        reject,
        ...(signal ? { signal } : {}),
        ...(onProgress ? { onProgress } : {}),
      });
    });
  }

  stats(): WorkerPoolStats {
    const workers = this.#current?.alive ?? 0;
    return { ...this.#backlog.stats, workers, workerDeaths: this.#deaths };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Ends the present threads and lets fresh ones start with the next work. */
  replaceThreads(): void {
    if (this.#closing) return;
    void this.#end();
    this.#backlog.attach(this.#create());
  }

  #create(): WorkerThreads {
    this.#break = undefined;
    this.#sets++;
    const threads = createWorkerThreads(this.#options, (fact) => {
      if (this.#current === threads) this.#tell(fact);
    });
    this.#current = threads;
    return threads;
  }

  async #start(signal: AbortSignal): Promise<void> {
    this.#refuseClosed('starting worker threads');
    const isFirst = this.#sets === 0;
    await this.#end();
    signal.throwIfAborted();
    const threads = this.#create();
    // An idle runtime has no thread at all; threads that come after broken ones prove themselves,
    // and do so before the work that waits can keep them from it.
    if (!isFirst) await this.#prove(threads, signal);
    signal.throwIfAborted();
    this.#refuseClosed('starting worker threads');
    this.#backlog.attach(threads);
  }

  async #prove(threads: WorkerThreads, signal: AbortSignal): Promise<void> {
    const payload = packChecks([]);
    const module = workerModule('../workers/verify-signatures', import.meta.url).href;
    try {
      await threads.run({ lane: 'bulk', order: { module, payload }, transfer: [], signal });
    } catch (thrown) {
      if (this.#current === threads) void this.#end();
      throw this.#break === undefined ? thrown : CodedError.fromJSON(this.#break);
    }
  }

  #watch(report: (fact: WorkerPoolFact) => void): () => void {
    this.#watchers.add(report);
    return () => this.#watchers.delete(report);
  }

  async #drain(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#backlog.idle(), aborted(signal)]);
    await this.#end();
  }

  #end(): Promise<void> {
    const threads = this.#current;
    if (threads === undefined) return this.#ending;
    this.#current = undefined;
    this.#backlog.detach();
    this.#ending = this.#within(threads.end(), EXIT_TIMEOUT_MS);
    return this.#ending;
  }

  async #close(): Promise<void> {
    if (this.#backlog.isAttached)
      await this.#within(this.#backlog.idle(), this.#options.closeTimeoutMs ?? 30_000);
    this.#backlog.abandon((name) =>
      poolError('MESH_ERR_POOL_CLOSED', `Running ${name}: the pool closed before its end.`),
    );
    await this.#end();
  }

  /** Waits for `work`, but no longer than `limitMs`. */
  async #within(work: Promise<void>, limitMs: number): Promise<void> {
    let timer: TimerId;
    const limit = new Promise<void>((resolve) => {
      timer = this.#clock.setTimeout(resolve, limitMs);
    });
    await Promise.race([work, limit]);
    this.#clock.clearTimeout(timer);
  }

  #refuseClosed(name: string): void {
    if (this.#closing)
      throw poolError('MESH_ERR_POOL_CLOSED', `Queueing ${name}: the pool is closed.`);
  }

  #tell(fact: WorkerPoolFact): void {
    if (fact.type === 'worker.died') this.#deaths++;
    this.#options.onFact?.(fact);
    // Work stranded in a broken set fails over now, also when nobody brings another set.
    if (fact.type === 'pool.broken') {
      this.#break = fact.cause;
      void this.#end();
    }
    for (const report of this.#watchers) report(fact);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
