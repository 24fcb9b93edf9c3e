import { createHash, createPrivateKey, createPublicKey, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../actors/coordinator/secret.ts';
import { concatBytes } from '../../../machines/coordinator/bytes.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { deterministicKey, scalarOf } from '../../../runtime/coordinator/det-keygen.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import { createSeedEngine } from '../../../runtime/coordinator/seed-engine.ts';
import { SEED_PURPOSES, seedLabel } from '../../../runtime/coordinator/seed-labels.ts';
import { SEED_OWNER_SPKI } from '../../support/coordinator/coordinator-world.ts';
import { openShare } from '../../support/coordinator/shares.ts';

/**
 * c2sp.org/det-keygen, ECDSA on P-384: the private scalar for a seed of so many bytes 0x42. They
 * equal the published vectors, and were made again by another implementation in another language.
 */
const SCALARS: readonly (readonly [bytes: number, scalar: string])[] = [
  [
    16,
    '3170cf870785cc87d9bb01366468347831f965608375a9a8d9c528ee64a9716c5736f77834cf36c54ea258117054e2be',
  ],
  [
    21,
    'a058bb75f3e534f7265d5987980109f2dfee3b1498dcce6bdcdd37f171f1d9bb2a1dbf000ddb93416f8fb4d29fff5567',
  ],
  [
    24,
    'ffb39382dbb54e52594fc32c35e4c79e35662ff0baa489ee39cf5769cc6c1d062ec4c4e4309ea9190ec59d57510b4b18',
  ],
  [
    36,
    'dca571f155084f2d303d0d1ec63670a7d176b478e82619c409fcc972eec38aa4bf4252b1d03027c1d71ab1a9d6419648',
  ],
  [
    48,
    'c88662d22bfd50c727add8c8a7967efb808434d07cfddc0c4bd0ccbd95c06f93ed3ce5e56032235f99f4bba742a11b8f',
  ],
];

describe('deterministicKey', () => {
  it.each(SCALARS)('gives the published key for a seed of %i bytes', (bytes, scalar) => {
    const seed = new Uint8Array(bytes).fill(0x42);
    expect(scalarOf(seed).toString('hex')).toBe(scalar);
    const key = deterministicKey(seed);
    expect(key.asymmetricKeyDetails).toEqual({ namedCurve: 'secp384r1' });
    expect(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url').toString('hex')).toBe(
      scalar,
    );
  });

  it('refuses a seed below 16 bytes, and takes any above', () => {
    for (const length of [0, 1, 15])
      expect(() => deterministicKey(new Uint8Array(length))).toThrow(RangeError);
    for (const length of [16, 17, 72, 128])
      expect(deterministicKey(randomBytes(length)).type).toBe('private');
  });
});

describe('seedLabel', () => {
  it('is another one for every other purpose or id', () => {
    const one = fc.tuple(
      fc.constantFrom(...SEED_PURPOSES),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    fc.assert(
      fc.property(one, one, (a, b) => {
        const isSame = a[0] === b[0] && Buffer.from(a[1]).equals(Buffer.from(b[1]));
        expect(seedLabel(...a).equals(seedLabel(...b))).toBe(isSame);
        // Nor does one begin another, so none can be extended into another.
        if (!isSame) expect(seedLabel(...a).indexOf(seedLabel(...b))).not.toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps apart what simple joining would mix', () => {
    const joined = ['workload-secret', 'transit-key'].flatMap((purpose) =>
      ['', 'a', 'root-ca-key', '/transit-key', '\0'].map((id) =>
        seedLabel(purpose as 'transit-key', id).toString('hex'),
      ),
    );
    expect(new Set(joined).size).toBe(joined.length);
    expect(() => seedLabel('transit-key', 'x'.repeat(1_025))).toThrow(RangeError);
  });

  it('is written as version 1 is: changing it would change every key', () => {
    expect(seedLabel('workload-secret', 'hello').toString('latin1')).toBe(
      'mycelium-mesh/seed/v1\0\x0fworkload-secret\0\x05hello',
    );
  });
});

const seed = new Secret(Uint8Array.from({ length: 64 }, (_, at) => at));
const salt = new Secret(Uint8Array.from({ length: 32 }, (_, at) => 255 - at));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const transition = 'ab'.repeat(32) as Digest;

describe('createSeedEngine', () => {
  it('gives the same of everything for the same seed and salt, and keeps it so', () => {
    const [one, two] = [createSeedEngine(seed, salt), createSeedEngine(seed, salt)];
    const all = (engine: typeof one) => [
      sha256(engine.signingKey),
      sha256(engine.rootKey().reveal()),
      sha256(engine.workloadSecret('hello').reveal()),
    ];
    expect(all(two)).toEqual(all(one));
    const info = seedLabel('workload-secret', 'hello');
    const derived = Buffer.from(hkdfSync('sha256', seed.reveal(), salt.reveal(), info, 32));
    expect(Buffer.from(one.workloadSecret('hello').reveal())).toEqual(derived);
  });

  it('gives another for every other seed, salt, purpose and id', () => {
    const other = new Secret(seed.reveal().toReversed());
    const engines = [createSeedEngine(seed, salt), createSeedEngine(other, salt)];
    engines.push(createSeedEngine(seed, new Secret(salt.reveal().toReversed())));
    const found = engines.flatMap((engine) => [
      sha256(engine.signingKey),
      sha256(
        createPublicKey(
          createPrivateKey({
            key: Buffer.from(engine.rootKey().reveal()),
            format: 'der',
            type: 'pkcs8',
          }),
        ).export({ type: 'spki', format: 'der' }),
      ),
      ...['a', 'b'].map((id) => sha256(engine.workloadSecret(id).reveal())),
    ]);
    expect(new Set(found).size).toBe(found.length);
  });

  it.each([
    [0, 32],
    [63, 32],
    [65, 32],
    [64, 0],
    [64, 31],
    [64, 33],
  ])('refuses a seed of %i and a salt of %i bytes', (seedBytes, saltBytes) => {
    const make = () =>
      createSeedEngine(
        new Secret(new Uint8Array(seedBytes)),
        new Secret(new Uint8Array(saltBytes)),
      );
    expect(make).toThrow(expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_SEED_MALFORMED' }));
  });
});

describe('nodeKeyring', () => {
  it('verifies what the engine signs, and nothing else', () => {
    const engine = createSeedEngine(seed, salt);
    const record = engine.sign(transition);
    const { signingKey } = engine;
    expect(nodeKeyring.isSignedBy(signingKey, record)).toBe(true);
    const bytes = Buffer.from(record.signature, 'hex');
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      const signature = flipped.toString('hex');
      expect(nodeKeyring.isSignedBy(signingKey, { transition, signature })).toBe(false);
    }
    const elsewhere = { ...record, transition: 'cd'.repeat(32) as Digest };
    expect(nodeKeyring.isSignedBy(signingKey, elsewhere)).toBe(false);
    const other = nodeKeyring.createSeed();
    for (const key of [other.signingKey, SEED_OWNER_SPKI, new Uint8Array(), randomBytes(120)])
      expect(nodeKeyring.isSignedBy(key, record)).toBe(false);
  });

  it('makes a new seed and a new mesh key each time', () => {
    const seeds = [nodeKeyring.createSeed(), nodeKeyring.createSeed()];
    expect(new Set(seeds.map(({ signingKey }) => sha256(signingKey))).size).toBe(2);
    const keys = [nodeKeyring.createMeshKey(), nodeKeyring.createMeshKey()];
    expect(new Set(keys.map((key) => sha256(key.reveal()))).size).toBe(2);
  });

  it('seals a share that its owner alone opens', () => {
    const engine = createSeedEngine(seed, salt);
    const owner = Buffer.from(SEED_OWNER_SPKI).toString('base64');
    const [share] = nodeKeyring.sealShares(engine, [owner]);
    const opened = openShare(share);
    expect(concatBytes(opened.seed.reveal(), opened.salt.reveal())).toEqual(
      concatBytes(seed.reveal(), salt.reveal()),
    );
    expect(share?.owner).toBe(owner);
  });
});

const file = new URL(
  '../../../../shared/vectors/wycheproof/hkdf_sha256_test.json',
  import.meta.url,
);
interface HkdfCase {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: 'valid' | 'invalid';
}

describe.skipIf(!existsSync(file))('the platform, by Wycheproof,', () => {
  it('derives by HKDF-SHA-256 as RFC 5869 says', () => {
    const { testGroups } = JSON.parse(readFileSync(file, 'utf8')) as {
      testGroups: { tests: HkdfCase[] }[];
    };
    const bytes = (text: string): Buffer => Buffer.from(text, 'hex');
    const cases = testGroups.flatMap(({ tests }) => tests);
    const wrong = cases.filter(({ ikm, salt, info, size, okm, result }) => {
      try {
        const derived = Buffer.from(hkdfSync('sha256', bytes(ikm), bytes(salt), bytes(info), size));
        return (result === 'valid') !== (derived.toString('hex') === okm);
      } catch {
        // A refusal is right where the case is invalid.
        return result === 'valid';
      }
    });
    expect([cases.length, wrong]).toEqual([86, []]);
  });
});
