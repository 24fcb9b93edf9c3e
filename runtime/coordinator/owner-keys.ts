/**
 * Keys of the people who own a mesh, as PEM files in the formats of OpenSSL: whoever holds the workload
 * owner's (P-384) sets manifests, whoever holds the seed share owner's (RSA) can recover a Coordinator.
 */
import { createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import { readKeyText, writeKeyText } from '../adapters/keys.fs.ts';

/** Each owner, and the kind of key that it has. */
export type Owner = 'workload-owner' | 'seed-share-owner';

/** A key pair in files. */
export interface OwnerKey {
  readonly keyPath: string;
  readonly publicKeyPath: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

/** 128 bits of security (SP 800-57 part 1, table 2), and a third of a second to make. */
const RSA_BITS = 3072;

const generate = promisify(generateKeyPair);
const GENERATE: Readonly<Record<Owner, () => Promise<{ privateKey: KeyObject }>>> = {
  'workload-owner': () => generate('ec', { namedCurve: 'P-384' }),
  'seed-share-owner': () => generate('rsa', { modulusLength: RSA_BITS }),
};
const KINDS: Readonly<Record<Owner, string>> = {
  'workload-owner': 'ec',
  'seed-share-owner': 'rsa',
};

/** Where the keys of an owner are in a folder. */
export const ownerKeyPath = (folder: string, owner: Owner): string => join(folder, `${owner}.key`);

/** Makes `OWNER.key` (0600) and `OWNER.pub` in the folder (0700). MESH_ERR_KEY_EXISTS. */
export async function generateOwnerKey(folder: string, owner: Owner): Promise<OwnerKey> {
  const { privateKey } = await GENERATE[owner]();
  const keyPath = ownerKeyPath(folder, owner);
  const publicKeyPath = join(folder, `${owner}.pub`);
  const publicKey = createPublicKey(privateKey);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await writeKeyText(keyPath, String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600);
  const text = String(publicKey.export({ type: 'spki', format: 'pem' }));
  await writeKeyText(publicKeyPath, text, 0o644);
  return { keyPath, publicKeyPath, publicKey: publicKey.export({ type: 'spki', format: 'der' }) };
}

/**
 * The private key of an owner from its file. MESH_ERR_KEY_UNREADABLE, _EXPOSED, and _MALFORMED for a
 * key of another kind.
 */
export function readOwnerKey(path: string, owner: Owner): KeyObject {
  const key = tryKey(readKeyText(path, true));
  if (key?.asymmetricKeyType === KINDS[owner]) return key;
  throw sporeError(
    'MESH_ERR_KEY_MALFORMED',
    `Reading ${path}: it is no PEM file with one ${KINDS[owner].toUpperCase()} private key.`,
    { hint: `Give the key of the ${owner.replaceAll('-', ' ')}, as \`init\` made it.` },
  );
}

function tryKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // Without OpenSSL's message, which could quote what is in the file.
    return undefined;
  }
}

/** SubjectPublicKeyInfo of a private key. */
export const publicBytesOf = (key: KeyObject): Uint8Array =>
  createPublicKey(key).export({ type: 'spki', format: 'der' });
