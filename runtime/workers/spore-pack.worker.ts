/**
 * Two tasks of packing: the digest of the whole binary, and the deflated form of one segment of it.
 * Each opens the file itself; the identity that comes with the payload makes sure that all of them
 * see the same state of the same file.
 */
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import { openRegular } from '../spore/file-identity.ts';
import type { FileIdentity } from '../spore/file-identity.ts';
import type { Progress } from './task.worker.ts';

/** Bytes that are deflated on their own. Part of what makes packing reproducible: never change it. */
export const BLOCK_BYTES = 1024 * 1024;

/** How far back deflate may refer (RFC 1951 §2); each block starts with this much of the last one. */
const WINDOW_BYTES = 32 * 1024;

interface Input {
  readonly path: string;
  readonly identity: FileIdentity;
}

export interface DigestPayload extends Input {
  readonly task: 'digest';
}

export interface DeflatePayload extends Input {
  readonly task: 'deflate';
  /** Where the segment begins: a multiple of BLOCK_BYTES. */
  readonly offset: number;
  /** Bytes of the segment: a multiple of BLOCK_BYTES unless it is the last one. */
  readonly length: number;
  /** The deflate stream ends with this segment. */
  readonly isLast: boolean;
  /** zlib's, 1 to 6. */
  readonly level: number;
  /** Receives the deflated bytes; shared, so that nothing is copied between threads. */
  readonly out: SharedArrayBuffer;
}

export interface DigestResult {
  readonly sha256: string;
  readonly crc: number;
  readonly bytes: number;
}

export interface DeflateResult {
  /** Bytes written to `out`. */
  readonly deflatedBytes: number;
  /** CRC-32 of the segment before deflating. */
  readonly crc: number;
}

/**
 * Bytes that `length` bytes may have at most when deflated block by block. Source: zlib 1.3,
 * deflateBound, the bound for any settings (data that does not compress grows by about 0.1 %).
 */
export const deflatedBytesMax = (length: number): number =>
  length + (length >> 3) + (length >> 8) + (length >> 9) + 64 * Math.ceil(length / BLOCK_BYTES);

/** Throws MESH_ERR_SPORE_UNREADABLE or MESH_ERR_SPORE_INPUT_CHANGED. */
export function run(payload: DigestPayload, progress: Progress): DigestResult;
export function run(payload: DeflatePayload, progress: Progress): DeflateResult;
export function run(
  payload: DigestPayload | DeflatePayload,
  progress: Progress,
): DigestResult | DeflateResult {
  const { fd, identity, bytes } = openRegular(payload.path, { followLink: true });
  try {
    if (identity !== payload.identity) throw changed(payload.path);
    return payload.task === 'digest'
      ? digest(fd, bytes, payload.path, progress)
      : deflate(fd, payload);
  } finally {
    closeSync(fd);
  }
}

function digest(fd: number, total: number, path: string, progress: Progress): DigestResult {
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  const hash = createHash('sha256');
  let crc = 0;
  for (let done = 0; done < total;) {
    const part = buffer.subarray(0, Math.min(BLOCK_BYTES, total - done));
    readExactly(fd, part, done, path);
    hash.update(part);
    crc = crc32(part, crc);
    done += part.length;
    progress(done, total);
  }
  return { sha256: hash.digest('hex'), crc, bytes: total };
}

/**
 * Deflates block by block. A block begins with the window that the one before it left, and ends on a
 * byte boundary, so the blocks of any segments in a row are one deflate stream.
 */
function deflate(fd: number, payload: DeflatePayload): DeflateResult {
  const { path, offset, length, isLast, level } = payload;
  const window = Math.min(offset, WINDOW_BYTES);
  const input = Buffer.allocUnsafeSlow(window + length);
  readExactly(fd, input, offset - window, path);
  const out = Buffer.from(payload.out);
  let deflatedBytes = 0;
  for (let start = window; start < input.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, input.length);
    const finishFlush =
      isLast && end === input.length ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    const dictionary = input.subarray(Math.max(0, start - WINDOW_BYTES), start);
    const block = deflateRawSync(input.subarray(start, end), {
      level,
      memLevel: 9,
      chunkSize: BLOCK_BYTES + 1024,
      finishFlush,
      ...(dictionary.length > 0 ? { dictionary } : {}),
    });
    // Throws a RangeError where `copy` would silently write less.
    out.set(block, deflatedBytes);
    deflatedBytes += block.length;
  }
  return { deflatedBytes, crc: crc32(input.subarray(window)) };
}

function readExactly(fd: number, into: Buffer, offset: number, path: string): void {
  for (let done = 0; done < into.length;) {
    const read = readSync(fd, into, done, into.length - done, offset + done);
    if (read === 0) throw changed(path);
    done += read;
  }
}

const changed = (path: string) =>
  sporeError('MESH_ERR_SPORE_INPUT_CHANGED', `Packing ${path}: it changed while it was packed.`);
