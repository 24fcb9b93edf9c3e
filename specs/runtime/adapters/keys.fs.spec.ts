import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { generateKey, readKey, readPublicKey } from '../../../runtime/adapters/keys.fs.ts';
import { verifyEd25519 } from '../../../runtime/workers/ed25519.ts';
import { programOnPath } from '../../benches/harness.ts';
import { scratch } from '../../support/scratch.ts';

const openssl = programOnPath('openssl');
const MESSAGE = Buffer.from('message');

describe('generateKey', () => {
  it('writes a pair that is read back the same', async () => {
    using folder = scratch();
    const made = await generateKey('ci', folder.path);
    expect(made.id).toBe(createHash('sha256').update(made.publicKey).digest('hex'));
    const key = readKey(made.keyPath);
    expect(key).toMatchObject({ name: 'ci', id: made.id, publicKey: made.publicKey });
    expect(readPublicKey(made.publicKeyPath)).toEqual({
      name: 'ci',
      id: made.id,
      publicKey: made.publicKey,
    });
    const signature = nacl.sign.detached(MESSAGE, key.secretKey);
    expect(verifyEd25519(made.publicKey, MESSAGE, signature)).toBe(true);
  });

  it('keeps the private key to its owner', async () => {
    using folder = scratch();
    const { keyPath } = await generateKey('ci', folder.path);
    expect(statSync(keyPath).mode & 0o7777).toBe(0o600);
  });

  it('makes another key each time', async () => {
    using folder = scratch();
    const a = await generateKey('a', folder.path);
    const b = await generateKey('b', folder.path);
    expect(a.id).not.toBe(b.id);
  });

  it.each(['ci.key', 'ci.pub'])('never overwrites %s', async (existing) => {
    using folder = scratch();
    writeFileSync(folder.file(existing), 'mine');
    await expect(generateKey('ci', folder.path)).rejects.toMatchObject({
      code: 'MESH_ERR_KEY_EXISTS',
    });
    expect(readFileSync(folder.file(existing), 'utf8')).toBe('mine');
    expect(readdirSync(folder.path)).toEqual([existing]);
  });

  it.each(['', 'CI', '../ci', 'a/b', 'a'.repeat(64)])('refuses the name "%s"', async (name) => {
    using folder = scratch();
    await expect(generateKey(name, folder.path)).rejects.toMatchObject({
      code: 'MESH_ERR_KEY_NAME',
    });
  });

  it('says where it cannot write', async () => {
    using folder = scratch();
    await expect(generateKey('ci', folder.file('none'))).rejects.toMatchObject({
      code: 'MESH_ERR_KEY_UNREADABLE',
    });
  });

  it.skipIf(openssl === undefined)(
    'writes what OpenSSL reads, and reads what it writes',
    async () => {
      using folder = scratch();
      const run = (...args: string[]): string => execFileSync(openssl ?? '', args).toString();
      const { keyPath, publicKeyPath } = await generateKey('ci', folder.path);
      expect(run('pkey', '-in', keyPath, '-pubout')).toBe(readFileSync(publicKeyPath, 'utf8'));

      const theirs = folder.file('theirs.key');
      run('genpkey', '-algorithm', 'ed25519', '-out', theirs);
      chmodSync(theirs, 0o600);
      const signature = sign(null, MESSAGE, createPrivateKey(readFileSync(theirs)));
      expect(verifyEd25519(readKey(theirs).publicKey, MESSAGE, signature)).toBe(true);
    },
  );
});

describe('readKey', () => {
  it.each([0o640, 0o604, 0o666])('refuses a private key of mode %o', async (mode) => {
    using folder = scratch();
    const { keyPath } = await generateKey('ci', folder.path);
    chmodSync(keyPath, mode);
    expect(() => readKey(keyPath)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_KEY_EXPOSED' }),
    );
  });

  it.each<[string, (pem: string) => string]>([
    ['nothing', () => ''],
    ['a truncated one', (pem) => pem.slice(0, -30)],
    ['two keys', (pem) => pem + pem],
    ['text before it', (pem) => `x\n${pem}`],
    ['another algorithm', (pem) => pem.replace('DK2Vw', 'DK2Vu')],
    ['base64 that is not canonical', (pem) => pem.replace(/.\n-----END/, '=\n-----END')],
    ['a public key', (pem) => pem.replaceAll('PRIVATE', 'PUBLIC')],
  ])('refuses %s', async (_, spoil) => {
    using folder = scratch();
    const { keyPath } = await generateKey('ci', folder.path);
    const before = readFileSync(keyPath, 'utf8');
    writeFileSync(keyPath, spoil(before));
    expect(() => readKey(keyPath)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_KEY_MALFORMED' }),
    );
  });

  it('refuses a private key where a public one is due', async () => {
    using folder = scratch();
    const { keyPath } = await generateKey('ci', folder.path);
    expect(() => readPublicKey(keyPath)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_KEY_MALFORMED' }),
    );
  });

  it('never puts key material into an error', async () => {
    using folder = scratch();
    const { keyPath } = await generateKey('ci', folder.path);
    const pem = readFileSync(keyPath, 'utf8');
    writeFileSync(keyPath, `x${pem}`);
    const seed = pem.split('\n')[1] ?? '';
    try {
      readKey(keyPath);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain(seed.slice(-20));
    }
  });

  it.each(['none', '.'])('refuses the path %s', (name) => {
    using folder = scratch();
    expect(() => readKey(folder.file(name))).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_KEY_UNREADABLE' }),
    );
  });
});
