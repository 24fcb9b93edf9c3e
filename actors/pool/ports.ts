import type { Digest } from '../../machines/kernel/ids.ts';

/** One signature to check; all bytes raw. */
export interface SignatureCheck {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

export interface TaskOptions {
  /** Aborting rejects with MESH_ERR_POOL_CANCELLED; a task under way is really ended. */
  readonly signal?: AbortSignal;
  /** Units (bytes unless said) done so far; called at most every 50 ms. */
  readonly onProgress?: (done: number, total: number) => void;
}

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

/**
 * CPU work off the main thread. Every method rejects with MESH_ERR_POOL_BUSY when the queue is full,
 * MESH_ERR_POOL_CLOSED after close, MESH_ERR_POOL_CANCELLED on abort, MESH_ERR_POOL_WORKER_DIED when
 * a worker died under the task more than once, and with the task's own coded error otherwise.
 */
export interface WorkerPool {
  /** SHA-256 of a file's bytes. Idempotent. */
  hashFile(path: string, options?: TaskOptions): Promise<FileHash>;
  /** One verdict per check, in order. Malformed keys and signatures are `false`, never an error. */
  verifySignatures(checks: readonly SignatureCheck[], options?: TaskOptions): Promise<boolean[]>;
  /** Any task of the `bulk` kind: one a worker at a time, ended by ending its worker. */
  run<Payload, Result>(
    task: WorkerTask<Payload, Result>,
    payload: Payload,
    options?: TaskOptions,
  ): Promise<Result>;
  /** Refuses new tasks, waits for those under way, then ends the workers. Idempotent. */
  close(): Promise<void>;
}
