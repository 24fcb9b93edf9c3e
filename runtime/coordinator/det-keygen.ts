/**
 * Deterministic P-384 keys from a seed, by c2sp.org/det-keygen (ECDSA): HMAC_DRBG with SHA-256 (SP
 * 800-90A §10.1.2) gives 48 bytes, which are the private scalar (FIPS 186-5 A.2.2). For this curve a
 * draw at or above the order comes once in 2^194 and is an error, not drawn again.
 */
import { createECDH, createHmac, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A shorter seed cannot hold the security of the curve. */
export const KEYGEN_SEED_BYTES_MIN = 16;

const PERSONALIZATION = Buffer.from('det ECDSA key gen P-384');
const SCALAR_BYTES = 48;
const POINT_BYTES = 1 + 2 * SCALAR_BYTES;

const hmac = (key: Buffer, ...parts: readonly Uint8Array[]): Buffer => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

/** The private scalar that belongs to a seed. Throws a plain error for a seed that is too short. */
export function scalarOf(seed: Uint8Array): Buffer {
  if (seed.length < KEYGEN_SEED_BYTES_MIN)
    throw new RangeError(`A key needs a seed of ${KEYGEN_SEED_BYTES_MIN} bytes or more.`);
  let key: Buffer = Buffer.alloc(32, 0);
  let value: Buffer = Buffer.alloc(32, 1);
  for (const round of [0, 1]) {
    key = hmac(key, value, Buffer.of(round), seed, PERSONALIZATION);
    value = hmac(key, value);
  }
  const first = hmac(key, value);
  return Buffer.concat([first, hmac(key, first)]).subarray(0, SCALAR_BYTES);
}

/** The key pair that belongs to a seed. The same seed gives the same key, on every machine. */
export function deterministicKey(seed: Uint8Array): KeyObject {
  const scalar = scalarOf(seed);
  const curve = createECDH('secp384r1');
  // OpenSSL refuses zero and what is not below the order.
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  if (point.length !== POINT_BYTES) throw new RangeError('The point of the key is not whole.');
  const [x, y] = [point.subarray(1, 1 + SCALAR_BYTES), point.subarray(1 + SCALAR_BYTES)];
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-384',
      d: scalar.toString('base64url'),
      x: x.toString('base64url'),
      y: y.toString('base64url'),
    },
  });
}
