import { privateDecrypt } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SALT_BYTES, SEED_BYTES } from '../../actors/coordinator/ports/keys.ts';
import { Secret } from '../../actors/coordinator/secret.ts';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { SHARE_SEALING } from './keyring.ts';

/** What is inside of a share. */
export interface OpenedShare {
  readonly seed: Secret;
  readonly salt: Secret;
}

/**
 * Opens a sealed share with the RSA key of its owner; MESH_ERR_COORDINATOR_SEED_MALFORMED where it is
 * sealed for another key, or is no share.
 */
export function openShare(ciphertext: Uint8Array, ownerKey: KeyObject): OpenedShare {
  const plain = decrypted(ciphertext, ownerKey);
  if (plain.length !== SEED_BYTES + SALT_BYTES)
    throw shareError(`what is inside has ${plain.length} bytes`);
  const opened = {
    seed: new Secret(plain.subarray(0, SEED_BYTES)),
    salt: new Secret(plain.subarray(SEED_BYTES)),
  };
  plain.fill(0);
  return opened;
}

function decrypted(ciphertext: Uint8Array, ownerKey: KeyObject): Buffer {
  try {
    return privateDecrypt({ key: ownerKey, ...SHARE_SEALING }, ciphertext);
  } catch {
    // OpenSSL says no more than that it failed, which is all there is to say.
    throw shareError('it does not open with that key');
  }
}

const shareError = (found: string): Error =>
  coordinatorError('MESH_ERR_COORDINATOR_SEED_MALFORMED', `Opening a seed share: ${found}.`, {
    hint: 'Give the share and the key of the same owner, as they were made for this mesh.',
  });
