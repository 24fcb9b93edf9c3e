import { privateDecrypt } from 'node:crypto';
import type { SealedShare } from '../../../actors/coordinator/ports/keys.ts';
import { SEED_BYTES } from '../../../actors/coordinator/ports/keys.ts';
import { Secret } from '../../../actors/coordinator/secret.ts';
import { SHARE_SEALING } from '../../../runtime/coordinator/keyring.ts';
import { SEED_OWNER } from './coordinator-world.ts';

/** Opens a share as its owner does. */
export function openShare(share: SealedShare | undefined): {
  readonly seed: Secret;
  readonly salt: Secret;
} {
  if (share === undefined) throw new Error('There is no share to open.');
  const ciphertext = Buffer.from(share.ciphertext, 'base64');
  const plain = privateDecrypt({ key: SEED_OWNER.privateKey, ...SHARE_SEALING }, ciphertext);
  return {
    seed: new Secret(plain.subarray(0, SEED_BYTES)),
    salt: new Secret(plain.subarray(SEED_BYTES)),
  };
}
