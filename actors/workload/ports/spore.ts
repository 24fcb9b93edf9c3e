import type { Digest } from '../../../machines/kernel/ids.ts';
import type { SporeManifest } from '../../../machines/workload/manifest.schema.ts';
import type { SporeCheckName, TrustEntry } from '../../../machines/workload/spore-rules.ts';

/** One of the five checks. A failed one has the code and the message of its error. */
export interface SporeCheck {
  readonly name: SporeCheckName;
  readonly ok: boolean;
  readonly code?: string;
  readonly message?: string;
}

/** What was found about one file. `ok` is true only if all five checks are. */
export interface SporeReport {
  readonly ok: boolean;
  /** SHA-256 of the whole file. */
  readonly digest: Digest;
  /** Bytes of the whole file. */
  readonly bytes: number;
  /** There when the format check passed; it is authentic only if `ok`. */
  readonly manifest?: SporeManifest;
  /** Always all five, in their order. */
  readonly checks: readonly SporeCheck[];
}

/** The public keys that may sign spores, per app or for all. */
export interface TrustStore {
  /**
   * Resolves when the entry is on disk. Idempotent for the same key, name and app. Rejects with
   * MESH_ERR_TRUST_CONFLICT when the name is taken by another key, _ENTRY, _FULL, _BUSY,
   * _MALFORMED or _IO.
   */
  add(
    publicKey: Uint8Array,
    about: { readonly name: string; readonly app?: string },
  ): Promise<TrustEntry>;
  /** In the order of adding. Rejects with MESH_ERR_TRUST_MALFORMED or _IO. */
  list(): Promise<readonly TrustEntry[]>;
  /** Removes every entry of this id or name; rejects with MESH_ERR_TRUST_UNKNOWN if there is none. */
  remove(idOrName: string): Promise<readonly TrustEntry[]>;
  /** Whether the key may sign for `app`. Rejects as `list` does. */
  isTrusted(publicKey: Uint8Array, app: string): Promise<boolean>;
}

/** A spore in the repo. */
export interface StoredSpore {
  readonly digest: Digest;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly storedAtMs: number;
}

/** Spores by digest. Every digest that is unknown or malformed is MESH_ERR_REPO_UNKNOWN. */
export interface Repo {
  /**
   * Verifies a spore file and stores the very bytes that were verified. Resolves when they and
   * their name are on disk. Idempotent. Rejects with the code of the failed check, or with
   * MESH_ERR_REPO_DENIED, MESH_ERR_SPORE_NO_SPACE or MESH_ERR_REPO_IO; nothing half-written stays.
   */
  put(file: string, options?: { readonly signal?: AbortSignal }): Promise<Digest>;
  /**
   * The path of a stored spore. Its digest is checked on first use and whenever the file changed
   * since; rejects with MESH_ERR_REPO_CORRUPT when it differs.
   */
  path(digest: Digest): Promise<string>;
  /** The manifest of a stored spore, checked as `path` does. */
  manifest(digest: Digest): Promise<SporeManifest>;
  /** Sorted by digest. */
  ls(): Promise<readonly StoredSpore[]>;
  rm(digest: Digest): Promise<void>;
  /**
   * Removes what is not in `keep`; resolves to the removed digests. `minAgeMs` (default 0) spares
   * what was stored so recently that no plan can name it yet.
   */
  gc(
    keep: ReadonlySet<Digest>,
    options?: { readonly minAgeMs?: number },
  ): Promise<readonly Digest[]>;
}
