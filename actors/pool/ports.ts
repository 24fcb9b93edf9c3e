import type { Digest } from '../../machines/kernel/ids.ts';
import type { WorkerPoolFact } from '../../machines/pool/worker-pool.machine.ts';

/** One signature to check; all bytes raw. Leave them unchanged until the verdict is there. */
export interface SignatureCheck {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

/** How a caller follows and ends its work. */
export interface TaskOptions {
  /**
   * Aborting rejects with MESH_ERR_POOL_CANCELLED. A `bulk` task under way is really ended, with its
   * worker; a batch of signatures under way (at most 64) runs out and its verdicts are dropped.
   */
  readonly signal?: AbortSignal;
  /** Units (bytes unless said) done so far; called at most every 50 ms. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** For a task of one's own. */
export interface RunOptions extends TaskOptions {
  /**
   * Buffers of the payload that move to the worker instead of being copied; the caller's become
   * empty. Such a task is not tried again when its worker dies.
   */
  readonly transfer?: readonly ArrayBuffer[];
}

/** What a file's bytes are. */
export interface FileHash {
  readonly digest: Digest;
  readonly bytes: number;
}

/**
 * A task that workers run. `module` is the URL of a worker module whose export `run(payload, progress)`
 * does the work; `idempotent` ones are tried again once when a worker dies under them.
 */
export interface WorkerTask<Payload, Result> {
  readonly name: string;
  readonly module: URL;
  readonly idempotent: boolean;
  /** Phantoms that carry the types; never read. */
  readonly payload?: Payload;
  readonly result?: Result;
}

/** How a pool stands now. All counters start with the pool and only go up. */
export interface WorkerPoolStats {
  /** `bulk` tasks that no worker has begun. */
  readonly waitingTasks: number;
  /** Signatures that are in no batch yet. */
  readonly waitingChecks: number;
  /** Tasks and batches that workers have. */
  readonly running: number;
  /** Threads alive, also those still starting or ending. */
  readonly workers: number;
  readonly workerDeaths: number;
  readonly retries: number;
  readonly refusals: number;
}

/**
 * CPU work off the main thread. Every method rejects with MESH_ERR_POOL_BUSY when the queue is full,
 * MESH_ERR_POOL_CLOSED after close, MESH_ERR_POOL_CANCELLED on abort, MESH_ERR_POOL_WORKER_DIED when
 * a worker died under the task more than once, MESH_ERR_POOL_UNAVAILABLE when there were no threads
 * for too long, and with the task's own coded error otherwise (MESH_ERR_POOL_TASK_FAILED when that
 * has no code). The handle stays good while its threads are restarted.
 */
export interface WorkerPool {
  /** SHA-256 of a file's bytes. Idempotent. Rejects with MESH_ERR_POOL_FILE_UNREADABLE. */
  hashFile(path: string, options?: TaskOptions): Promise<FileHash>;
  /** One verdict per check, in order. Malformed keys and signatures are `false`, never an error. */
  verifySignatures(checks: readonly SignatureCheck[], options?: TaskOptions): Promise<boolean[]>;
  /** Any task of the `bulk` kind: one a worker at a time, ended by ending its worker. */
  run<Payload, Result>(
    task: WorkerTask<Payload, Result>,
    payload: Payload,
    options?: RunOptions,
  ): Promise<Result>;
  stats(): WorkerPoolStats;
  /** Refuses new tasks, waits for those accepted, then ends the workers. Idempotent. */
  close(): Promise<void>;
}

/** The threads behind a pool's handle, as the supervised actor starts and ends them. */
export interface WorkerPoolThreads {
  /**
   * Attaches a fresh set of threads after ending any older set. From the second time on it resolves
   * when a first task has come back; before that threads start with the first work.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Calls `report` with each fact until the returned function is called. */
  watch(report: (fact: WorkerPoolFact) => void): () => void;
  /** Resolves when all accepted work is done and the threads are gone; the handle stays open. */
  drain(signal: AbortSignal): Promise<void>;
  /** Ends the threads at once: what they had begun fails over to the next set. */
  end(): Promise<void>;
}
