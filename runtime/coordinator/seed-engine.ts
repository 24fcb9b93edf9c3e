import { createPublicKey, hkdfSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { SALT_BYTES, SEED_BYTES } from '../../actors/coordinator/ports/keys.ts';
import type { SeedEngine } from '../../actors/coordinator/ports/keys.ts';
import { Secret } from '../../actors/coordinator/secret.ts';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { latestMessage } from '../../machines/coordinator/transition.ts';
import { deterministicKey } from './det-keygen.ts';
import { seedLabel } from './seed-labels.ts';
import type { SeedPurpose } from './seed-labels.ts';

/** As much as the curve's order has, and half again, for the seed of a key. */
const KEY_SEED_BYTES = 72;
const WORKLOAD_SECRET_BYTES = 32;
/** RFC 5280 §4.1.2.2: at most 20 octets, positive. */
const SERIAL_BYTES = 16;

/** HKDF-SHA-256 (RFC 5869) for one purpose of a seed. */
export const derive = (
  { seed, salt }: { readonly seed: Secret; readonly salt: Secret },
  bytes: number,
  purpose: SeedPurpose,
  id = '',
): Buffer =>
  Buffer.from(hkdfSync('sha256', seed.reveal(), salt.reveal(), seedLabel(purpose, id), bytes));

/**
 * The engine of a seed and its salt; MESH_ERR_COORDINATOR_SEED_MALFORMED for other lengths than 64
 * and 32 bytes.
 */
export function createSeedEngine(seed: Secret, salt: Secret): SeedEngine {
  if (seed.length !== SEED_BYTES || salt.length !== SALT_BYTES)
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_SEED_MALFORMED',
      `Reading a seed: it has ${seed.length} bytes and its salt ${salt.length}.`,
    );
  const keyFor = (purpose: SeedPurpose): KeyObject =>
    deterministicKey(derive({ seed, salt }, KEY_SEED_BYTES, purpose));
  const signingKey = keyFor('transaction-signing-key');
  return {
    seed,
    salt,
    signingKey: createPublicKey(signingKey).export({ type: 'spki', format: 'der' }),
    rootKey: () => new Secret(keyFor('root-ca-key').export({ type: 'pkcs8', format: 'der' })),
    sign: (transition) => ({
      transition,
      signature: sign('sha384', latestMessage(transition), {
        key: signingKey,
        dsaEncoding: 'ieee-p1363',
      }).toString('hex'),
    }),
    workloadSecret: (id) =>
      new Secret(derive({ seed, salt }, WORKLOAD_SECRET_BYTES, 'workload-secret', id)),
  };
}

/** The serial number of the root certificate: the same on every Coordinator of one seed. */
export const rootSerialOf = ({ seed, salt }: Pick<SeedEngine, 'seed' | 'salt'>): Buffer =>
  derive({ seed, salt }, SERIAL_BYTES, 'root-ca-serial');
