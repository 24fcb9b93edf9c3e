import {
  constants,
  createPublicKey,
  generateKeyPairSync,
  hash,
  publicEncrypt,
  randomBytes,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SALT_BYTES, SEED_BYTES } from '../../actors/coordinator/ports/keys.ts';
import type { Keyring, SealedShare, SeedEngine } from '../../actors/coordinator/ports/keys.ts';
import { Secret } from '../../actors/coordinator/secret.ts';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { latestMessage } from '../../machines/coordinator/transition.ts';
import type { LatestRecord } from '../../machines/coordinator/transition.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { createSeedEngine } from './seed-engine.ts';

/** Bits of a seed-share owner's key: RSA below is weak, above it is slow enough to harm. */
const RSA_BITS = { least: 2048, most: 8192 };
/** A ciphertext of another purpose under the same key is not a share. */
const SHARE_LABEL = Buffer.from('mycelium-mesh/seed-share/v1');
const P384 = 'secp384r1';

/** What RSA-OAEP needs to open a share: the owner's side of `sealShares`. */
export const SHARE_SEALING = {
  padding: constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: 'sha256',
  oaepLabel: SHARE_LABEL,
} as const;

/** The keyring on Node's OpenSSL. */
export const nodeKeyring: Keyring = {
  digest: (bytes) => hash('sha256', bytes) as Digest,
  createSeed: () =>
    createSeedEngine(new Secret(randomBytes(SEED_BYTES)), new Secret(randomBytes(SALT_BYTES))),
  engineOf: createSeedEngine,
  createMeshKey: () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: P384 });
    return new Secret(privateKey.export({ type: 'pkcs8', format: 'der' }));
  },
  isSignedBy,
  sealShares,
};

function isSignedBy(signingKey: Uint8Array, { transition, signature }: LatestRecord): boolean {
  const key = publicKeyOf(signingKey);
  if (key?.asymmetricKeyDetails?.namedCurve !== P384) return false;
  return verify(
    'sha384',
    latestMessage(transition),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'hex'),
  );
}

function publicKeyOf(spki: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spki), type: 'spki', format: 'der' });
  } catch {
    // Bytes that are no key have signed nothing and can seal nothing; both callers say so.
    return undefined;
  }
}

function sealShares(engine: SeedEngine, owners: readonly string[]): readonly SealedShare[] {
  const plain = Buffer.concat([engine.seed.reveal(), engine.salt.reveal()]);
  try {
    return owners.map((owner, index) => ({ owner, ciphertext: seal(owner, index, plain) }));
  } finally {
    plain.fill(0);
  }
}

function seal(owner: string, index: number, plain: Buffer): string {
  const key = publicKeyOf(Buffer.from(owner, 'base64'));
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key?.asymmetricKeyType !== 'rsa' || bits < RSA_BITS.least || bits > RSA_BITS.most)
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
      `Reading seedShareOwnerKeys.${index}: it is no RSA key of ${RSA_BITS.least} to ` +
        `${RSA_BITS.most} bits.`,
    );
  return publicEncrypt({ key, ...SHARE_SEALING }, plain).toString('base64');
}
