/** Threads for actors on `node:worker_threads`: one for each incarnation, ended for good on demand. */
import { getCompileCacheDir } from 'node:module';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { EventObject } from 'xstate';
import { supervisorError } from '../../supervisor/errors.ts';
import type { ThreadFact, ThreadLink, ThreadOrder, Threads } from '../../supervisor/index.ts';
import { BEATS, BEGUN, unpackError, unpackReason } from '../threads/wire.ts';
import type { ThreadData, ToThread, WireFact } from '../threads/wire.ts';

/** How many threads there may be. */
export interface ThreadsOptions {
  /** Threads at once, those that still end included; default 128. Each costs 12 to 22 MiB. */
  readonly threadsMax?: number;
}

/** Enough for any machine of today, and few enough not to exhaust its memory. */
export const THREADS_MAX_DEFAULT = 128;

/** Looks at a thread this often within its heartbeat limit. */
const LOOKS = 4;
/** Beats between two looks, so that a look never comes just before a beat. */
const BEATS_PER_LOOK = 2;

/** Milliseconds for ended threads to be gone; one that is stuck in the kernel is left behind. */
const EXIT_TIMEOUT_MS = 5000;
/** Milliseconds after which a start no longer keeps others waiting, such as one whose module hangs. */
const START_TURN_MS = 5000;

const ENTRY = new URL('../threads/actor-thread.worker.ts', import.meta.url);

/** Makes the port; `startTree` makes one of its own accord. */
export const createThreads = (options: ThreadsOptions = {}): Threads => new NodeThreads(options);

class NodeThreads implements Threads {
  readonly #threadsMax: number;
  readonly #threads = new Set<NodeThread>();
  /** The newest thread of each path. */
  readonly #byPath = new Map<string, NodeThread>();
  /** More starts at once than processors only make each of them late. */
  readonly #startsMax = Math.max(2, availableParallelism());
  #starting = 0;
  readonly #waiting: NodeThread[] = [];

  constructor({ threadsMax }: ThreadsOptions) {
    this.#threadsMax = threadsMax ?? THREADS_MAX_DEFAULT;
  }

