import type { Digest } from '../../../machines/kernel/ids.ts';
import type { LatestRecord } from '../../../machines/coordinator/transition.ts';
import type { Secret } from '../secret.ts';

/** Bytes of a seed. */
export const SEED_BYTES = 64;
/** Bytes of its salt. */
export const SALT_BYTES = 32;

/**
 * Everything that follows from one seed and salt: the same inputs give the same keys on every
 * Coordinator. One label per purpose; no two purposes, and no two ids, share one.
 */
export interface SeedEngine {
  /** What a peer, or the owner of a share, needs to build the same engine. */
  readonly seed: Secret;
  readonly salt: Secret;
  /** SubjectPublicKeyInfo of the key that signs latest transitions. */
  readonly signingKey: Uint8Array;
  /** PKCS #8 of the root CA's P-384 key. */
  rootKey(): Secret;
  /** Vouches for a transition. Signing twice gives two signatures, both valid. */
  sign(transition: Digest): LatestRecord;
  /** 32 bytes for one id of the manifest, the same after every recovery. */
  workloadSecret(id: string): Secret;
}

/** A seed and its salt, sealed for one owner. */
export interface SealedShare {
  /** The owner's key as the manifest has it: SubjectPublicKeyInfo, base64. */
  readonly owner: string;
  /** RSA-OAEP with SHA-256 over seed ‖ salt, base64. */
  readonly ciphertext: string;
}

/** Makes keys and looks at signatures. Nothing here waits for the world. */
export interface Keyring {
  digest(bytes: Uint8Array): Digest;
  /** A new random seed and salt. */
  createSeed(): SeedEngine;
  /** MESH_ERR_COORDINATOR_SEED_MALFORMED unless they have 64 and 32 bytes. */
  engineOf(seed: Secret, salt: Secret): SeedEngine;
  /** A new random P-384 key, PKCS #8. */
  createMeshKey(): Secret;
  /** Whether the key of that SubjectPublicKeyInfo signed the record. */
  isSignedBy(signingKey: Uint8Array, record: LatestRecord): boolean;
  /**
   * Seals the seed for each owner; MESH_ERR_COORDINATOR_MANIFEST_INVALID for a key that is no RSA key
   * of 2048 to 8192 bits.
   */
  sealShares(engine: SeedEngine, owners: readonly string[]): readonly SealedShare[];
}
