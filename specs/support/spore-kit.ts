/** What the specs of spores share: keys, manifests, and a zip writer that can write anything. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { crc32, deflateRawSync } from 'node:zlib';
import nacl from 'tweetnacl';
import type { WorkerPool } from '../../actors/pool/ports.ts';
import type { SporeReport } from '../../actors/workload/ports/spore.ts';
import type {
  SporeManifest,
  SporeManifestSource,
} from '../../machines/workload/manifest.schema.ts';
import { parseManifestSource } from '../../machines/workload/manifest.schema.ts';
import type { TrustEntry } from '../../machines/workload/spore-rules.ts';
import { canonicalJson } from '../../runtime/spore/canonical-json.ts';
import { keyId, signManifest } from '../../runtime/spore/signing.ts';
import type { KeyFile } from '../../runtime/spore/signing.ts';
import { run } from '../../runtime/workers/spore-verify.worker.ts';
import type { VerifyPayload, VerifyResult } from '../../runtime/workers/spore-verify.worker.ts';

/** A key pair from a seed of one repeated byte. */
export function keyOf(seed: number, name = `key-${seed}`): KeyFile {
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(seed));
  return { name, id: keyId(publicKey), publicKey, secretKey };
}

/** The trust entry of a key. */
export function trusting(key: KeyFile, app?: string): TrustEntry {
  const publicKey = Buffer.from(key.publicKey).toString('hex');
  return { id: key.id, publicKey, name: key.name, ...(app === undefined ? {} : { app }) };
}

export const CREATED_AT = '2026-01-01T00:00:00Z';

/** Compressible, and different in every place. */
export const BINARY = Buffer.from(
  Array.from({ length: 40 }, (_, line) => `echo line ${line * line}`).join('\n'),
);

/** The smallest manifest that a user can write. */
export const SOURCE: SporeManifestSource = { name: 'hello', version: '1.0.0' };

/** A manifest for `binary`, signed with `key`. */
export function manifestFor(
  binary: Uint8Array,
  key: KeyFile,
  source: SporeManifestSource = SOURCE,
): SporeManifest {
  const integrity = {
    binary_sha256: createHash('sha256').update(binary).digest('hex'),
    binary_size: binary.length,
    created_at: CREATED_AT,
    public_key: Buffer.from(key.publicKey).toString('base64'),
  };
  return signManifest({ ...parseManifestSource(source), integrity }, key);
}

/** One header of an entry; what is left out is what a spore has. */
export interface HeaderFields {
  signature?: number;
  madeBy?: number;
  version?: number;
  flags?: number;
  method?: number;
  time?: number;
  crc?: number;
  packedSize?: number;
  size?: number;
  name?: string;
  extra?: Buffer;
  comment?: string;
  disk?: number;
  internal?: number;
  external?: number;
  offset?: number;
}

export interface EntryDraft {
  name: string;
  data: Buffer;
  method: number;
  mode: number;
  /** The bytes as they lie in the file; default `data`, deflated if the method says so. */
  packed?: Buffer;
  local?: HeaderFields;
  central?: HeaderFields;
  /** Bytes between this entry's data and what follows. */
  after?: Buffer;
}

export interface ZipDraft {
  entries: EntryDraft[];
  prefix?: Buffer;
  suffix?: Buffer;
  comment?: string;
  /** Bytes between the central directory and the end record. */
  beforeEnd?: Buffer;
  end?: { disk?: number; entries?: number; directorySize?: number; directoryOffset?: number };
}

/** A zip as a spore is, before anybody spoils it. */
export function draftOf(manifest: unknown, binary: Buffer = BINARY): ZipDraft {
  const text = typeof manifest === 'string' ? manifest : canonicalJson(manifest);
  return {
    entries: [
      { name: 'manifest.json', data: Buffer.from(text), method: 0, mode: 0o100644 },
      { name: 'binary', data: binary, method: 8, mode: 0o100755 },
    ],
  };
}

