import { createHash } from 'node:crypto';
import nacl from 'tweetnacl';
import { preAuthEncoding } from '../../machines/workload/dsse.ts';
import { SPORE_PAYLOAD_TYPE } from '../../machines/workload/manifest.schema.ts';
import type {
  SporeManifest,
  UnsignedSporeManifest,
} from '../../machines/workload/manifest.schema.ts';
import { canonicalJsonBytes } from './canonical-json.ts';

/** An Ed25519 key pair that signs spores. */
export interface KeyFile {
  readonly name: string;
  /** SHA-256 of the raw public key, lower-case hex. */
  readonly id: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes: the seed, then the public key. Never logged, never part of an error. */
  readonly secretKey: Uint8Array;
}

/** The id of a key: SHA-256 of the raw public key, lower-case hex. */
export const keyId = (publicKey: Uint8Array): string =>
  createHash('sha256').update(publicKey).digest('hex');

/** The bytes that a spore's signature covers: DSSE over the canonical manifest without it. */
export function signedBytes(manifest: UnsignedSporeManifest | SporeManifest): Uint8Array {
  const { signature: _, ...integrity } = { signature: '', ...manifest.integrity };
  return preAuthEncoding(SPORE_PAYLOAD_TYPE, canonicalJsonBytes({ ...manifest, integrity }));
}

/** Signs a built manifest. Ed25519 is deterministic: the same manifest gives the same bytes. */
export function signManifest(manifest: UnsignedSporeManifest, key: KeyFile): SporeManifest {
  const signature = nacl.sign.detached(signedBytes(manifest), key.secretKey);
  return {
    ...manifest,
    integrity: { ...manifest.integrity, signature: Buffer.from(signature).toString('base64') },
  };
}