  open(order: ThreadOrder, listener: (fact: ThreadFact) => void): ThreadLink {
    const { path } = order;
    if (this.#threads.size >= this.#threadsMax)
      throw supervisorError(
        'MESH_ERR_SUPERVISOR_THREADS_EXHAUSTED',
        `Starting a thread for ${path}, of which there are ${this.#threads.size} already.`,
        { details: { path, threadsMax: this.#threadsMax } },
      );
    const before = this.#byPath.get(path)?.gone;
    const thread = new NodeThread(order, listener, () => this.#started());
    this.#threads.add(thread);
    this.#byPath.set(path, thread);
    void thread.gone.then(() => this.#forget(path, thread));
    // A port or a file that the predecessor had must be free again.
    if (before) void before.then(() => this.#enqueue(thread));
    else this.#enqueue(thread);
    return thread;
  }

  async settled(): Promise<void> {
    const ended = [...this.#threads].filter(({ isEnded }) => isEnded).map(({ gone }) => gone);
    if (ended.length === 0) return;
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, EXIT_TIMEOUT_MS);
    await Promise.race([Promise.all(ended), timeout.promise]);
    clearTimeout(timer);
  }

  #forget(path: string, thread: NodeThread): void {
    this.#threads.delete(thread);
    if (this.#byPath.get(path) === thread) this.#byPath.delete(path);
  }

  #enqueue(thread: NodeThread): void {
    this.#waiting.push(thread);
    this.#startNext();
  }

  #started(): void {
    this.#starting--;
    this.#startNext();
  }

  #startNext(): void {
    while (this.#starting < this.#startsMax) {
      const thread = this.#waiting.shift();
      if (!thread) return;
      if (thread.isEnded) continue;
      this.#starting++;
      thread.begin();
    }
  }
}

class NodeThread implements ThreadLink {
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  isEnded = false;
  readonly #order: ThreadOrder;
  readonly #listener: (fact: ThreadFact) => void;
  readonly #counters = new Int32Array(new SharedArrayBuffer(8));
  readonly #left: () => void;
  /** Called once, when the thread has started or failed to. */
  #started: (() => void) | undefined;
  #worker: Worker | undefined;
  /** Messages from before the worker existed. */
  #early: ToThread[] = [];
  #looks: NodeJS.Timeout | undefined;
  #turn: NodeJS.Timeout | undefined;

  constructor(order: ThreadOrder, listener: (fact: ThreadFact) => void, started: () => void) {
    this.#order = order;
    this.#listener = listener;
    this.#started = started;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#left = resolve;
  }

  get begun(): number {
    return Atomics.load(this.#counters, BEGUN);
  }

  begin(): void {
    const { place } = this.#order;
    const limitMs = place.heartbeatTimeoutMs;
    const lookMs = Number.isFinite(limitMs) ? Math.max(1, limitMs / LOOKS) : 0;
    const data: ThreadData = {
      order: this.#order,
      counters: this.#counters,
      beatMs: lookMs / BEATS_PER_LOOK,
    };
    const worker = new Worker(ENTRY, {
      name: this.#order.path,
      workerData: data,
      env: threadEnv(),
      resourceLimits: place.resourceLimits,
    });
    this.#worker = worker;
    this.#turn = setTimeout(() => this.#leaveStart(), START_TURN_MS);
    this.#turn.unref();
    worker.on('message', (facts: readonly WireFact[]) => this.#hear(facts));
    worker.on('error', (error) => this.#fail(this.#causeOf(error)));
    worker.on('exit', (code) => this.#exited(code));
    for (const message of this.#early) worker.postMessage(message, []);
    this.#early = [];
    if (lookMs > 0) this.#watch(lookMs, limitMs);
  }

  post(events: readonly EventObject[]): void {
    this.#send({ type: 'mail', events });
  }

  stop(): void {
    this.#send({ type: 'stop' });
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    clearInterval(this.#looks);
    this.#leaveStart();
    if (this.#worker) void this.#worker.terminate();
    else this.#left();
  }

  #send(message: ToThread): void {
    if (this.isEnded) return;
    if (this.#worker) this.#worker.postMessage(message, []);
    else this.#early.push(message);
  }

  #hear(facts: readonly WireFact[]): void {
    for (const fact of facts) {
      if (this.isEnded) return;
      if (fact.type === 'thread.seen' || fact.type === 'thread.ended') this.#leaveStart();
      if (fact.type === 'thread.ended')
        this.#listener({ ...fact, reason: unpackReason(fact.reason) });
      else if (fact.type === 'error.stray')
        this.#listener({ ...fact, error: unpackError(fact.error) });
      else this.#listener(fact);
    }
  }

  #leaveStart(): void {
    clearTimeout(this.#turn);
    const started = this.#started;
    this.#started = undefined;
    if (this.#worker) started?.();
  }

  /** Only once it has beaten: before that, the time that its start may take is the limit. */
  #watch(lookMs: number, limitMs: number): void {
    let last = 0;
    let missed = 0;
    this.#looks = setInterval(() => {
      const beats = Atomics.load(this.#counters, BEATS);
      missed = beats === last && beats > 0 ? missed + 1 : 0;
      last = beats;
      if (missed < LOOKS) return;
      const { path } = this.#order;
      this.#fail(
        supervisorError(
          'MESH_ERR_SUPERVISOR_THREAD_BLOCKED',
          `The thread of ${path} did not come back to its event loop for ${limitMs} ms.`,
          { details: { path, heartbeatTimeoutMs: limitMs } },
        ),
      );
    }, lookMs);
    this.#looks.unref();
  }

  #fail(cause: unknown): void {
    if (this.isEnded) return;
    this.#listener({ type: 'thread.ended', reason: { type: 'error', cause } });
    this.end();
  }

  #exited(code: number): void {
    const { path } = this.#order;
    this.#fail(
      supervisorError(
        'MESH_ERR_SUPERVISOR_THREAD_EXITED',
        `The thread of ${path} ended with code ${code} before its actor did.`,
        { details: { path, code } },
      ),
    );
    this.#left();
  }

  #causeOf(error: unknown): unknown {
    const { path, place } = this.#order;
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
    return supervisorError(
      'MESH_ERR_SUPERVISOR_THREAD_OUT_OF_MEMORY',
      `The thread of ${path} reached its memory limit.`,
      { cause: error, details: { path, resourceLimits: place.resourceLimits } },
    );
  }
}

/**
 * A compile cache that the main thread enabled by call is not the threads' by itself. Without one,
 * each of them loads the compiler that strips types: 30 MiB and 100 ms.
 */
function threadEnv(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: folder };
}
