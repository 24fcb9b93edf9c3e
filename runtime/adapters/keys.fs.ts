/**
 * Ed25519 keys in files, in the field's own formats (RFC 8410, RFC 7468): NAME.key is PKCS #8 PEM,
 * NAME.pub is SubjectPublicKeyInfo PEM, both as `openssl genpkey -algorithm ed25519` writes them.
 */
import { constants, closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import nacl from 'tweetnacl';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { isName } from '../../machines/kernel/ids.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import type { SporeErrorCode } from '../../machines/workload/spore-errors.ts';
import { syncFolder } from '../spore/durable.ts';
import { keyId } from '../spore/signing.ts';
import type { KeyFile } from '../spore/signing.ts';

/** A public key from a file. */
export interface PublicKeyFile {
  readonly name: string;
  /** SHA-256 of the raw key, lower-case hex. */
  readonly id: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** Where a new key pair is. */
export interface GeneratedKey extends PublicKeyFile {
  readonly keyPath: string;
  readonly publicKeyPath: string;
}

/** DER before the 32 bytes of the seed: version 0, OID 1.3.101.112, OCTET STRING in OCTET STRING. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
/** DER before the 32 bytes of the key: OID 1.3.101.112, BIT STRING without unused bits. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;
/** PEM of one Ed25519 key has about 120 bytes; nothing longer is read. */
const FILE_BYTES_MAX = 4096;

/**
 * Makes `NAME.key` (mode 0600) and `NAME.pub` in `dir`. Never overwrites: MESH_ERR_KEY_EXISTS. Also
 * MESH_ERR_KEY_NAME for a name that is no DNS label, MESH_ERR_KEY_UNREADABLE for a failed write.
 */
export async function generateKey(name: string, dir = '.'): Promise<GeneratedKey> {
  if (!isName(name))
    throw sporeError('MESH_ERR_KEY_NAME', `Making a key: "${name}" is not a lower-case DNS label.`);
  const { publicKey, secretKey } = nacl.sign.keyPair();
  const keyPath = join(dir, `${name}.key`);
  const publicKeyPath = join(dir, `${name}.pub`);
  const seed = secretKey.subarray(0, KEY_BYTES);
  await writeKeyText(keyPath, pem('PRIVATE KEY', PKCS8_PREFIX, seed), 0o600);
  try {
    await writeKeyText(publicKeyPath, pem('PUBLIC KEY', SPKI_PREFIX, publicKey), 0o644);
  } catch (error) {
    await rm(keyPath, { force: true });
    throw error;
  }
  await syncFolder(dir);
  return { name, id: keyId(publicKey), publicKey, keyPath, publicKeyPath };
}

/**
 * Reads a private key. Throws MESH_ERR_KEY_UNREADABLE, MESH_ERR_KEY_EXPOSED when group or others may
 * read or write it, and MESH_ERR_KEY_MALFORMED.
 */
export function readKey(path: string): KeyFile {
  const seed = decode(path, 'PRIVATE KEY', PKCS8_PREFIX, readKeyText(path, true));
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(seed);
  return { name: nameOf(path, '.key'), id: keyId(publicKey), publicKey, secretKey };
}

/** Reads a public key. Throws MESH_ERR_KEY_UNREADABLE and MESH_ERR_KEY_MALFORMED. */
export function readPublicKey(path: string): PublicKeyFile {
  const publicKey = decode(path, 'PUBLIC KEY', SPKI_PREFIX, readKeyText(path, false));
  return { name: nameOf(path, '.pub'), id: keyId(publicKey), publicKey };
}

const nameOf = (path: string, extension: string): string => basename(path, extension);

function pem(label: string, prefix: Uint8Array, key: Uint8Array): string {
  const base64 = Buffer.concat([prefix, key]).toString('base64');
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

function decode(path: string, label: string, prefix: Buffer, text: string): Uint8Array {
  const base64 = new RegExp(
    `^-----BEGIN ${label}-----\\r?\\n([A-Za-z0-9+/=]{1,128})\\r?\\n-----END ${label}-----\\s*$`,
  ).exec(text)?.[1];
  const der = Buffer.from(base64 ?? '', 'base64');
  const isRight =
    der.toString('base64') === base64 &&
    der.length === prefix.length + KEY_BYTES &&
    der.subarray(0, prefix.length).equals(prefix);
  if (isRight) return Uint8Array.from(der.subarray(prefix.length));
  throw sporeError(
    'MESH_ERR_KEY_MALFORMED',
    `Reading ${path}: it is not a PEM file with one Ed25519 ${label.toLowerCase()}.`,
  );
}

/**
 * The text of a key file of any kind. MESH_ERR_KEY_UNREADABLE; MESH_ERR_KEY_EXPOSED for a private one
 * that others may read or write.
 */
export function readKeyText(path: string, isPrivate: boolean): string {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw keyError('MESH_ERR_KEY_UNREADABLE', `Opening ${path} failed.`, cause);
  }
  try {
    const { mode, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG || size > FILE_BYTES_MAX)
      throw keyError('MESH_ERR_KEY_UNREADABLE', `Reading ${path}: it is not a small regular file.`);
    if (isPrivate && (mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      throw keyError('MESH_ERR_KEY_EXPOSED', `Reading ${path}: its mode is ${octal}, 0600 is due.`);
    }
    return readFileSync(fd, 'latin1');
  } finally {
    closeSync(fd);
  }
}

/** Makes a key file, and never overwrites one: MESH_ERR_KEY_EXISTS, MESH_ERR_KEY_UNREADABLE. */
export async function writeKeyText(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw codeOf(cause) === 'EEXIST'
      ? keyError('MESH_ERR_KEY_EXISTS', `Making a key: ${path} exists.`, cause)
      : keyError('MESH_ERR_KEY_UNREADABLE', `Writing ${path} failed.`, cause);
  }
}

const keyError = (code: SporeErrorCode, message: string, cause?: unknown): CodedError =>
  sporeError(code, message, { cause });
