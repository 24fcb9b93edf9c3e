import { randomBytes } from 'node:crypto';
import {
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { WorkerPool } from '../../../actors/pool/ports.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { createRepo } from '../../../runtime/adapters/repo.fs.ts';
import { createTrustStore } from '../../../runtime/adapters/trust.fs.ts';
import { createWorkerPool } from '../../../runtime/adapters/worker-pool.piscina.ts';
import { packSpore } from '../../../runtime/spore/index.ts';
import { scratch } from '../../support/scratch.ts';
import type { Scratch } from '../../support/scratch.ts';
import { canMount, tmpfs } from '../../support/tmpfs.ts';
import { runScript } from '../../support/script.ts';
import { BINARY, CREATED_AT, SOURCE, keyOf, poolWith } from '../../support/spore-kit.ts';

const pool = createWorkerPool({ threads: 2 });
afterAll(() => pool.close());

const key = keyOf(1);
const UNKNOWN = 'c'.repeat(64) as Digest;

async function pack(folder: Scratch, version = '1.0.0', binary: Uint8Array = BINARY) {
  const binaryPath = folder.file('program');
  writeFileSync(binaryPath, binary);
  return packSpore(pool, {
    manifest: { ...SOURCE, version },
    binaryPath,
    key,
    outPath: folder.file(`${version}.spore`),
    createdAt: CREATED_AT,
  });
}

/** Counts the passes over whole files. */
function counting(): { pool: WorkerPool; hashes: () => number } {
  let hashes = 0;
  const hashFile: WorkerPool['hashFile'] = (...given) => {
    hashes++;
    return pool.hashFile(...given);
  };
  return { pool: poolWith(pool, { hashFile }), hashes: () => hashes };
}

describe('createRepo', () => {
  it('stores a spore under its digest, and gives it back', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const repo = await createRepo(folder.file('repo'), pool);
    expect(await repo.put(packed.path)).toBe(packed.digest);
    const path = folder.file(`repo/${packed.digest}.spore`);
    expect(await repo.path(packed.digest)).toBe(path);
    expect(readFileSync(path)).toEqual(readFileSync(packed.path));
    expect(await repo.manifest(packed.digest)).toEqual(packed.manifest);
    expect(await repo.ls()).toEqual([
      {
        digest: packed.digest,
        bytes: packed.bytes,
        storedAtMs: Math.floor(statSync(path).mtimeMs),
      },
    ]);
    expect(readdirSync(folder.file('repo'))).toEqual([`${packed.digest}.spore`]);
  });

  it('stores the same spore again without harm, also at the same time', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const repo = await createRepo(folder.file('repo'), pool);
    const digests = await Promise.all([1, 2, 3].map(() => repo.put(packed.path)));
    expect(new Set(digests)).toEqual(new Set([packed.digest]));
    expect(readdirSync(folder.file('repo'))).toHaveLength(1);
  });

  it('stores nothing that does not verify', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const bytes = readFileSync(packed.path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(packed.path, bytes);
    const repo = await createRepo(folder.file('repo'), pool);
    await expect(repo.put(packed.path)).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_CONTAINER',
    });
    expect(readdirSync(folder.file('repo'))).toEqual([]);
  });

  it('stores only spores of trusted keys when it is given a trust store', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const trust = createTrustStore(folder.file('trust.json'));
    const repo = await createRepo(folder.file('repo'), pool, { trust });
    await expect(repo.put(packed.path)).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_UNTRUSTED',
    });
    await trust.add(key.publicKey, { name: 'ci', app: 'another' });
    expect(await repo.put(packed.path)).toBe(packed.digest);
  });

  it('still describes a stored spore whose key is no longer trusted', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const trust = createTrustStore(folder.file('trust.json'));
    await trust.add(key.publicKey, { name: 'ci' });
    await (await createRepo(folder.file('repo'), pool, { trust })).put(packed.path);
    await trust.remove('ci');
    const repo = await createRepo(folder.file('repo'), pool, { trust });
    expect(await repo.manifest(packed.digest)).toEqual(packed.manifest);
  });

  it.each(['none', '.'])('says that it cannot read "%s"', async (name) => {
    using folder = scratch();
    const repo = await createRepo(folder.file('repo'), pool);
    await expect(repo.put(folder.file(name))).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_UNREADABLE',
    });
  });

  it('checks a digest on first use and when the file changed, and not otherwise', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    await (await createRepo(folder.file('repo'), pool)).put(packed.path);
    const counted = counting();
    const repo = await createRepo(folder.file('repo'), counted.pool);
    const path = await repo.path(packed.digest);
    await Promise.all([repo.path(packed.digest), repo.path(packed.digest)]);
    expect(counted.hashes()).toBe(1);
    utimesSync(path, 1, 1);
    await Promise.all([repo.path(packed.digest), repo.path(packed.digest)]);
    expect(counted.hashes()).toBe(2);
  });

  it.each<[string, (path: string) => void]>([
    ['rewritten', (path) => writeFileSync(path, 'other')],
    [
      'replaced by another file of the same size and time',
      (path) => {
        const { mtime, size } = statSync(path);
        writeFileSync(`${path}.new`, Buffer.alloc(size));
        utimesSync(`${path}.new`, mtime, mtime);
        renameSync(`${path}.new`, path);
      },
    ],
  ])('refuses a stored spore that was %s, until it is published again', async (_, spoil) => {
    using folder = scratch();
    const packed = await pack(folder);
    const repo = await createRepo(folder.file('repo'), pool);
    await repo.put(packed.path);
    spoil(await repo.path(packed.digest));
    const corrupt = { code: 'MESH_ERR_REPO_CORRUPT' };
    await expect(repo.path(packed.digest)).rejects.toMatchObject(corrupt);
    await expect(repo.manifest(packed.digest)).rejects.toMatchObject(corrupt);
    await repo.put(packed.path);
    expect(await repo.manifest(packed.digest)).toEqual(packed.manifest);
  });

  it('does not know what was never stored, was removed, or is no digest', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const repo = await createRepo(folder.file('repo'), pool);
    await repo.put(packed.path);
    await repo.rm(packed.digest);
    const unknown = { code: 'MESH_ERR_REPO_UNKNOWN' };
    for (const digest of [packed.digest, UNKNOWN, '../../etc/passwd' as Digest]) {
      await expect(repo.path(digest)).rejects.toMatchObject(unknown);
      await expect(repo.manifest(digest)).rejects.toMatchObject(unknown);
      await expect(repo.rm(digest)).rejects.toMatchObject(unknown);
    }
  });

  it('collects what nothing names, and spares what is new', async () => {
    using folder = scratch();
    const repo = await createRepo(folder.file('repo'), pool);
    const digests: Digest[] = [];
    for (const version of ['1.0.0', '2.0.0', '3.0.0'])
      digests.push(await repo.put((await pack(folder, version)).path));
    const [first, second, third] = digests as [Digest, Digest, Digest];
    utimesSync(await repo.path(first), 1, 1);
    const keep = new Set([second]);
    expect(await repo.gc(keep, { minAgeMs: 60_000 })).toEqual([first]);
    expect(await repo.gc(keep)).toEqual([third]);
    expect((await repo.ls()).map(({ digest }) => digest)).toEqual([second]);
  });

  it('removes what a process that died left half-stored, and nothing else', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const dir = folder.file('repo');
    const end = await runScript(`
      import { createRepo } from ${address('runtime/adapters/repo.fs.ts')};
      import { createWorkerPool } from ${address('runtime/adapters/worker-pool.piscina.ts')};
      const pool = createWorkerPool({ threads: 1 });
      const dying = { run: async (...given) => {
        await pool.run(...given);
        process.kill(process.pid, 'SIGKILL');
        await new Promise(() => {});
      } };
      const repo = await createRepo(${JSON.stringify(dir)}, dying);
      setInterval(() => {}, 1000);
      await repo.put(${JSON.stringify(packed.path)});`);
    expect(end).toMatchObject({ signal: 'SIGKILL' });
    const living = `.put-${process.ppid}-${'0'.repeat(16)}-${'0'.repeat(16)}.tmp`;
    writeFileSync(folder.file(`repo/${living}`), '');
    writeFileSync(folder.file('repo/notes.txt'), '');
    expect(readdirSync(dir)).toHaveLength(3);
    const repo = await createRepo(dir, pool);
    expect(await repo.ls()).toEqual([]);
    expect(readdirSync(dir).toSorted()).toEqual([living, 'notes.txt']);
  });

  it('says that its folder is a file', async () => {
    using folder = scratch();
    writeFileSync(folder.file('repo'), '');
    await expect(createRepo(folder.file('repo'), pool)).rejects.toMatchObject({
      code: 'MESH_ERR_REPO_IO',
    });
  });

  it('says that its folder went away', async () => {
    using folder = scratch();
    const packed = await pack(folder);
    const repo = await createRepo(folder.file('repo'), pool);
    rmSync(folder.file('repo'), { recursive: true });
    await expect(repo.put(packed.path)).rejects.toMatchObject({ code: 'MESH_ERR_REPO_IO' });
    await expect(repo.ls()).rejects.toMatchObject({ code: 'MESH_ERR_REPO_IO' });
  });

  describe.skipIf(!canMount)('on a file system of its own', () => {
    it('keeps nothing half-written when there is no space', async () => {
      using folder = scratch();
      const packed = await pack(folder, '1.0.0', randomBytes(600_000));
      using disk = tmpfs(folder, 'size=256k');
      const repo = await createRepo(disk.path, pool);
      await expect(repo.put(packed.path)).rejects.toMatchObject({
        code: 'MESH_ERR_SPORE_NO_SPACE',
        retryable: true,
      });
      expect(readdirSync(disk.path)).toEqual([]);
      const outPath = `${disk.path}/a.spore`;
      const again = { manifest: SOURCE, binaryPath: folder.file('program'), key, outPath };
      await expect(packSpore(pool, { ...again, createdAt: CREATED_AT })).rejects.toMatchObject({
        code: 'MESH_ERR_SPORE_NO_SPACE',
      });
      expect(readdirSync(disk.path)).toEqual([]);
    });

    it('says that it may not write', async () => {
      using folder = scratch();
      const packed = await pack(folder);
      using disk = tmpfs(folder, 'size=1m');
      const repo = await createRepo(disk.path, pool);
      const digest = await repo.put(packed.path);
      disk.makeReadOnly();
      const denied = { code: 'MESH_ERR_REPO_DENIED' };
      await expect(repo.put(packed.path)).rejects.toMatchObject(denied);
      await expect(repo.rm(digest)).rejects.toMatchObject(denied);
      expect(await repo.path(digest)).toContain(digest);
    });
  });
});

const address = (path: string): string =>
  JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);
