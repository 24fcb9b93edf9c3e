import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { TrustStore } from '../../../actors/workload/ports/spore.ts';
import { createTrustStore } from '../../../runtime/adapters/trust.fs.ts';
import { createWorkerPool } from '../../../runtime/adapters/worker-pool.piscina.ts';
import { extractSpore, packSpore, verifySpore } from '../../../runtime/spore/index.ts';
import { scratch } from '../../support/scratch.ts';
import type { Scratch } from '../../support/scratch.ts';
import { canMount, tmpfs } from '../../support/tmpfs.ts';
import { BINARY, CREATED_AT, SOURCE, codesOf, keyOf, poolWith } from '../../support/spore-kit.ts';

const pool = createWorkerPool({ threads: 2 });
afterAll(() => pool.close());

const key = keyOf(1);

async function world(folder: Scratch, binary: Uint8Array = BINARY, manifest: object = SOURCE) {
  const binaryPath = folder.file('program');
  writeFileSync(binaryPath, binary);
  const trust: TrustStore = createTrustStore(folder.file('trust.json'));
  await trust.add(key.publicKey, { name: 'ci' });
  const outPath = folder.file('a.spore');
  const packed = await packSpore(pool, {
    manifest,
    binaryPath,
    key,
    outPath,
    createdAt: CREATED_AT,
  });
  const destDir = folder.file('instance');
  return { trust, packed, options: { trust, expectedDigest: packed.digest, destDir } };
}

describe('extractSpore', () => {
  it('extracts the binary into a private folder, executable and read-only', async () => {
    using folder = scratch();
    const { packed, options } = await world(folder);
    const extracted = await extractSpore(pool, packed.path, options);
    expect(extracted).toEqual({
      binaryPath: `${options.destDir}/binary`,
      manifest: packed.manifest,
    });
    expect(readFileSync(extracted.binaryPath)).toEqual(BINARY);
    expect(statSync(extracted.binaryPath).mode & 0o7777).toBe(0o500);
    expect(statSync(options.destDir).mode & 0o7777).toBe(0o700);
    expect(readdirSync(options.destDir)).toEqual(['binary']);
  });

  it.each<[string, string, object]>([
    ['another digest', 'DIGEST', { expectedDigest: 'b'.repeat(64) }],
    ['an app that the key may not sign for', 'UNTRUSTED', { trust: 'none' }],
    ['what the policy forbids', 'POLICY', { policy: { memoryMbMax: 1 } }],
    ['a binary over the limit', 'TOO_LARGE', { policy: { binaryBytesMax: 10 } }],
  ])('refuses %s and leaves nothing behind', async (_, reason, change) => {
    using folder = scratch();
    const { packed, options } = await world(folder);
    const trust = 'trust' in change ? createTrustStore(folder.file('none.json')) : options.trust;
    await expect(
      extractSpore(pool, packed.path, { ...options, ...change, trust }),
    ).rejects.toMatchObject({ code: `MESH_ERR_SPORE_${reason}` });
    expect(existsSync(options.destDir)).toBe(false);
  });

  it.each([
    ['lsm_profile', { lsm_profile: 'strict' }],
    ['read_only_fs', { read_only_fs: true }],
  ])('refuses security.%s, which nothing here enforces', async (field, security) => {
    using folder = scratch();
    const { packed, options } = await world(folder, BINARY, { ...SOURCE, security });
    await expect(extractSpore(pool, packed.path, options)).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_POLICY',
      message: expect.stringContaining(field) as string,
    });
  });

  it('leaves nothing of a binary that is damaged far into it', async () => {
    using folder = scratch();
    const { packed, options } = await world(folder, Buffer.alloc(8_000_000, 'mycelium'));
    const bytes = readFileSync(packed.path);
    bytes[bytes.length - 400] = (bytes[bytes.length - 400] ?? 0) ^ 0xff;
    writeFileSync(packed.path, bytes);
    await expect(extractSpore(pool, packed.path, options)).rejects.toMatchObject({
      code: expect.stringMatching(/^MESH_ERR_SPORE_(DATA|DIGEST)$/) as string,
    });
    expect(existsSync(options.destDir)).toBe(false);
  });

  it('takes an existing private folder, and never a binary that is there', async () => {
    using folder = scratch();
    const { packed, options } = await world(folder);
    mkdirSync(options.destDir, { mode: 0o700 });
    await extractSpore(pool, packed.path, options);
    await expect(extractSpore(pool, packed.path, options)).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_WRITE',
    });
    expect(readdirSync(options.destDir)).toEqual(['binary']);
  });

  it('refuses a folder that others may enter, and a link to one', async () => {
    using folder = scratch();
    const { packed, options } = await world(folder);
    mkdirSync(folder.file('open'));
    chmodSync(folder.file('open'), 0o755);
    symlinkSync(folder.file('open'), folder.file('link'));
    for (const name of ['open', 'link'])
      await expect(
        extractSpore(pool, packed.path, { ...options, destDir: folder.file(name) }),
      ).rejects.toMatchObject({ code: 'MESH_ERR_SPORE_WRITE' });
    expect(readdirSync(folder.file('open'))).toEqual([]);
  });

  it('extracts what it verified, whatever is put in its place meanwhile', async () => {
    using folder = scratch();
    const older = await world(folder, Buffer.alloc(6_000_000, 'old '));
    renameSync(older.packed.path, folder.file('old.spore'));
    const { packed, options } = await world(folder, Buffer.alloc(6_000_000, 'new '));
    const swapping = poolWith(pool, {
      run: (task, payload, runOptions) =>
        pool.run(task, payload, {
          ...runOptions,
          onProgress: () => renameSync(folder.file('old.spore'), packed.path),
        }),
    });
    const { binaryPath, manifest } = await extractSpore(swapping, packed.path, options);
    expect(manifest).toEqual(packed.manifest);
    expect(readFileSync(binaryPath).subarray(0, 4).toString()).toBe('new ');
  });

  it('gives the signed bytes or none when the file is rewritten in place meanwhile', async () => {
    using folder = scratch();
    const binary = randomBytes(6_000_000);
    const { packed, options } = await world(folder, binary);
    const noise = randomBytes(packed.bytes);
    for (let attempt = 0; attempt < 4; attempt++) {
      const whole = readFileSync(packed.path);
      const rewriting = poolWith(pool, {
        run: (task, payload, runOptions) =>
          pool.run(task, payload, {
            ...runOptions,
            onProgress: () => writeFileSync(packed.path, noise, { flag: 'r+' }),
          }),
      });
      const destDir = folder.file(`in-place-${attempt}`);
      const outcome = await extractSpore(rewriting, packed.path, { ...options, destDir }).then(
        ({ binaryPath }) => readFileSync(binaryPath).equals(binary),
        (error: { code?: string }) => error.code,
      );
      expect([true, 'MESH_ERR_SPORE_DATA', 'MESH_ERR_SPORE_DIGEST']).toContain(outcome);
      writeFileSync(packed.path, whole);
    }
  });

  it.skipIf(!canMount)('keeps nothing half-written when there is no space', async () => {
    using folder = scratch();
    const { packed, options } = await world(folder, Buffer.alloc(3_000_000, 'mycelium'));
    using disk = tmpfs(folder, 'size=1m');
    const destDir = `${disk.path}/instance`;
    await expect(extractSpore(pool, packed.path, { ...options, destDir })).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_NO_SPACE',
    });
    expect(readdirSync(disk.path)).toEqual([]);
  });

  it('stops when it is cancelled, and tidies up', async () => {
    using folder = scratch();
    const { packed, options } = await world(folder, Buffer.alloc(200_000_000));
    const controller = new AbortController();
    const extracting = extractSpore(pool, packed.path, { ...options, signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(extracting).rejects.toMatchObject({ code: 'MESH_ERR_POOL_CANCELLED' });
    expect(existsSync(`${options.destDir}/binary.partial`)).toBe(false);
    expect(existsSync(`${options.destDir}/binary`)).toBe(false);
  });
});

