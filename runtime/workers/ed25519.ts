/**
 * Ed25519 verification (RFC 8032 §5.1.7), strict: two peers that disagree on one signature would
 * hold different stores for ever, so what counts as valid is decided here, before any library.
 *
 * Both engines compare the encoding of R (no cofactor), so with the pre-check they accept the same
 * set, mixed-order points included. A differential spec holds them to it.
 */
import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';

/** `sodium` is about 2.4 times as fast; `node` is there wherever Node is. */
export type Ed25519Engine = 'sodium' | 'node';

/** Bytes of a public key. */
export const PUBLIC_KEY_BYTES = 32;

/** Bytes of a signature: the point R, then the scalar S. */
export const SIGNATURE_BYTES = 64;

/** Parsed keys kept by the `node` engine: parsing one costs half as much as a verification. */
const CACHED_KEYS_MAX = 1024;

/** The group order L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const ORDER = Buffer.from(
  'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010',
  'hex',
);

/**
 * The y coordinates of the eight points of small order, little-endian without the sign of x.
 * They include both encodings of "minus zero" (y = 1 and y = p - 1 with the sign bit set).
 */
const SMALL_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
].map((hex) => Buffer.from(hex, 'hex'));

interface Sodium {
  crypto_sign_verify_detached(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
  ): boolean;
}

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

const sodium = loadSodium();

const ENGINES: Record<Ed25519Engine, Verify | undefined> = {
  sodium: sodium && ((key, message, signature) => verifyBySodium(sodium, key, message, signature)),
  node: verifyByNode,
};

/** The engine that `verifyEd25519` uses when none is named: the fastest that loads here. */
export const defaultEngine: Ed25519Engine = sodium === undefined ? 'node' : 'sodium';

/**
 * Whether `signature` is `publicKey`'s over `message`; anything malformed is `false`. Rejected are
 * other lengths than 32 and 64 bytes, A or R with y ≥ p or of small order, and S ≥ L. `engine`
 * falls back to `node` where libsodium does not load.
 */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  engine: Ed25519Engine = defaultEngine,
): boolean {
  const key = unshared(publicKey);
  const sig = unshared(signature);
  if (!isWellFormed(key, sig)) return false;
  return (ENGINES[engine] ?? verifyByNode)(key, unshared(message), sig);
}

/** The pre-check alone: lengths, canonical A and R of large order, S < L. */
export function isWellFormed(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return (
    publicKey.length === PUBLIC_KEY_BYTES &&
    signature.length === SIGNATURE_BYTES &&
    isAcceptablePoint(publicKey) &&
    isAcceptablePoint(signature) &&
    isReducedScalar(signature)
  );
}

/** Whether a public key counts: 32 bytes, canonical, of large order. */
export const isAcceptableKey = (publicKey: Uint8Array): boolean =>
  publicKey.length === PUBLIC_KEY_BYTES && isAcceptablePoint(publicKey);

/** Looks at the first 32 bytes: y below p = 2^255 - 19, and not a point of small order. */
function isAcceptablePoint(bytes: Uint8Array): boolean {
  return isBelowPrime(bytes) && !SMALL_ORDER_Y.some((y) => hasY(bytes, y));
}

function isBelowPrime(bytes: Uint8Array): boolean {
  if ((at(bytes, 31) & 0x7f) !== 0x7f) return true;
  for (let index = 30; index > 0; index--) if (bytes[index] !== 0xff) return true;
  return at(bytes, 0) < 0xed;
}

function hasY(bytes: Uint8Array, y: Uint8Array): boolean {
  if ((at(bytes, 31) & 0x7f) !== y[31]) return false;
  for (let index = 0; index < 31; index++) if (bytes[index] !== y[index]) return false;
  return true;
}

/** S, the last 32 bytes, is below L: otherwise S + L would be a second valid signature. */
function isReducedScalar(signature: Uint8Array): boolean {
  for (let index = 31; index >= 0; index--) {
    const digit = at(signature, 32 + index);
    const limit = at(ORDER, index);
    if (digit !== limit) return digit < limit;
  }
  return false;
}

const at = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0;

/** Shared memory could change between check and use, and libsodium's binding does not take it. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes);
}

function loadSodium(): Sodium | undefined {
  try {
    return createRequire(import.meta.url)('sodium-native') as Sodium;
  } catch {
    // No prebuilt library for this platform: the node engine gives the same verdicts, slower.
    return undefined;
  }
}

function verifyBySodium(
  library: Sodium,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return library.crypto_sign_verify_detached(signature, message, publicKey);
}

const keys = new Map<string, KeyObject>();

function verifyByNode(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, message, keyObjectOf(publicKey), signature);
}

function keyObjectOf(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url');
  const known = keys.get(x);
  if (known) return known;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const oldest = keys.keys().next();
  if (keys.size >= CACHED_KEYS_MAX && !oldest.done) keys.delete(oldest.value);
  keys.set(x, key);
  return key;
}
