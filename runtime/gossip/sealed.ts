/**
 * Bodies of direct and group messages, sealed with NaCl.
 *
 *     direct := 0x01, 24 bytes of nonce, crypto_box(text)           X25519, XSalsa20-Poly1305
 *     group  := 0x02, 24 bytes of nonce, crypto_secretbox(text)     XSalsa20-Poly1305
 *
 * A peer has one key, the one that it signs with; for sealing both halves are taken to Curve25519,
 * as libsodium does (RFC 7748 §4.1). Who may open a direct body are its two ends. The envelope around
 * it is signed and names both, so nothing is bound here once more.
 */
import { constants, closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { ed25519 } from '@noble/curves/ed25519.js';
import nacl from 'tweetnacl';
import { isAcceptableKey } from '../workers/ed25519.ts';
import { peerError } from './errors.ts';

const DIRECT = 1;
const GROUP = 2;
const NONCE_BYTES = nacl.box.nonceLength;
const SEED_BYTES = 32;
/** Bytes that sealing adds: the mark, the nonce, the authenticator. */
export const SEALED_OVERHEAD_BYTES = 1 + NONCE_BYTES + nacl.box.overheadLength;

/** The two ends of a direct message, as one of them has them. */
export interface DirectEnds {
  /** Own Ed25519 pair as tweetnacl has it: 32 bytes of seed, 32 of public key. */
  readonly secretKey: Uint8Array;
  /** The other's Ed25519 public key. */
  readonly otherKey: Uint8Array;
}

/** Seals a text for one peer. MESH_ERR_SEALED_KEY. */
export function sealDirect(text: Uint8Array, ends: DirectEnds): Uint8Array {
  const nonce = nacl.randomBytes(NONCE_BYTES);
  return joined(DIRECT, nonce, nacl.box.after(text, nonce, sharedKey(ends)));
}

/** Opens it at either end. MESH_ERR_SEALED_KEY, MESH_ERR_SEALED_OPEN. */
export function openDirect(body: Uint8Array, ends: DirectEnds): Uint8Array {
  const { nonce, box } = partsOf(DIRECT, body);
  return opened(nacl.box.open.after(box, nonce, sharedKey(ends)));
}

/** Seals a text for all who have the group's key. */
export function sealGroup(text: Uint8Array, groupKey: Uint8Array): Uint8Array {
  const nonce = nacl.randomBytes(NONCE_BYTES);
  return joined(GROUP, nonce, nacl.secretbox(text, nonce, groupKey));
}

/** Opens it with the group's key. MESH_ERR_SEALED_OPEN. */
export function openGroup(body: Uint8Array, groupKey: Uint8Array): Uint8Array {
  const { nonce, box } = partsOf(GROUP, body);
  return opened(nacl.secretbox.open(box, nonce, groupKey));
}

/** Reads a group's key: 64 lower-case hex digits in a file of mode 0600. MESH_ERR_SEALED_GROUP_KEY. */
export function readGroupKey(path: string): Uint8Array {
  const text = readSmallPrivateFile(path).trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw groupKeyError(path, 'it is not 64 lower-case hex digits');
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/**
 * The key that both ends of a direct message compute. Exported for the vectors; `secret` and
 * `publicKey` are Curve25519. MESH_ERR_SEALED_KEY where the shared secret is all zero (RFC 7748 §6.1).
 */
export function sharedKeyOf(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const isZero = nacl.scalarMult(secret, publicKey).every((byte) => byte === 0);
  if (isZero) throw keyError('it is of small order');
  return nacl.box.before(publicKey, secret);
}

function sharedKey({ secretKey, otherKey }: DirectEnds): Uint8Array {
  if (!isAcceptableKey(otherKey))
    throw keyError('it is not 32 bytes, not canonical, or of small order');
  const secret = ed25519.utils.toMontgomerySecret(secretKey.subarray(0, SEED_BYTES));
  return sharedKeyOf(secret, toCurve25519(otherKey));
}

/** The Curve25519 key of an Ed25519 public key. MESH_ERR_SEALED_KEY for what is no point. */
export function toCurve25519(publicKey: Uint8Array): Uint8Array {
  try {
    return ed25519.utils.toMontgomery(publicKey);
  } catch (cause) {
    throw keyError('it is no point of the curve', cause);
  }
}

const keyError = (found: string, cause?: unknown): Error =>
  peerError(
    'MESH_ERR_SEALED_KEY',
    `Sealing for a key: ${found}.`,
    cause === undefined ? {} : { cause },
  );

function joined(mark: number, nonce: Uint8Array, box: Uint8Array): Uint8Array {
  return Uint8Array.from([mark, ...nonce, ...box]);
}

function partsOf(mark: number, body: Uint8Array) {
  if (body[0] !== mark || body.length < SEALED_OVERHEAD_BYTES)
    throw openError('it is not sealed in this way, or cut off');
  return { nonce: body.slice(1, 1 + NONCE_BYTES), box: body.slice(1 + NONCE_BYTES) };
}

function opened(text: Uint8Array | null): Uint8Array {
  if (text === null) throw openError('it does not open with this key');
  return text;
}

const openError = (found: string): Error =>
  peerError('MESH_ERR_SEALED_OPEN', `Opening a sealed body: ${found}.`);

/** A key in hex and a newline have 65 bytes. */
const GROUP_FILE_BYTES_MAX = 128;

function readSmallPrivateFile(path: string): string {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw groupKeyError(path, 'it cannot be opened', cause);
  }
  try {
    const { mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > GROUP_FILE_BYTES_MAX)
      throw groupKeyError(path, 'it is not a small regular file');
    if ((mode & 0o077) !== 0) throw groupKeyError(path, 'others than its owner may use it');
    return readFileSync(fd, 'latin1');
  } finally {
    closeSync(fd);
  }
}

const groupKeyError = (path: string, found: string, cause?: unknown): Error =>
  peerError('MESH_ERR_SEALED_GROUP_KEY', `Reading the group key ${path}: ${found}.`, { cause });
