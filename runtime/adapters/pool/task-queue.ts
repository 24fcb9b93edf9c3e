/**
 * Gives jobs to whatever set of worker threads is attached, and keeps them when it goes: what no
 * worker had begun waits for the next set, what one had begun is tried again once if it may be.
 */
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { CodedError } from '../../../machines/kernel/coded-error.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { poolError } from '../../../machines/pool/errors.ts';
import type { Job } from './job.ts';
import type { Lane, WorkerThreads } from './worker-threads.piscina.ts';

/** A job may be begun this often: once, and once more after its worker died. */
const ATTEMPTS_MAX = 2;

interface Attachment {
  readonly threads: WorkerThreads;
  readonly running: Record<Lane, number>;
}

interface Entry {
  readonly job: Job;
  readonly attempts: number;
  /** Ends the worker that has the job. */
  readonly ending: AbortController;
  readonly forget: () => void;
  isSettled: boolean;
}

export interface TaskQueueOptions {
  /** `bulk` jobs that may wait. */
  readonly waitingMax: number;
  /** Called after room has become free or threads were attached. */
  readonly onRoom: () => void;
  readonly onFilled: (waiting: number) => void;
  readonly onDrained: () => void;
}

export class TaskQueue {
  readonly #options: TaskQueueOptions;
  readonly #waiting: Entry[] = [];
  readonly #begun = new Set<Entry>();
  #attached: Attachment | undefined;
  #isFull = false;
  retries = 0;
  refusals = 0;

  constructor(options: TaskQueueOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#begun.size;
  }

  get isAttached(): boolean {
    return this.#attached !== undefined;
  }

  /** Tasks that a lane can take at once now. */
  room(lane: Lane): number {
    const attached = this.#attached;
    return attached ? attached.threads.capacity[lane] - attached.running[lane] : 0;
  }

  attach(threads: WorkerThreads): void {
    this.#attached = { threads, running: { verify: 0, bulk: 0 } };
    this.#pump();
  }

  /** Nothing begins any more; the caller ends the threads, which fails over what they have. */
  detach(): void {
    this.#attached = undefined;
  }

  /** Takes a job; it rejects with MESH_ERR_POOL_BUSY when too many wait. */
  submit(job: Job): void {
    if (job.signal?.aborted) {
      job.reject(cancelled(job));
      return;
    }
    const isBegunAtOnce = this.room(job.lane) > 0 && this.#waiting.length === 0;
    if (!isBegunAtOnce && this.#waiting.length >= this.#options.waitingMax) {
      this.#refuse(job);
      return;
    }
    this.#enqueue(job, 0, 'back');
  }

  /** A job that skips the line: the caller has made sure that its lane has room. */
  begin(job: Job): void {
    const attached = this.#attached;
    if (attached) this.#begin(this.#entryOf(job, 0), attached, job.lane);
    else this.#enqueue(job, 0, 'back');
  }

  /** Rejects everything that waits, and with `begun` also what workers have. */
  rejectAll(makeError: (name: string) => CodedError, begun = false): void {
    const entries = [...this.#waiting.splice(0), ...(begun ? this.#begun : [])];
    for (const entry of entries) {
      entry.ending.abort();
      this.#settle(entry, () => entry.job.reject(makeError(entry.job.name)));
    }
    this.#noteDrained();
  }

  #refuse(job: Job): void {
    this.refusals++;
    const found = `${this.#waiting.length} tasks wait already, which is the most.`;
    job.reject(poolError('MESH_ERR_POOL_BUSY', `Queueing ${job.name}: ${found}`));
    if (this.#isFull) return;
    this.#isFull = true;
    this.#options.onFilled(this.#waiting.length);
  }

  #noteDrained(): void {
    if (!this.#isFull || this.#waiting.length > this.#options.waitingMax / 2) return;
    this.#isFull = false;
    this.#options.onDrained();
  }

  #enqueue(job: Job, attempts: number, end: 'front' | 'back'): void {
    const entry = this.#entryOf(job, attempts);
    if (end === 'front') this.#waiting.unshift(entry);
    else this.#waiting.push(entry);
    this.#pump();
  }

  #entryOf(job: Job, attempts: number): Entry {
    const { signal } = job;
    const onAbort = (): void => this.#cancel(entry);
    const entry: Entry = {
      job,
      attempts,
      ending: new AbortController(),
      forget: () => signal?.removeEventListener('abort', onAbort),
      isSettled: false,
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    return entry;
  }

  #cancel(entry: Entry): void {
    const at = this.#waiting.indexOf(entry);
    if (at >= 0) this.#waiting.splice(at, 1);
    entry.ending.abort();
    this.#settle(entry, () => entry.job.reject(cancelled(entry.job)));
    this.#noteDrained();
  }

  #settle(entry: Entry, settle: () => void): void {
    if (entry.isSettled) return;
    entry.isSettled = true;
    entry.forget();
    settle();
  }

  /** Everything that waits here runs in `bulk`; a lane of its own begins its jobs itself. */
  #pump(): void {
    for (let left = this.room('bulk'); left > 0; left--) {
      const entry = this.#waiting.shift();
      if (entry === undefined || this.#attached === undefined) break;
      this.#begin(entry, this.#attached, 'bulk');
    }
    this.#noteDrained();
    this.#options.onRoom();
  }

  #begin(entry: Entry, attached: Attachment, lane: Lane): void {
    attached.running[lane]++;
    this.#begun.add(entry);
    void this.#attempt(entry, attached, lane).finally(() => {
      attached.running[lane]--;
      this.#begun.delete(entry);
      this.#pump();
    });
  }

  async #attempt(entry: Entry, { threads }: Attachment, lane: Lane): Promise<void> {
    const { job } = entry;
    const progress = this.#listen(entry);
    try {
      const { module, payload, transfer } = job.order();
      const value = await threads.run({
        lane,
        order: { module: module.href, payload, ...(progress ? { progress: progress.far } : {}) },
        transfer: progress ? [...transfer, progress.far] : transfer,
        ...(lane === 'bulk' ? { signal: entry.ending.signal } : {}),
      });
      this.#settle(entry, () => job.resolve(value));
    } catch (thrown) {
      this.#fail(entry, thrown);
    } finally {
      progress?.near.close();
    }
  }

  #listen(entry: Entry): { near: MessagePort; far: MessagePort } | undefined {
    const { onProgress } = entry.job;
    if (onProgress === undefined) return undefined;
    const { port1: near, port2: far } = new MessageChannel();
    near.on('message', ([done, total]: [number, number]) => {
      if (entry.isSettled) return;
      try {
        onProgress(done, total);
      } catch (thrown) {
        // The listener's owner is the one who waits for the result.
        this.#settle(entry, () => entry.job.reject(thrown));
        entry.ending.abort();
      }
    });
    near.unref();
    return { near, far };
  }

  #fail(entry: Entry, thrown: unknown): void {
    const { job, attempts } = entry;
    const hasDied = codeOf(thrown) === 'MESH_ERR_POOL_WORKER_DIED';
    if (!hasDied || !job.isRepeatable || attempts + 1 >= ATTEMPTS_MAX || entry.isSettled) {
      this.#settle(entry, () => job.reject(thrown));
      return;
    }
    entry.forget();
    this.retries++;
    // Alone in its worker, so that a second death is its own doing.
    for (const part of job.split?.() ?? [job]) this.#enqueue(part, attempts + 1, 'front');
  }
}

function cancelled({ name }: Job): CodedError {
  return poolError('MESH_ERR_POOL_CANCELLED', `Running ${name}: cancelled by its caller.`);
}
