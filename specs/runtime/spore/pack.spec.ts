import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createWorkerPool } from '../../../runtime/adapters/worker-pool.piscina.ts';
import { packSpore } from '../../../runtime/spore/index.ts';
import type { PackOptions } from '../../../runtime/spore/index.ts';
import { programOnPath } from '../../benches/harness.ts';
import { scratch } from '../../support/scratch.ts';
import type { Scratch } from '../../support/scratch.ts';
import {
  BINARY,
  CREATED_AT,
  SOURCE,
  codesOf,
  draftOf,
  examine,
  keyOf,
  manifestFor,
  poolWith,
  trusting,
  zipOf,
} from '../../support/spore-kit.ts';

const MEBIBYTE = 1024 * 1024;
const pool = createWorkerPool({ threads: 2 });
afterAll(() => pool.close());

const key = keyOf(1);
const trusted = [trusting(key)];

function optionsFor(folder: Scratch, binary: Uint8Array): PackOptions {
  const binaryPath = folder.file('program');
  writeFileSync(binaryPath, binary);
  const outPath = folder.file('out.spore');
  return { manifest: SOURCE, binaryPath, key, outPath, createdAt: CREATED_AT };
}

/** Half random, half repeating, so that blocks deflate to very different sizes. */
function mixed(bytes: number): Buffer {
  const half = Math.floor(bytes / 2);
  return Buffer.concat([randomBytes(half), Buffer.alloc(bytes - half, 'mycelium ')]);
}

