import type { Lane } from './worker-threads.piscina.ts';

/** What one attempt of a job sends to a worker. */
export interface JobOrder {
  readonly module: URL;
  readonly payload: unknown;
  /** Buffers in `payload` that move instead of being copied. */
  readonly transfer: readonly ArrayBuffer[];
}

/** A piece of work on its way through the pool. It settles once; later outcomes are dropped. */
export interface Job {
  /** For messages: what is being done. */
  readonly name: string;
  readonly lane: Lane;
  /** It may run again after its worker died. */
  readonly isRepeatable: boolean;
  /** Called for each attempt. */
  readonly order: () => JobOrder;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /**
   * What to run instead when a worker died under this job: one job for each of its callers, so
   * that one caller's poison takes nobody else along. Default: the job itself.
   */
  readonly split?: () => readonly Job[];
}
