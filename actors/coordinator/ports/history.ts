import type { Digest } from '../../../machines/kernel/ids.ts';
import type { LatestRecord } from '../../../machines/coordinator/transition.ts';

/** What lies in the history under the SHA-256 of its bytes. */
export type ContentKind = 'manifests' | 'policies' | 'transitions';

/** How moving `latest` went. `unavailable` leaves open whether it was done: read again. */
export type SwapResult =
  | { readonly type: 'swapped' }
  | { readonly type: 'mismatch'; readonly found: LatestRecord | null }
  | { readonly type: 'unavailable'; readonly cause: unknown };

/** Look again, or: this watch has ended. */
export type HistoryEvent =
  | { readonly type: 'changed' }
  | { readonly type: 'failed'; readonly message: string };

/** Sealed seed shares that were not confirmed yet. Its bytes are no secret. */
export interface StoredDelivery {
  readonly id: Digest;
  readonly bytes: Uint8Array;
}

/** Content of the history is at most this long. */
export const CONTENT_BYTES_MAX = 1024 * 1024;
/** Deliveries kept; the oldest go first. */
export const DELIVERIES_MAX = 64;

/**
 * Manifests, policies and transitions by their SHA-256, and which transition is the latest. Several
 * Coordinators, in several processes, share one. Every write is durable when its promise resolves;
 * every method rejects with MESH_ERR_HISTORY_UNAVAILABLE when the store cannot be used, within
 * seconds.
 */
export interface History {
  /**
   * Keeps content and resolves to its digest. Idempotent. MESH_ERR_HISTORY_TOO_LARGE beyond
   * `CONTENT_BYTES_MAX`.
   */
  put(kind: ContentKind, bytes: Uint8Array): Promise<Digest>;
  /**
   * The content of that digest, hashed again on every read: MESH_ERR_HISTORY_CORRUPT when it is
   * another, MESH_ERR_HISTORY_MISSING when there is none.
   */
  get(kind: ContentKind, digest: Digest): Promise<Uint8Array>;
  /** `null` before the first; MESH_ERR_HISTORY_CORRUPT for a record of the wrong form. */
  latest(): Promise<LatestRecord | null>;
  /**
   * Moves `latest` to `next` if its transition is `expected` (`null`: if there is none), in one step
   * among all processes. Never rejects for a store that fails.
   */
  compareAndSwap(expected: Digest | null, next: LatestRecord): Promise<SwapResult>;
  /**
   * Tells when `latest` may have changed; events may be lost, so ask as well. After `failed` nothing
   * follows: watch again. A listener must not throw. Returns how to stop; idempotent.
   */
  watch(listener: (event: HistoryEvent) => void): () => void;
  /** Idempotent upsert. */
  keepDelivery(id: Digest, bytes: Uint8Array): Promise<void>;
  /** At most `DELIVERIES_MAX`, newest first. */
  deliveries(): Promise<readonly StoredDelivery[]>;
  /** Idempotent. */
  dropDelivery(id: Digest): Promise<void>;
  /** Watches end, later calls reject. Idempotent. */
  close(): Promise<void>;
}

/** How far this Coordinator has seen the history. */
export interface Floor {
  readonly generation: number;
  readonly transition: Digest;
}

/**
 * The newest state that this Coordinator has verified, kept outside of the history: whoever replaces
 * the history by an older copy does not reach it.
 */
export interface GenerationFloor {
  /** `null` before the first; MESH_ERR_HISTORY_CORRUPT for a file of the wrong form. */
  read(): Promise<Floor | null>;
  /** Durable when it resolves; a lower generation than the kept one is ignored. */
  raise(floor: Floor): Promise<void>;
}