/** Writes a zip with no help from any library, so that every field can be wrong. */
export function zipOf(draft: ZipDraft): Buffer {
  const parts: Buffer[] = [draft.prefix ?? Buffer.alloc(0)];
  const central: Buffer[] = [];
  const offsetNow = (): number => parts.reduce((sum, part) => sum + part.length, 0);
  for (const entry of draft.entries) {
    const packed = entry.packed ?? (entry.method === 8 ? deflateRawSync(entry.data) : entry.data);
    const fields = fieldsOf(entry, packed, offsetNow());
    parts.push(localHeader({ ...fields, ...entry.local }), packed);
    if (entry.after) parts.push(entry.after);
    central.push(centralHeader({ ...fields, ...entry.central }));
  }
  const directoryOffset = offsetNow();
  const directory = Buffer.concat(central);
  parts.push(directory, draft.beforeEnd ?? Buffer.alloc(0));
  parts.push(endRecord(draft, directory.length, directoryOffset));
  return Buffer.concat([...parts, draft.suffix ?? Buffer.alloc(0)]);
}

function fieldsOf(entry: EntryDraft, packed: Buffer, offset: number): Required<HeaderFields> {
  return {
    signature: 0,
    madeBy: (3 << 8) | 45,
    version: entry.method === 8 ? 20 : 10,
    flags: 0,
    method: entry.method,
    time: 0x0021_0000,
    crc: crc32(entry.data),
    packedSize: packed.length,
    size: entry.data.length,
    name: entry.name,
    extra: Buffer.alloc(0),
    comment: '',
    disk: 0,
    internal: 0,
    external: ((entry.mode << 16) | 0x20) >>> 0,
    offset,
  };
}

type Number16or32 = readonly [bytes: 2 | 4, value: number];

function littleEndian(numbers: readonly Number16or32[]): Buffer {
  const out = Buffer.alloc(numbers.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of numbers) at = out.writeUIntLE(value, at, bytes);
  return out;
}

const shared = (fields: Required<HeaderFields>): Number16or32[] => [
  [2, fields.version],
  [2, fields.flags],
  [2, fields.method],
  [4, fields.time],
  [4, fields.crc],
  [4, fields.packedSize],
  [4, fields.size],
  [2, Buffer.byteLength(fields.name)],
  [2, fields.extra.length],
];

function localHeader(fields: Required<HeaderFields>): Buffer {
  const numbers = littleEndian([[4, fields.signature || 0x0403_4b50], ...shared(fields)]);
  return Buffer.concat([numbers, Buffer.from(fields.name), fields.extra]);
}

function centralHeader(fields: Required<HeaderFields>): Buffer {
  const numbers = littleEndian([
    [4, fields.signature || 0x0201_4b50],
    [2, fields.madeBy],
    ...shared(fields),
    [2, Buffer.byteLength(fields.comment)],
    [2, fields.disk],
    [2, fields.internal],
    [4, fields.external],
    [4, fields.offset],
  ]);
  const { name, extra, comment } = fields;
  return Buffer.concat([numbers, Buffer.from(name), extra, Buffer.from(comment)]);
}

function endRecord(draft: ZipDraft, directorySize: number, directoryOffset: number): Buffer {
  const { end = {}, comment = '' } = draft;
  const entries = end.entries ?? draft.entries.length;
  const numbers = littleEndian([
    [4, 0x0605_4b50],
    [2, end.disk ?? 0],
    [2, end.disk ?? 0],
    [2, entries],
    [2, entries],
    [4, end.directorySize ?? directorySize],
    [4, end.directoryOffset ?? directoryOffset],
    [2, Buffer.byteLength(comment)],
  ]);
  return Buffer.concat([numbers, Buffer.from(comment)]);
}

export type Questions = Partial<Omit<VerifyPayload, 'path'>>;

/** Writes the bytes to `path` and asks the worker's own function about them, in this thread. */
export async function examine(
  path: string,
  bytes: Uint8Array,
  questions: Questions = {},
): Promise<VerifyResult> {
  writeFileSync(path, bytes);
  return run(
    {
      path,
      policy: {},
      isStrict: false,
      sporeBytesMax: 64 * 1024 * 1024,
      binaryBytesMax: 64 * 1024 * 1024,
      ...questions,
    },
    () => undefined,
  );
}

/** The codes of the five checks: `ok` where one passed. */
export const codesOf = (report: SporeReport): Record<string, string> =>
  Object.fromEntries(report.checks.map(({ name, ok, code }) => [name, ok ? 'ok' : (code ?? '')]));

/** A pool that does some things in another way. */
export const poolWith = (pool: WorkerPool, change: Partial<WorkerPool>): WorkerPool => ({
  run: (...given) => pool.run(...given),
  hashFile: (...given) => pool.hashFile(...given),
  verifySignatures: (...given) => pool.verifySignatures(...given),
  stats: () => pool.stats(),
  close: () => pool.close(),
  ...change,
});
