import { existsSync, readFileSync } from 'node:fs';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { defaultEngine, isWellFormed, verifyEd25519 } from '../../../runtime/workers/ed25519.ts';
import type { Ed25519Engine } from '../../../runtime/workers/ed25519.ts';
import {
  FIELD_PRIME,
  GROUP_ORDER,
  SMALL_ORDER_POINTS,
  encodePoint,
  toBytes,
  toInteger,
} from '../../support/edwards25519.ts';

const VECTORS = new URL('../../../../shared/vectors/', import.meta.url);
const isMissing = !existsSync(VECTORS);
const ENGINES: readonly Ed25519Engine[] = ['sodium', 'node'];
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, VECTORS), 'utf8'));

function signed(message = 'a message') {
  const { publicKey, secretKey } = nacl.sign.keyPair();
  const bytes = Buffer.from(message);
  return { publicKey, message: bytes, signature: nacl.sign.detached(bytes, secretKey) };
}

it('runs on libsodium by default, for which a prebuilt library comes along', () => {
  expect(defaultEngine).toBe('sodium');
});

describe.each(ENGINES)('verifyEd25519 by %s', (engine) => {
  it('accepts what tweetnacl signs, also the empty message', () => {
    for (const text of ['', 'x', 'a longer message '.repeat(1000)]) {
      const { publicKey, message, signature } = signed(text);
      expect(verifyEd25519(publicKey, message, signature, engine)).toBe(true);
    }
  });

  it('rejects another message, another key and every single changed bit of a signature', () => {
    const { publicKey, message, signature } = signed();
    expect(verifyEd25519(publicKey, Buffer.from('another'), signature, engine)).toBe(false);
    expect(verifyEd25519(signed().publicKey, message, signature, engine)).toBe(false);
    for (let bit = 0; bit < 512; bit++) {
      const changed = Uint8Array.from(signature);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyEd25519(publicKey, message, changed, engine)).toBe(false);
    }
  });

  it.each([0, 31, 33, 64])('rejects a key of %i bytes', (length) => {
    const { message, signature } = signed();
    expect(verifyEd25519(new Uint8Array(length), message, signature, engine)).toBe(false);
  });

  it.each([0, 32, 63, 65, 128])('rejects a signature of %i bytes', (length) => {
    const { publicKey, message } = signed();
    expect(verifyEd25519(publicKey, message, new Uint8Array(length), engine)).toBe(false);
  });

  it('rejects S + L, which would be a second valid signature (RFC 8032 §8.4)', () => {
    const { publicKey, message, signature } = signed();
    const scalar = toInteger(signature.subarray(32)) + GROUP_ORDER;
    const twin = Buffer.concat([signature.subarray(0, 32), toBytes(scalar)]);
    expect(verifyEd25519(publicKey, message, twin, engine)).toBe(false);
  });

  it('takes bytes in shared memory', () => {
    const { publicKey, message, signature } = signed();
    const [key, text, sig] = [publicKey, message, signature].map((bytes) => {
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      return shared;
    });
    if (!key || !text || !sig) throw new Error('Three buffers were made.');
    expect(verifyEd25519(key, text, sig, engine)).toBe(true);
  });
});

describe('isWellFormed', () => {
  const { publicKey, signature } = signed();
  const withR = (r: Uint8Array): Buffer => Buffer.concat([r, signature.subarray(32)]);

  it('takes an honest key and signature', () => {
    expect(isWellFormed(publicKey, signature)).toBe(true);
  });

  it('rejects all points of small order as key and as R, with either sign', () => {
    for (const point of SMALL_ORDER_POINTS)
      for (const sign of [0, 0x80]) {
        const encoded = encodePoint(point);
        encoded[31] = (encoded[31] ?? 0) ^ sign;
        expect(isWellFormed(encoded, signature)).toBe(false);
        expect(isWellFormed(publicKey, withR(encoded))).toBe(false);
      }
  });

  it('rejects every y from p up to 2^255 - 1, with either sign', () => {
    for (let over = 0n; over < 19n; over++)
      for (const sign of [0, 0x80]) {
        const encoded = toBytes(FIELD_PRIME + over);
        encoded[31] = (encoded[31] ?? 0) | sign;
        expect(isWellFormed(encoded, signature)).toBe(false);
        expect(isWellFormed(publicKey, withR(encoded))).toBe(false);
      }
    expect(isWellFormed(toBytes(FIELD_PRIME - 2n), signature)).toBe(true);
  });

  it.each([
    ['0', 0n, true],
    ['L - 1', GROUP_ORDER - 1n, true],
    ['L', GROUP_ORDER, false],
    ['L + 1', GROUP_ORDER + 1n, false],
    ['2^256 - 1', 2n ** 256n - 1n, false],
  ])('judges S = %s', (_, scalar, isGood) => {
    const changed = Buffer.concat([signature.subarray(0, 32), toBytes(scalar)]);
    expect(isWellFormed(publicKey, changed)).toBe(isGood);
  });
});

describe.skipIf(isMissing).each(ENGINES)('public vectors by %s', (engine) => {
  it('accepts the vectors of RFC 8032 §7.1', () => {
    const rows = read('ed25519/rfc8032-ed25519.json') as Record<'pub' | 'msg' | 'sig', string>[];
    expect(rows.length).toBeGreaterThanOrEqual(4);
    for (const { pub, msg, sig } of rows)
      expect(verifyEd25519(hex(pub), hex(msg), hex(sig), engine)).toBe(true);
  });

  it('rejects all 196 small-order and non-canonical cases of ZIP 215', () => {
    const rows = read('ed25519/zip215.json') as Record<'vk_bytes' | 'sig_bytes', string>[];
    const message = Buffer.from('Zcash');
    const verdicts = rows.map((row) =>
      verifyEd25519(hex(row.vk_bytes), message, hex(row.sig_bytes), engine),
    );
    expect(verdicts).toEqual(Array.from({ length: 196 }, () => false));
  });

  it('gives the verdicts of Wycheproof', () => {
    const file = read('wycheproof/ed25519_test.json') as {
      testGroups: {
        publicKey: { pk: string };
        tests: { tcId: number; msg: string; sig: string; result: string }[];
      }[];
    };
    const cases = file.testGroups.flatMap(({ publicKey: { pk }, tests }) =>
      tests.map((test) => ({ ...test, pk })),
    );
    expect(cases).toHaveLength(151);
    const wrong = cases.filter(
      ({ pk, msg, sig, result }) =>
        verifyEd25519(hex(pk), hex(msg), hex(sig), engine) !== (result === 'valid'),
    );
    expect(wrong.map(({ tcId }) => tcId)).toEqual([]);
  });
});
