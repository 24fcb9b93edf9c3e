import * as fc from 'fast-check';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { verifyEd25519 } from '../../../runtime/workers/ed25519.ts';
import {
  GROUP_ORDER,
  SMALL_ORDER_POINTS,
  encodePoint,
  signMixedOrder,
  toBytes,
} from '../../support/edwards25519.ts';

type Bytes = Uint8Array;

/** Both engines' verdict, which must be one. */
function verdict(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  const [sodium, node] = (['sodium', 'node'] as const).map((engine) =>
    verifyEd25519(publicKey, message, signature, engine),
  );
  expect(sodium).toBe(node);
  return sodium === true;
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const seed = bytes(32);
const message = fc.uint8Array({ maxLength: 300 });
const scalar = fc.bigInt({ min: 1n, max: GROUP_ORDER - 1n });

describe('verifyEd25519, one engine against the other', () => {
  it('agrees on honest signatures, which tweetnacl accepts too', () => {
    fc.assert(
      fc.property(seed, message, (seed, message) => {
        const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(seed);
        const signature = nacl.sign.detached(message, secretKey);
        expect(verdict(publicKey, message, signature)).toBe(true);
        expect(nacl.sign.detached.verify(message, signature, publicKey)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('agrees when bits of the key, the message or the signature are changed', () => {
    const signers = Array.from({ length: 8 }, () => nacl.sign.keyPair());
    const signed = signers.map(({ publicKey, secretKey }, index) => {
      const message = Buffer.alloc(40, index);
      return Buffer.concat([publicKey, message, nacl.sign.detached(message, secretKey)]);
    });
    const flips = fc.array(fc.nat(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...signed), flips, (all, flips) => {
        const changed = Buffer.from(all);
        for (const flip of flips) {
          const bit = flip % (all.length * 8);
          changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        }
        const isValid = verdict(
          changed.subarray(0, 32),
          changed.subarray(32, 72),
          changed.subarray(72),
        );
        expect(isValid).toBe(changed.equals(all));
      }),
      { numRuns: 500 },
    );
  });

  it('agrees on arbitrary bytes of any length', () => {
    const any = fc.oneof(bytes(32), bytes(64), fc.uint8Array({ maxLength: 80 }));
    fc.assert(
      fc.property(any, message, any, (key, message, signature) => {
        verdict(key, message, signature);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees on small-order, non-canonical and boundary parts in every combination', () => {
    const points = [
      ...SMALL_ORDER_POINTS.map(encodePoint),
      ...[1n, 2n, 18n].map((over) => toBytes(2n ** 255n - 19n + over)),
      nacl.sign.keyPair().publicKey,
    ];
    const scalars = [0n, 1n, GROUP_ORDER - 1n, GROUP_ORDER, 2n ** 252n].map(toBytes);
    for (const key of points)
      for (const nonce of points)
        for (const scalar of scalars)
          expect(verdict(key, Buffer.from('m'), Buffer.concat([nonce, scalar]))).toBe(false);
  });

  it('agrees on keys and nonces of mixed order, where a cofactor would make a difference', () => {
    const torsion = fc.nat({ max: 7 });
    let accepted = 0;
    let rejected = 0;
    fc.assert(
      fc.property(scalar, scalar, torsion, torsion, message, (secret, nonce, a, r, message) => {
        const made = signMixedOrder({ secret, nonce, keyTorsion: a, nonceTorsion: r, message });
        if (verdict(made.publicKey, message, made.signature)) accepted++;
        else rejected++;
      }),
      { numRuns: 120 },
    );
    expect(accepted).toBeGreaterThan(0);
    expect(rejected).toBeGreaterThan(0);
  });
});
