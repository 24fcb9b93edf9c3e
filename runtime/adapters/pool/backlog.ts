/**
 * All work that a pool has accepted and not finished: tasks and signature batches together, with a
 * deadline for work that finds no threads.
 */
import type { SignatureCheck } from '../../../actors/pool/ports.ts';
import type { Clock, TimerId } from '../../../machines/kernel/clock.ts';
import type { CodedError } from '../../../machines/kernel/coded-error.ts';
import { poolError } from '../../../machines/pool/errors.ts';
import type { WorkerPoolFact } from '../../../machines/pool/worker-pool.machine.ts';
import type { Job } from './job.ts';
import { SignatureBatches } from './signature-batches.ts';
import { TaskQueue } from './task-queue.ts';
import type { WorkerThreads } from './worker-threads.piscina.ts';

/** How much work may wait, and for how long when there are no threads. */
export interface BacklogLimits {
  /** `bulk` tasks that may wait for a worker. Default 1,024. */
  readonly waitingTasksMax?: number;
  /** Signatures that may wait for a batch. Default 65,536. */
  readonly waitingChecksMax?: number;
  /** Milliseconds that work waits for threads when there are none. Default 10,000. */
  readonly outageMs?: number;
}

export class Backlog {
  readonly #clock: Clock;
  readonly #outageMs: number;
  readonly #queue: TaskQueue;
  readonly #batches: SignatureBatches;
  readonly #onIdle = new Set<() => void>();
  #outage: TimerId;

  constructor(clock: Clock, limits: BacklogLimits, tell: (fact: WorkerPoolFact) => void) {
    this.#clock = clock;
    this.#outageMs = limits.outageMs ?? 10_000;
    this.#queue = new TaskQueue({
      waitingMax: limits.waitingTasksMax ?? 1024,
      onRoom: () => this.#onRoom(),
      onFilled: (waiting) => tell({ type: 'queue.filled', waiting }),
      onDrained: () => tell({ type: 'queue.drained' }),
    });
    this.#batches = new SignatureBatches({
      clock,
      waitingMax: limits.waitingChecksMax ?? 65_536,
      room: () => this.#queue.room('verify'),
      begin: (job) => this.#queue.begin(job),
    });
  }

  get isAttached(): boolean {
    return this.#queue.isAttached;
  }

  get stats() {
    return {
      waitingTasks: this.#queue.waiting,
      waitingChecks: this.#batches.waiting,
      running: this.#queue.running,
      retries: this.#queue.retries,
      refusals: this.#queue.refusals + this.#batches.refusals,
    };
  }

  submit(job: Job): void {
    this.#queue.submit(job);
    this.#limitOutage();
  }

  verify(checks: readonly SignatureCheck[], signal?: AbortSignal): Promise<boolean[]> {
    const verdicts = this.#batches.submit(checks, signal);
    this.#limitOutage();
    return verdicts;
  }

  attach(threads: WorkerThreads): void {
    this.#forgetOutage();
    this.#queue.attach(threads);
  }

  /** The caller ends the threads, which fails over what they have. */
  detach(): void {
    this.#queue.detach();
    this.#limitOutage();
  }

  /** Resolves when nothing waits and nothing runs; sends out now what waits for company. */
  async idle(): Promise<void> {
    this.#batches.flush();
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      this.#onIdle.add(resolve);
    });
  }

  /** Rejects all that waits and runs, for good. */
  abandon(makeError: (name: string) => CodedError): void {
    this.#batches.rejectAll(makeError);
    this.#queue.rejectAll(makeError, true);
    this.#forgetOutage();
  }

  #isIdle(): boolean {
    return this.#queue.waiting + this.#queue.running + this.#batches.waiting === 0;
  }

  #onRoom(): void {
    this.#batches.pump();
    if (!this.#isIdle()) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle.clear();
  }

  #limitOutage(): void {
    if (this.isAttached || this.#isIdle() || this.#outage !== undefined) return;
    this.#outage = this.#clock.setTimeout(() => {
      this.#outage = undefined;
      const found = `no threads for ${this.#outageMs} ms.`;
      const unavailable = (name: string): CodedError =>
        poolError('MESH_ERR_POOL_UNAVAILABLE', `Running ${name}: ${found}`);
      this.#batches.rejectAll(unavailable);
      this.#queue.rejectAll(unavailable);
    }, this.#outageMs);
  }

  #forgetOutage(): void {
    this.#clock.clearTimeout(this.#outage);
    this.#outage = undefined;
  }
}
