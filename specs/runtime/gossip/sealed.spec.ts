import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import {
  SEALED_OVERHEAD_BYTES,
  openDirect,
  openGroup,
  readGroupKey,
  sealDirect,
  sealGroup,
  sharedKeyOf,
  toCurve25519,
} from '../../../runtime/gossip/sealed.ts';
import { scratch } from '../../support/scratch.ts';

const VECTORS = new URL('../../../../shared/vectors/nacl/', import.meta.url);
const hasVectors = existsSync(VECTORS);
const vectors = (name: string): Uint8Array[][] =>
  (JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8')) as { vectors: string[][] }).vectors.map(
    (fields) => fields.map((text) => Uint8Array.from(Buffer.from(text, 'base64'))),
  );
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const refusal = (code: string) => expect.objectContaining({ code }) as Error;

const pairOf = (seed: number) => nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(seed));
const [alice, bob, eve] = [pairOf(1), pairOf(2), pairOf(3)];
const text = Buffer.from('the door code is 4711');

describe('sealDirect', () => {
  const body = sealDirect(text, { secretKey: alice.secretKey, otherKey: bob.publicKey });

  it('is opened by its recipient and by its author, and by nobody else', () => {
    const atBob = { secretKey: bob.secretKey, otherKey: alice.publicKey };
    const atAlice = { secretKey: alice.secretKey, otherKey: bob.publicKey };
    const atEve = { secretKey: eve.secretKey, otherKey: alice.publicKey };
    expect(Buffer.from(openDirect(body, atBob))).toEqual(text);
    expect(Buffer.from(openDirect(body, atAlice))).toEqual(text);
    expect(() => openDirect(body, atEve)).toThrow(refusal('MESH_ERR_SEALED_OPEN'));
  });

  it('shows nothing of the text and is different each time', () => {
    const again = sealDirect(text, { secretKey: alice.secretKey, otherKey: bob.publicKey });
    expect(body).toHaveLength(text.length + SEALED_OVERHEAD_BYTES);
    expect(hex(body)).not.toContain(hex(text));
    expect(hex(again)).not.toBe(hex(body));
  });

  it('does not open with any bit changed, nor cut off', () => {
    const atBob = { secretKey: bob.secretKey, otherKey: alice.publicKey };
    for (let bit = 0; bit < body.length * 8; bit += 7) {
      const changed = Uint8Array.from(body);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openDirect(changed, atBob)).toThrow(refusal('MESH_ERR_SEALED_OPEN'));
    }
    for (const length of [0, 1, 24, 25, 40, body.length - 1])
      expect(() => openDirect(body.slice(0, length), atBob)).toThrow(
        refusal('MESH_ERR_SEALED_OPEN'),
      );
  });

  it.each([
    ['of another length', '00'.repeat(31)],
    ['of small order: the neutral element', `01${'00'.repeat(31)}`],
    ['of small order: y = 0', '00'.repeat(32)],
    ['of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['not canonical', `ee${'ff'.repeat(30)}7f`],
    ['no point of the curve', `02${'00'.repeat(31)}`],
  ])('refuses a key %s', (_, key) => {
    const otherKey = Uint8Array.from(Buffer.from(key, 'hex'));
    expect(() => sealDirect(text, { secretKey: alice.secretKey, otherKey })).toThrow(
      refusal('MESH_ERR_SEALED_KEY'),
    );
  });
});

describe('sealGroup', () => {
  const key = new Uint8Array(32).fill(7);

  it('is opened with the same key alone', () => {
    const body = sealGroup(text, key);
    expect(Buffer.from(openGroup(body, key))).toEqual(text);
    expect(() => openGroup(body, new Uint8Array(32).fill(8))).toThrow(
      refusal('MESH_ERR_SEALED_OPEN'),
    );
  });

  it('is not taken for a direct one', () => {
    const atBob = { secretKey: bob.secretKey, otherKey: alice.publicKey };
    expect(() => openDirect(sealGroup(text, key), atBob)).toThrow(refusal('MESH_ERR_SEALED_OPEN'));
  });
});

describe('readGroupKey', () => {
  it('reads 64 hex digits from a private file', () => {
    using folder = scratch();
    const path = folder.file('group.key');
    writeFileSync(path, `${'0f'.repeat(32)}\n`, { mode: 0o600 });
    expect(hex(readGroupKey(path))).toBe('0f'.repeat(32));
  });

  it('refuses a file that others may read, that is none, or that holds something else', () => {
    using folder = scratch();
    const path = folder.file('group.key');
    const refused = (at = path): void => {
      expect(() => readGroupKey(at)).toThrow(refusal('MESH_ERR_SEALED_GROUP_KEY'));
    };
    refused();
    writeFileSync(path, 'FF'.repeat(32), { mode: 0o600 });
    refused();
    writeFileSync(path, '0f'.repeat(100));
    refused();
    writeFileSync(path, '0f'.repeat(32));
    chmodSync(path, 0o640);
    refused();
    mkdirSync(folder.file('folder'));
    refused(folder.file('folder'));
  });
});

describe('toCurve25519', () => {
  it('gives what libsodium gives', () => {
    const sodium = createRequire(import.meta.url)('sodium-native') as {
      crypto_sign_ed25519_pk_to_curve25519(out: Uint8Array, key: Uint8Array): void;
    };
    for (let seed = 0; seed < 64; seed++) {
      const { publicKey } = pairOf(seed);
      const due = Buffer.alloc(32);
      sodium.crypto_sign_ed25519_pk_to_curve25519(due, Buffer.from(publicKey));
      expect(hex(toCurve25519(publicKey))).toBe(hex(due));
    }
  });
});

describe('sharedKeyOf', () => {
  it('refuses a point of small order, whose shared secret is zero (RFC 7748 §6.1)', () => {
    for (const point of ['00'.repeat(32), `01${'00'.repeat(31)}`])
      expect(() =>
        sharedKeyOf(new Uint8Array(32).fill(9), Uint8Array.from(Buffer.from(point, 'hex'))),
      ).toThrow(refusal('MESH_ERR_SEALED_KEY'));
  });

  it.skipIf(!hasVectors)('opens and seals the boxes of 128 vectors', () => {
    const all = vectors('box.random.json');
    expect(all).toHaveLength(128);
    for (const [theirs, mine, message, box] of all) {
      if (!theirs || !mine || !message || !box) throw new Error('A vector has four fields.');
      const key = sharedKeyOf(mine, theirs);
      const nonce = new Uint8Array(24);
      expect(hex(nacl.box.after(message, nonce, key))).toBe(hex(box));
      const whole = Uint8Array.from([2, ...nonce, ...box]);
      expect(hex(openGroup(whole, key))).toBe(hex(message));
    }
  });

  it.skipIf(!hasVectors)('opens 128 secret boxes', () => {
    const all = vectors('secretbox.random.json');
    expect(all).toHaveLength(128);
    for (const [key, nonce, message, box] of all) {
      if (!key || !nonce || !message || !box) throw new Error('A vector has four fields.');
      expect(hex(openGroup(Uint8Array.from([2, ...nonce, ...box]), key))).toBe(hex(message));
    }
  });
});