describe('packSpore', () => {
  it.each([
    ['one byte', 1],
    ['less than a block', MEBIBYTE - 1],
    ['exactly a block', MEBIBYTE],
    ['one byte more than a block', MEBIBYTE + 1],
    ['exactly a segment', 4 * MEBIBYTE],
    ['several segments', 9 * MEBIBYTE + 7],
  ])('packs %s so that all checks pass', async (_, bytes) => {
    using folder = scratch();
    const options = optionsFor(folder, mixed(bytes));
    const packed = await packSpore(pool, options);
    const whole = readFileSync(packed.path);
    expect(whole).toHaveLength(packed.bytes);
    const report = await examine(folder.file('copy'), whole, { trusted });
    expect(report).toMatchObject({ ok: true, digest: packed.digest, manifest: packed.manifest });
  });

  it('packs what does not compress at all', async () => {
    using folder = scratch();
    const packed = await packSpore(pool, optionsFor(folder, randomBytes(5 * MEBIBYTE)));
    const report = await examine(folder.file('copy'), readFileSync(packed.path), { trusted });
    expect(report.ok).toBe(true);
  });

  it('writes the layout that the format describes, to the byte', async () => {
    using folder = scratch();
    const packed = await packSpore(pool, optionsFor(folder, Buffer.of(7)));
    const draft = draftOf(manifestFor(Buffer.of(7), key), Buffer.of(7));
    expect(readFileSync(packed.path).toString('hex')).toBe(zipOf(draft).toString('hex'));
  });

  it('gives the same bytes again, in one worker as in many', async () => {
    using folder = scratch();
    const options = optionsFor(folder, mixed(5 * MEBIBYTE + 5));
    const files = await Promise.all(
      [1, 2, 7].map(async (parallel) => {
        const outPath = folder.file(`${parallel}.spore`);
        const { digest } = await packSpore(pool, { ...options, outPath, parallel });
        return { digest, bytes: readFileSync(outPath) };
      }),
    );
    expect(files[1]).toEqual(files[0]);
    expect(files[2]).toEqual(files[0]);
  });

  it('gives other bytes for another time, key or manifest', async () => {
    using folder = scratch();
    const options = optionsFor(folder, BINARY);
    const changes = [
      {},
      { createdAt: '2026-01-01T00:00:01Z' },
      { key: keyOf(2) },
      { manifest: { ...SOURCE, version: '1.0.1' } },
    ];
    const digests = [];
    for (const change of changes)
      digests.push((await packSpore(pool, { ...options, ...change })).digest);
    expect(new Set(digests).size).toBe(changes.length);
  });

  it('reads the manifest from a file, strictly', async () => {
    using folder = scratch();
    const { manifest: _, ...options } = { manifest: 0, ...optionsFor(folder, BINARY) };
    const manifestPath = folder.file('manifest.json');
    writeFileSync(manifestPath, '{"name":"hello","version":"1.0.0"}');
    const packed = await packSpore(pool, { ...options, manifestPath });
    expect(packed.manifest).toEqual(manifestFor(BINARY, key));
    writeFileSync(manifestPath, '{"name":"hello","name":"hello","version":"1.0.0"}');
    await expect(packSpore(pool, { ...options, manifestPath })).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_JSON',
    });
    writeFileSync(manifestPath, ' '.repeat(64 * 1024 + 1));
    await expect(packSpore(pool, { ...options, manifestPath })).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_TOO_LARGE',
    });
  });

  it.each<[string, string, (options: PackOptions, folder: Scratch) => Partial<PackOptions>]>([
    ['a bad manifest', 'MANIFEST', () => ({ manifest: { name: 'X' } })],
    ['a bad time', 'MANIFEST', () => ({ createdAt: 'yesterday' })],
    ['no binary', 'UNREADABLE', (_, folder) => ({ binaryPath: folder.file('none') })],
    ['a folder', 'UNREADABLE', (_, folder) => ({ binaryPath: folder.path })],
    ['an empty binary', 'UNREADABLE', ({ binaryPath }) => (truncateSync(binaryPath), {})],
    ['a binary over the limit', 'TOO_LARGE', () => ({ binaryBytesMax: 10 })],
    ['no folder to write to', 'WRITE', (_, folder) => ({ outPath: folder.file('no/out') })],
  ])('refuses %s and writes nothing', async (_, reason, change) => {
    using folder = scratch();
    const options = optionsFor(folder, BINARY);
    const changed = { ...options, ...change(options, folder) } as PackOptions;
    await expect(packSpore(pool, changed)).rejects.toMatchObject({
      code: `MESH_ERR_SPORE_${reason}`,
    });
    expect(readdirSync(folder.path)).toEqual(['program']);
  });

  it('notices that the binary changes while it is packed', async () => {
    using folder = scratch();
    const options = optionsFor(folder, mixed(6 * MEBIBYTE));
    const meddling = poolWith(pool, {
      run: (task, payload, runOptions) => {
        if (task.name === 'spore-digest') writeFileSync(options.binaryPath, mixed(6 * MEBIBYTE));
        return pool.run(task, payload, runOptions);
      },
    });
    await expect(packSpore(meddling, options)).rejects.toMatchObject({
      code: 'MESH_ERR_SPORE_INPUT_CHANGED',
      retryable: true,
    });
    expect(readdirSync(folder.path)).toEqual(['program']);
  });

  it('replaces an older spore only when the new one is whole', async () => {
    using folder = scratch();
    const options = optionsFor(folder, BINARY);
    await packSpore(pool, options);
    const before = readFileSync(options.outPath);
    const outOf = { ...options, manifest: { name: 'X' } };
    await expect(packSpore(pool, outOf)).rejects.toThrow();
    expect(readFileSync(options.outPath)).toEqual(before);
  });

  it('stops when it is cancelled', async () => {
    using folder = scratch();
    const options = optionsFor(folder, mixed(24 * MEBIBYTE));
    const controller = new AbortController();
    const packing = packSpore(pool, {
      ...options,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(packing).rejects.toMatchObject({ code: 'MESH_ERR_POOL_CANCELLED' });
    expect(readdirSync(folder.path)).toEqual(['program']);
  });

  it('tells how far it is', async () => {
    using folder = scratch();
    const seen: number[] = [];
    const options = optionsFor(folder, mixed(9 * MEBIBYTE));
    await packSpore(pool, { ...options, onProgress: (done) => seen.push(done) });
    expect(seen.at(-1)).toBe(9 * MEBIBYTE);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  it('follows a link to the binary, as a command line user expects', async () => {
    using folder = scratch();
    const options = optionsFor(folder, BINARY);
    symlinkSync(options.binaryPath, folder.file('link'));
    const packed = await packSpore(pool, { ...options, binaryPath: folder.file('link') });
    expect(packed.manifest).toEqual(manifestFor(BINARY, key));
  });

  it.each([
    ['unzip', ['-tqq']],
    ['python3', ['-m', 'zipfile', '-t']],
    ['7z', ['t']],
  ])('is a zip that %s can read', async (program, args) => {
    const path = programOnPath(program);
    if (path === undefined) return; // Not installed here.
    using folder = scratch();
    const packed = await packSpore(pool, optionsFor(folder, mixed(6 * MEBIBYTE)));
    execFileSync(path, [...args, packed.path], { stdio: 'pipe' });
  });
});

describe('the report of a packed spore', () => {
  it('names a key that is not trusted', async () => {
    using folder = scratch();
    const packed = await packSpore(pool, optionsFor(folder, BINARY));
    const report = await examine(folder.file('b'), readFileSync(packed.path), { trusted: [] });
    expect(codesOf(report)).toMatchObject({ signature: 'ok', trust: 'MESH_ERR_SPORE_UNTRUSTED' });
  });
});
