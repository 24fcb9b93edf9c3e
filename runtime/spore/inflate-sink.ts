import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { sporeError } from '../../machines/workload/spore-errors.ts';

/** What came out of an entry, measured here: zip libraries check none of it. */
export interface SinkFacts {
  readonly bytes: number;
  readonly crc: number;
  readonly sha256: string;
}

/** Bytes that may wait while a chunk is hashed and written; the next one is inflated meanwhile. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Counts, sums and hashes what it is given, and writes it to `fd` if there is one. One byte more than
 * `bytesMax` ends it with MESH_ERR_SPORE_DATA: an entry never becomes larger than it said.
 */
export class InflateSink extends Writable {
  readonly #bytesMax: number;
  readonly #fd: number | undefined;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #crc = 0;

  constructor(bytesMax: number, fd?: number) {
    super({ highWaterMark: WAITING_BYTES_MAX });
    this.#bytesMax = bytesMax;
    this.#fd = fd;
  }

  /** Complete after `finish`; call it once. */
  facts(): SinkFacts {
    return { bytes: this.#bytes, crc: this.#crc, sha256: this.#hash.digest('hex') };
  }

  /** Defers its work, so that zlib's thread gets the next chunk before this thread is busy. */
  override _write(chunk: Buffer, _: string, callback: (error?: Error | null) => void): void {
    setImmediate(() => {
      try {
        this.#take(chunk);
        callback();
      } catch (error) {
        callback(error as Error);
      }
    });
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax)
      throw sporeError(
        'MESH_ERR_SPORE_DATA',
        `Inflating the binary of a spore: it is longer than the declared ${this.#bytesMax} bytes.`,
      );
    this.#crc = crc32(chunk, this.#crc);
    this.#hash.update(chunk);
    if (this.#fd !== undefined) writeFully(this.#fd, chunk);
  }
}

/** Writes all of `bytes` at the file's position. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}