describe('verifySpore', () => {
  it('reports a good spore, and writes nothing', async () => {
    using folder = scratch();
    const { packed, trust } = await world(folder);
    const report = await verifySpore(pool, packed.path, { trust });
    expect(report).toMatchObject({ ok: true, digest: packed.digest, manifest: packed.manifest });
    expect(readdirSync(folder.path).toSorted()).toEqual([
      'a.spore',
      'program',
      'trust.json',
      'trust.json.lock',
    ]);
  });

  it('reports a bad one instead of throwing', async () => {
    using folder = scratch();
    const { packed, trust } = await world(folder);
    const [entry] = await trust.list();
    await trust.remove(entry?.id ?? '');
    const report = await verifySpore(pool, packed.path, { trust });
    expect(codesOf(report)).toMatchObject({ format: 'ok', trust: 'MESH_ERR_SPORE_UNTRUSTED' });
  });

  it.each([
    ['that is not there', () => 'none'],
    ['that is a folder', () => '.'],
    [
      'that is a symbolic link',
      (folder: Scratch) => {
        symlinkSync(folder.file('a.spore'), folder.file('link'));
        return 'link';
      },
    ],
  ])('rejects for a file %s', async (_, make) => {
    using folder = scratch();
    const { trust } = await world(folder);
    await expect(verifySpore(pool, folder.file(make(folder)), { trust })).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_UNREADABLE',
    });
  });

  it.skipIf(process.getuid?.() === 0)(
    'rejects for a file that it may not read (root may read all)',
    async () => {
      using folder = scratch();
      const { packed, trust } = await world(folder);
      chmodSync(packed.path, 0);
      await expect(verifySpore(pool, packed.path, { trust })).rejects.toMatchObject({
        code: 'MESH_ERR_SPORE_UNREADABLE',
      });
    },
  );
});
