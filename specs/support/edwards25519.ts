/**
 * The curve of Ed25519 in plain big integers (RFC 8032 §5.1): slow, and only for making signatures
 * that no honest signer would make.
 */
import { createHash } from 'node:crypto';

export type Point = readonly [x: bigint, y: bigint];

/** The prime of the field. */
export const FIELD_PRIME = 2n ** 255n - 19n;

/** The order L of the base point. */
export const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (value: bigint, by = FIELD_PRIME): bigint => ((value % by) + by) % by;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const inverse = (value: bigint): bigint => power(value, FIELD_PRIME - 2n);
const CURVE_D = mod(-121665n * inverse(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (FIELD_PRIME - 1n) / 4n);

const IDENTITY: Point = [0n, 1n];

/** X, Y, Z, T of RFC 8032 §5.1.4: x = X/Z, y = Y/Z, xy = T/Z; no inversion per step. */
type Extended = readonly [x: bigint, y: bigint, z: bigint, t: bigint];

const extend = ([x, y]: Point): Extended => [x, y, 1n, mod(x * y)];

function flatten([x, y, z]: Extended): Point {
  const scale = inverse(z);
  return [mod(x * scale), mod(y * scale)];
}

function addExtended([x1, y1, z1, t1]: Extended, [x2, y2, z2, t2]: Extended): Extended {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * t1 * CURVE_D * t2);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

export const addPoints = (one: Point, other: Point): Point =>
  flatten(addExtended(extend(one), extend(other)));

export function multiplyPoint(scalar: bigint, point: Point): Point {
  let result = extend(IDENTITY);
  let double = extend(point);
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = addExtended(result, double);
    double = addExtended(double, double);
  }
  return flatten(result);
}

export const toInteger = (littleEndian: Uint8Array): bigint =>
  BigInt(`0x${Buffer.from(Buffer.from(littleEndian).toReversed()).toString('hex') || '0'}`);

/** 32 bytes, little-endian. */
export const toBytes = (value: bigint): Buffer =>
  Buffer.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').toReversed());

export function encodePoint([x, y]: Point): Buffer {
  const bytes = toBytes(y);
  bytes[31] = (bytes[31] ?? 0) | (Number(x & 1n) << 7);
  return bytes;
}

export function decodePoint(encoded: Uint8Array): Point {
  const bytes = Buffer.from(encoded);
  const sign = BigInt((bytes[31] ?? 0) >> 7);
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  const y = toInteger(bytes);
  const square = mod((y * y - 1n) * inverse(CURVE_D * y * y + 1n));
  let x = power(square, (FIELD_PRIME + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x) !== square) throw new Error('Not a point of the curve.');
  return [(x & 1n) === sign ? x : mod(-x), y];
}

export const BASE_POINT: Point = decodePoint(toBytes(mod(4n * inverse(5n))));

/** All eight points of small order, as the multiples of one of order 8. */
export const SMALL_ORDER_POINTS: readonly Point[] = Array.from({ length: 8 }, (_, multiple) =>
  multiplyPoint(
    BigInt(multiple),
    decodePoint(
      Buffer.from('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'hex'),
    ),
  ),
);

/** SHA-512 of the parts, as a scalar below L. */
export const hashToScalar = (...parts: Uint8Array[]): bigint =>
  mod(toInteger(createHash('sha512').update(Buffer.concat(parts)).digest()), GROUP_ORDER);

/** A signature whose key and R each carry a point of small order on top of their honest one. */
export function signMixedOrder(options: {
  readonly secret: bigint;
  readonly nonce: bigint;
  readonly keyTorsion: number;
  readonly nonceTorsion: number;
  readonly message: Uint8Array;
}): { publicKey: Buffer; signature: Buffer } {
  const mixed = (scalar: bigint, torsion: number): Buffer =>
    encodePoint(
      addPoints(multiplyPoint(scalar, BASE_POINT), SMALL_ORDER_POINTS[torsion] ?? IDENTITY),
    );
  const publicKey = mixed(options.secret, options.keyTorsion);
  const nonce = mixed(options.nonce, options.nonceTorsion);
  const challenge = hashToScalar(nonce, publicKey, options.message);
  const scalar = mod(options.nonce + challenge * options.secret, GROUP_ORDER);
  return { publicKey, signature: Buffer.concat([nonce, toBytes(scalar)]) };
}
