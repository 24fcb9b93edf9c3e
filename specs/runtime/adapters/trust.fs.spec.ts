import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withFileLock } from '../../../runtime/adapters/file-lock.sqlite.ts';
import { TRUST_ENTRIES_MAX, createTrustStore } from '../../../runtime/adapters/trust.fs.ts';
import { scratch } from '../../support/scratch.ts';
import { runScript } from '../../support/script.ts';
import { keyOf, trusting } from '../../support/spore-kit.ts';

const [one, two] = [keyOf(1), keyOf(2)];
const MODULE = new URL('../../../runtime/adapters/trust.fs.ts', import.meta.url).href;
const LOCK = new URL('../../../runtime/adapters/file-lock.sqlite.ts', import.meta.url).href;

describe('createTrustStore', () => {
  it('trusts nobody before anybody is added, and makes no file for that', async () => {
    using folder = scratch();
    const store = createTrustStore(folder.file('trust.json'));
    expect(await store.list()).toEqual([]);
    expect(await store.isTrusted(one.publicKey, 'hello')).toBe(false);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('keeps keys for one app or for all, in a file that only its owner reads', async () => {
    using folder = scratch();
    const file = folder.file('deep/trust.json');
    const store = createTrustStore(file);
    await store.add(one.publicKey, { name: 'ci' });
    await store.add(two.publicKey, { name: 'dev', app: 'hello' });
    expect(await createTrustStore(file).list()).toEqual([
      { ...trusting(one), name: 'ci' },
      { ...trusting(two, 'hello'), name: 'dev' },
    ]);
    expect(await store.isTrusted(one.publicKey, 'any')).toBe(true);
    expect(await store.isTrusted(two.publicKey, 'hello')).toBe(true);
    expect(await store.isTrusted(two.publicKey, 'other')).toBe(false);
    for (const name of readdirSync(folder.file('deep')))
      expect(statSync(folder.file(`deep/${name}`)).mode & 0o7777, name).toBe(0o600);
  });

  it('adds the same entry once, and renames one', async () => {
    using folder = scratch();
    const store = createTrustStore(folder.file('trust.json'));
    const added = await store.add(one.publicKey, { name: 'ci' });
    expect(await store.add(one.publicKey, { name: 'ci' })).toEqual(added);
    await store.add(one.publicKey, { name: 'builder' });
    expect((await store.list()).map(({ name }) => name)).toEqual(['builder']);
  });

  it('takes one key for several apps', async () => {
    using folder = scratch();
    const store = createTrustStore(folder.file('trust.json'));
    await store.add(one.publicKey, { name: 'ci', app: 'a' });
    await store.add(one.publicKey, { name: 'ci', app: 'b' });
    expect((await store.list()).map(({ app }) => app)).toEqual(['a', 'b']);
    expect(await store.remove('ci')).toHaveLength(2);
  });

  it('removes by name or by id', async () => {
    using folder = scratch();
    const store = createTrustStore(folder.file('trust.json'));
    await store.add(one.publicKey, { name: 'ci' });
    await store.add(two.publicKey, { name: 'dev' });
    expect(await store.remove(one.id)).toEqual([{ ...trusting(one), name: 'ci' }]);
    await store.remove('dev');
    expect(await store.list()).toEqual([]);
    await expect(store.remove('dev')).rejects.toMatchObject({ code: 'MESH_ERR_TRUST_UNKNOWN' });
  });

  it('refuses a name that means another key', async () => {
    using folder = scratch();
    const store = createTrustStore(folder.file('trust.json'));
    await store.add(one.publicKey, { name: 'ci' });
    await expect(store.add(two.publicKey, { name: 'ci' })).rejects.toMatchObject({
      code: 'MESH_ERR_TRUST_CONFLICT',
    });
  });

  it.each([
    ['a short key', new Uint8Array(31), { name: 'ci' }],
    ['a bad name', one.publicKey, { name: 'C I' }],
    ['a bad app', one.publicKey, { name: 'ci', app: '../x' }],
  ])('refuses %s', async (_, publicKey, about) => {
    using folder = scratch();
    const store = createTrustStore(folder.file('trust.json'));
    await expect(store.add(publicKey, about)).rejects.toMatchObject({
      code: 'MESH_ERR_TRUST_ENTRY',
    });
  });

  it('has a limit', async () => {
    using folder = scratch();
    const file = folder.file('trust.json');
    const keys = Array.from({ length: TRUST_ENTRIES_MAX }, (_, index) => ({
      ...trusting(one, `app-${index}`),
      name: 'ci',
    }));
    writeFileSync(file, JSON.stringify({ kind: 'TrustStore', version: 1, keys }));
    await expect(createTrustStore(file).add(two.publicKey, { name: 'x' })).rejects.toMatchObject({
      code: 'MESH_ERR_TRUST_FULL',
    });
  });

  it.each([
    ['no JSON', 'ssh-ed25519 AAAA'],
    ['an empty file', ''],
    ['another version', '{"kind":"TrustStore","version":2,"keys":[]}'],
    ['an unknown field', '{"kind":"TrustStore","version":1,"keys":[],"x":1}'],
    ['a duplicate key', '{"kind":"TrustStore","version":1,"keys":[],"keys":[]}'],
    [
      'an id of another key',
      JSON.stringify({
        kind: 'TrustStore',
        version: 1,
        keys: [{ ...trusting(one), id: two.id, name: 'ci' }],
      }),
    ],
  ])('trusts nobody and changes nothing when it finds %s', async (_, text) => {
    using folder = scratch();
    const file = folder.file('trust.json');
    writeFileSync(file, text);
    const store = createTrustStore(file);
    const malformed = { code: 'MESH_ERR_TRUST_MALFORMED' };
    await expect(store.list()).rejects.toMatchObject(malformed);
    await expect(store.isTrusted(one.publicKey, 'a')).rejects.toMatchObject(malformed);
    await expect(store.add(one.publicKey, { name: 'ci' })).rejects.toMatchObject(malformed);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('says what the disk refuses', async () => {
    using folder = scratch();
    mkdirSync(folder.file('trust.json'));
    const store = createTrustStore(folder.file('trust.json'));
    await expect(store.list()).rejects.toMatchObject({ code: 'MESH_ERR_TRUST_IO' });
    await expect(store.add(one.publicKey, { name: 'ci' })).rejects.toMatchObject({
      code: 'MESH_ERR_TRUST_IO',
    });
  });

  it('loses nothing when several processes and callers add at once', async () => {
    using folder = scratch();
    const file = folder.file('trust.json');
    const adding = (first: number): string => `
      import { createTrustStore } from ${JSON.stringify(MODULE)};
      const store = createTrustStore(${JSON.stringify(file)});
      await Promise.all([0, 1, 2, 3].map((step) => {
        const key = new Uint8Array(32).fill(${first} + step);
        return store.add(key, { name: 'key-' + (${first} + step) });
      }));`;
    const ends = await Promise.all([0, 10, 20].map((first) => runScript(adding(first))));
    for (const { code, stderr } of ends) expect(stderr + String(code)).toBe('0');
    const names = (await createTrustStore(file).list()).map(({ name }) => name);
    expect(names.toSorted()).toEqual(
      [0, 10, 20].flatMap((first) => [0, 1, 2, 3].map((step) => `key-${first + step}`)).toSorted(),
    );
    expect(readdirSync(folder.path).toSorted()).toEqual(['trust.json', 'trust.json.lock']);
  });

  it('goes on after a process died with the lock', async () => {
    using folder = scratch();
    const file = folder.file('trust.json');
    const end = await runScript(`
      import { withFileLock } from ${JSON.stringify(LOCK)};
      await withFileLock(${JSON.stringify(file)}, 0, async () => process.kill(process.pid, 9));
    `);
    expect(end.signal).toBe('SIGKILL');
    const store = createTrustStore(file);
    await store.add(one.publicKey, { name: 'ci' });
    expect(await store.list()).toHaveLength(1);
  });
});

describe('withFileLock', () => {
  it('makes a change of the store wait, and fail when it waits too long', async () => {
    using folder = scratch();
    const file = folder.file('trust.json');
    const store = createTrustStore(file, { lockTimeoutMs: 20 });
    await withFileLock(file, 0, () =>
      expect(store.add(one.publicKey, { name: 'ci' })).rejects.toMatchObject({
        code: 'MESH_ERR_TRUST_BUSY',
        retryable: true,
      }),
    );
    expect(await store.add(one.publicKey, { name: 'ci' })).toMatchObject({ id: one.id });
  });

  it('gives up when the lock is not free in time', async () => {
    using folder = scratch();
    const file = folder.file('x');
    const held = await withFileLock(file, 0, async () => {
      const second = await withFileLock(file, 30, () => Promise.resolve('second'));
      return second ?? 'busy';
    });
    expect(held).toEqual({ result: 'busy' });
    expect(await withFileLock(file, 0, () => Promise.resolve('free'))).toEqual({ result: 'free' });
  });

  it('frees the lock when the work fails', async () => {
    using folder = scratch();
    const file = folder.file('x');
    const failing = withFileLock(file, 0, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await withFileLock(file, 0, () => Promise.resolve(1))).toEqual({ result: 1 });
    chmodSync(`${file}.lock`, 0o600);
  });
});
