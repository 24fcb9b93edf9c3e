import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../support/scratch.ts';
import {
  BINARY,
  codesOf,
  draftOf,
  examine,
  keyOf,
  manifestFor,
  trusting,
  zipOf,
} from '../../support/spore-kit.ts';
import type { ZipDraft } from '../../support/spore-kit.ts';

const VECTORS = new URL('../../../../shared/vectors/zip/yauzl-failure/', import.meta.url);
const isHere = existsSync(VECTORS);

const key = keyOf(1);
const manifest = manifestFor(BINARY, key);
const trusted = [trusting(key)];

async function codeOfDraft(spoil: (draft: ZipDraft) => void): Promise<string> {
  using folder = scratch();
  const draft = draftOf(manifest);
  spoil(draft);
  const report = await examine(folder.file('a.spore'), zipOf(draft), { trusted });
  expect(report.ok).toBe(report.checks.every(({ ok }) => ok));
  return codesOf(report)['format'] ?? '';
}

const entry = (draft: ZipDraft, index: 0 | 1) => draft.entries[index]!;
const EXTRA = Buffer.from('feca0000', 'hex');
const DESCRIPTOR = Buffer.alloc(16);

describe('checkContainer', () => {
  it('accepts what another writer of the same layout made', async () => {
    expect(await codeOfDraft(() => undefined)).toBe('ok');
  });

  it.each<[string, (draft: ZipDraft) => void]>([
    ['a prefix', (draft) => (draft.prefix = Buffer.from('#!/bin/sh\n'))],
    ['a suffix', (draft) => (draft.suffix = Buffer.from('x'))],
    ['a zip comment', (draft) => (draft.comment = 'hello')],
    ['a gap after an entry', (draft) => (entry(draft, 0).after = Buffer.from('gap'))],
    ['a gap before the directory', (draft) => (entry(draft, 1).after = Buffer.from('gap'))],
    ['a gap before the end record', (draft) => (draft.beforeEnd = Buffer.from('gap'))],
    ['a third entry', (draft) => draft.entries.push({ ...entry(draft, 1), name: 'extra!' })],
    ['a duplicate entry', (draft) => draft.entries.push({ ...entry(draft, 1) })],
    ['a duplicate in place of the manifest', (draft) => (draft.entries[0] = entry(draft, 1))],
    ['one entry', (draft) => draft.entries.pop()],
    ['no entry', (draft) => (draft.entries = [])],
    ['the other order', (draft) => (draft.entries = draft.entries.toReversed())],
    ['a symbolic link', (draft) => (entry(draft, 1).mode = 0o120755)],
    ['a folder', (draft) => (entry(draft, 1).mode = 0o040755)],
    ['a device', (draft) => (entry(draft, 1).mode = 0o020755)],
    ['a set-uid mode', (draft) => (entry(draft, 1).mode = 0o104755)],
    ['another mode', (draft) => (entry(draft, 1).mode = 0o100777)],
    ['a path', (draft) => (entry(draft, 1).name = '../bin')],
    ['an absolute path', (draft) => (entry(draft, 1).name = '/binar')],
    ['another name of the same length', (draft) => (entry(draft, 1).name = 'Binary')],
    ['NUL in a name', (draft) => (entry(draft, 1).name = 'binar\0')],
    ['names that differ', (draft) => (entry(draft, 1).local = { name: 'binarx' })],
    ['sizes that differ', (draft) => (entry(draft, 1).local = { size: BINARY.length + 1 })],
    ['CRCs that differ', (draft) => (entry(draft, 1).local = { crc: 1 })],
    ['methods that differ', (draft) => (entry(draft, 1).local = { method: 0 })],
    ['a local extra field', (draft) => (entry(draft, 1).local = { extra: EXTRA })],
    ['a central extra field', (draft) => (entry(draft, 0).central = { extra: EXTRA })],
    ['an entry comment', (draft) => (entry(draft, 1).central = { comment: 'x' })],
    ['a data descriptor', withDescriptor],
    ['the flag of a data descriptor alone', (draft) => setFlags(draft, 0x0008)],
    ['encryption', (draft) => setFlags(draft, 0x0001)],
    ['strong encryption', (draft) => setFlags(draft, 0x0041)],
    ['UTF-8 names', (draft) => setFlags(draft, 0x0800)],
    ['masked headers', (draft) => setFlags(draft, 0x2000)],
    ['a stored binary', (draft) => (entry(draft, 1).method = 0)],
    ['a deflated manifest', (draft) => (entry(draft, 0).method = 8)],
    ['bzip2', (draft) => (entry(draft, 1).method = 12)],
    ['zstd', (draft) => (entry(draft, 1).method = 93)],
    ['another time', (draft) => (entry(draft, 1).central = { time: 0x5c21_0000 })],
    ['another maker', (draft) => (entry(draft, 1).central = { madeBy: 20 })],
    ['another version', (draft) => (entry(draft, 1).central = { version: 45 })],
    ['another disk', (draft) => (entry(draft, 1).central = { disk: 1 })],
    ['a text flag', (draft) => (entry(draft, 0).central = { internal: 1 })],
    ['overlapping entries', (draft) => (entry(draft, 1).central = { offset: 0 })],
    ['an offset behind the file', (draft) => (entry(draft, 1).central = { offset: 1 << 30 })],
    ['a size that says ZIP64', (draft) => (entry(draft, 1).central = { packedSize: 0xffff_ffff })],
    ['other disks in the end record', (draft) => (draft.end = { disk: 1 })],
    ['another count of entries', (draft) => (draft.end = { entries: 1 })],
    ['ZIP64 in the end record', (draft) => (draft.end = { entries: 0xffff })],
    ['another directory size', (draft) => (draft.end = { directorySize: 46 })],
    ['another directory offset', (draft) => (draft.end = { directoryOffset: 0 })],
    ['a broken local signature', (draft) => (entry(draft, 0).local = { signature: 0x0403_4b51 })],
    ['a manifest with another CRC', manifestWithAnotherCrc],
    ['an empty manifest', (draft) => (entry(draft, 0).data = Buffer.alloc(0))],
  ])('refuses %s', async (_, spoil) => {
    expect(await codeOfDraft(spoil)).toBe('MESH_ERR_SPORE_CONTAINER');
  });

  it.each<[string, (draft: ZipDraft) => void]>([
    ['damaged data', (draft) => (entry(draft, 1).packed = Buffer.from('no deflate'))],
    ['data that ends early', (draft) => (entry(draft, 1).packed = deflated().subarray(0, -4))],
    ['bytes behind the data', (draft) => (entry(draft, 1).packed = deflated('tail'))],
    ['another CRC', (draft) => Object.assign(entry(draft, 1), both({ crc: 1 }))],
    ['less than declared', (draft) => Object.assign(entry(draft, 1), bigger(1))],
    ['more than declared', (draft) => Object.assign(entry(draft, 1), bigger(-1))],
    ['a bomb', (draft) => (entry(draft, 1).packed = deflateRawSync(Buffer.alloc(2 ** 24)))],
  ])('refuses %s once it inflates', async (_, spoil) => {
    const code = await codeOfDraft((draft) => {
      const binary = draft.entries[1]!;
      spoil(draft);
      // The signed size agrees with the headers, so that only inflating can tell.
      const size = binary.central?.size ?? BINARY.length;
      const integrity = { ...manifest.integrity, binary_size: size };
      draft.entries[0]!.data = Buffer.from(JSON.stringify({ ...manifest, integrity }));
    });
    expect(code).toBe('MESH_ERR_SPORE_DATA');
  });

  it('refuses a binary over the limit before it inflates', async () => {
    using folder = scratch();
    const limits = { trusted, binaryBytesMax: BINARY.length - 1 };
    const report = await examine(folder.file('a'), zipOf(draftOf(manifest)), limits);
    expect(codesOf(report)['format']).toBe('MESH_ERR_SPORE_TOO_LARGE');
  });

  it('refuses a manifest over 64 KiB', async () => {
    const text = `${' '.repeat(64 * 1024)}${JSON.stringify(manifest)}`;
    const code = await codeOfDraft((draft) => (entry(draft, 0).data = Buffer.from(text)));
    expect(code).toBe('MESH_ERR_SPORE_TOO_LARGE');
  });

  it('does not read a file over the limit at all', async () => {
    using folder = scratch();
    await expect(
      examine(folder.file('a'), zipOf(draftOf(manifest)), { sporeBytesMax: 100 }),
    ).rejects.toMatchObject({ code: 'MESH_ERR_SPORE_TOO_LARGE' });
  });

  it('refuses every truncation and every byte too many', async () => {
    using folder = scratch();
    const whole = zipOf(draftOf(manifest));
    for (let length = 0; length < whole.length; length++) {
      const report = await examine(folder.file('a'), whole.subarray(0, length), { trusted });
      expect(codesOf(report)['format'], `${length} bytes`).toBe('MESH_ERR_SPORE_CONTAINER');
    }
    const longer = Buffer.concat([whole, Buffer.of(0)]);
    expect(codesOf(await examine(folder.file('a'), longer))['format']).toMatch(/CONTAINER/);
  });

  describe.skipIf(!isHere)('with a corpus of broken zips', () => {
    const names = isHere ? readdirSync(VECTORS).filter((name) => name !== 'LICENSE') : [];

    it('has all 24 of them', () => {
      expect(names.filter((name) => name.endsWith('.zip'))).toHaveLength(24);
    });

    it.each(names)('refuses: %s', async (name) => {
      using folder = scratch();
      const bytes = readFileSync(new URL(encodeURIComponent(name), VECTORS));
      const report = await examine(folder.file('a.spore'), bytes, { trusted });
      expect(codesOf(report)).toMatchObject({
        format: 'MESH_ERR_SPORE_CONTAINER',
        signature: 'MESH_ERR_SPORE_UNCHECKED',
      });
    });
  });
});

function setFlags(draft: ZipDraft, flags: number): void {
  Object.assign(entry(draft, 1), both({ flags }));
}

function both(fields: object): object {
  return { local: { ...fields }, central: { ...fields } };
}

function bigger(by: number): object {
  return both({ size: BINARY.length + by });
}

function deflated(behind = ''): Buffer {
  return Buffer.concat([deflateRawSync(BINARY), Buffer.from(behind)]);
}

function withDescriptor(draft: ZipDraft): void {
  const binary = entry(draft, 1);
  binary.local = { flags: 8, crc: 0, size: 0, packedSize: 0 };
  binary.central = { flags: 8 };
  binary.after = DESCRIPTOR;
}

function manifestWithAnotherCrc(draft: ZipDraft): void {
  Object.assign(entry(draft, 0), both({ crc: 1 }));
}
