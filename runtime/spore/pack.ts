import { closeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { WorkerPool } from '../../actors/pool/ports.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import {
  BINARY_BYTES_FORMAT_MAX,
  MANIFEST_BYTES_MAX,
  parseManifestSource,
  parseSporeManifest,
} from '../../machines/workload/manifest.schema.ts';
import type { SporeManifest } from '../../machines/workload/manifest.schema.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import { parseStrictJsonBytes } from '../../machines/workload/strict-json.ts';
import { canonicalJsonBytes } from './canonical-json.ts';
import { writeContainer } from './container-writer.ts';
import { DeflateStream, digestTask } from './deflate-file.ts';
import type { DeflateInput } from './deflate-file.ts';
import { writeAtomically } from './durable.ts';
import { openRegular, readSmallFile, tooLarge } from './file-identity.ts';
import { signManifest } from './signing.ts';
import type { KeyFile } from './signing.ts';

/** zlib level. 1 is as fast as pigz -1; the next ones cost more time than they save in bytes. */
const LEVEL = 1;

interface PackBase {
  readonly binaryPath: string;
  readonly key: KeyFile;
  /** Replaced if it exists. */
  readonly outPath: string;
  /** RFC 3339 in whole UTC seconds; part of the signed manifest. */
  readonly createdAt: string;
  /** Bytes of the binary that may be packed; default and at most what a zip header can say. */
  readonly binaryBytesMax?: number;
  /** Segments deflated at a time; default one more than there are cores. Never changes the result. */
  readonly parallel?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** `manifest` is what a user writes, parsed; `manifestPath` names a file of it in strict JSON. */
export type PackOptions = PackBase &
  ({ readonly manifest: unknown } | { readonly manifestPath: string });

export interface PackedSpore {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly manifest: SporeManifest;
}

/**
 * Packs and signs a binary. The spore appears at `outPath` whole or not at all. The same binary,
 * manifest, key and `createdAt` give the same bytes, with the same build of Node on the same kind of
 * processor: zlib may find other matches elsewhere, which inflate to the same. Rejects with
 * MESH_ERR_SPORE_JSON, _MANIFEST, _UNREADABLE, _TOO_LARGE, _INPUT_CHANGED, _NO_SPACE, _WRITE, or an
 * error of the pool.
 */
export async function packSpore(pool: WorkerPool, options: PackOptions): Promise<PackedSpore> {
  const build = manifestBuilder(options);
  const { binaryPath } = options;
  const { fd, bytes, identity } = openRegular(binaryPath, { followLink: true });
  closeSync(fd);
  checkSize(binaryPath, bytes, options.binaryBytesMax ?? BINARY_BYTES_FORMAT_MAX);
  // A manifest that cannot be built is refused before any work.
  build('0'.repeat(64), bytes);

  const input = { path: binaryPath, identity };
  const signal = options.signal ? { signal: options.signal } : {};
  return writeAtomically(options.outPath, async (out, temp) => {
    const deflated = new DeflateStream(pool, {
      ...deflateStreamOptions({ ...input, bytes }, options.parallel),
      ...signal,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    });
    deflated.start();
    try {
      const { sha256, crc } = await pool.run(digestTask, { task: 'digest', ...input }, signal);
      const { manifest, manifestBytes } = build(sha256, bytes);
      await writeContainer(out, manifestBytes, deflated);
      if (deflated.facts.crc !== crc)
        throw sporeError('MESH_ERR_SPORE_INPUT_CHANGED', `Packing ${binaryPath}: it changed.`);
      const hash = await pool.hashFile(temp, signal);
      return { path: options.outPath, digest: hash.digest, bytes: hash.bytes, manifest };
    } finally {
      await deflated.settled();
    }
  });
}

/** How a binary is deflated when it is packed. */
export function deflateStreamOptions(
  file: Pick<DeflateInput, 'path' | 'identity' | 'bytes'>,
  segmentsInFlight = availableParallelism() + 1,
): DeflateInput {
  return { ...file, level: LEVEL, segmentsInFlight };
}

type BuildManifest = (
  sha256: string,
  bytes: number,
) => { readonly manifest: SporeManifest; readonly manifestBytes: Buffer };

function manifestBuilder(options: PackOptions): BuildManifest {
  const { key, createdAt } = options;
  const source = parseManifestSource(
    'manifest' in options
      ? options.manifest
      : parseStrictJsonBytes(readSmallFile(options.manifestPath, MANIFEST_BYTES_MAX)),
  );
  return (sha256, bytes) => {
    const integrity = {
      binary_sha256: sha256,
      binary_size: bytes,
      created_at: createdAt,
      public_key: Buffer.from(key.publicKey).toString('base64'),
    };
    const manifest = parseSporeManifest(signManifest({ ...source, integrity }, key));
    const manifestBytes = Buffer.from(canonicalJsonBytes(manifest));
    if (manifestBytes.length > MANIFEST_BYTES_MAX)
      throw tooLarge('the manifest', manifestBytes.length, MANIFEST_BYTES_MAX);
    return { manifest, manifestBytes };
  };
}

function checkSize(path: string, bytes: number, limit: number): void {
  if (bytes === 0) throw sporeError('MESH_ERR_SPORE_UNREADABLE', `Packing ${path}: it is empty.`);
  if (bytes > limit) throw tooLarge(path, bytes, limit);
}
