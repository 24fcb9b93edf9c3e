import type { WorkerPool, WorkerTask } from '../../actors/pool/ports.ts';
import type { FileIdentity } from './file-identity.ts';
import { combineCrc32 } from './crc32-combine.ts';
import { BLOCK_BYTES, deflatedBytesMax } from '../workers/spore-pack.worker.ts';
import { workerModule } from '../workers/worker-module.ts';
import type {
  DeflatePayload,
  DeflateResult,
  DigestPayload,
  DigestResult,
} from '../workers/spore-pack.worker.ts';

const MODULE = workerModule('../workers/spore-pack', import.meta.url);

/** SHA-256 and CRC-32 of a file whose identity is known. */
export const digestTask: WorkerTask<DigestPayload, DigestResult> = {
  name: 'spore-digest',
  module: MODULE,
  idempotent: true,
};

/** One segment, deflated into shared memory. */
export const deflateTask: WorkerTask<DeflatePayload, DeflateResult> = {
  name: 'spore-deflate',
  module: MODULE,
  idempotent: true,
};

/** Blocks of a segment: a task's overhead (0.1 ms) is then below 1 % of its work (about 45 ms). */
const SEGMENT_BYTES = 4 * BLOCK_BYTES;

export interface DeflateInput {
  readonly path: string;
  readonly identity: FileIdentity;
  readonly bytes: number;
  /** zlib's, 1 to 6. */
  readonly level: number;
  /** Segments under way or waiting to be written; bounds memory to as many times 4 MiB. */
  readonly segmentsInFlight: number;
  readonly signal?: AbortSignal;
  /** Bytes deflated so far. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DeflatedFile {
  /** Of the file, before deflating. */
  readonly crc: number;
  /** Of the file, before deflating. */
  readonly bytes: number;
  readonly deflatedBytes: number;
}

/**
 * A file's deflate stream, made on the pool's workers and read here in order. The bytes do not depend
 * on how many workers there are: `segmentsInFlight: 1` gives the same.
 */
export class DeflateStream {
  readonly #pool: WorkerPool;
  readonly #input: DeflateInput;
  readonly #queue: Promise<Buffer>[] = [];
  readonly #free: SharedArrayBuffer[] = [];
  readonly #unsummed = new Map<number, { readonly length: number; readonly crc: number }>();
  #next = 0;
  #summed = 0;
  #crc = 0;
  #deflatedBytes = 0;
  #done = 0;

  constructor(pool: WorkerPool, input: DeflateInput) {
    this.#pool = pool;
    this.#input = input;
  }

  /** The sums, complete when `chunks` has ended. */
  get facts(): DeflatedFile {
    return { crc: this.#crc, deflatedBytes: this.#deflatedBytes, bytes: this.#input.bytes };
  }

  /** Sets as many segments in motion as may be. */
  start(): void {
    while (this.#next < this.#input.bytes && this.#queue.length < this.#input.segmentsInFlight) {
      const segment = this.#segment(this.#next);
      // A failure is met where the segment is due; until then nobody looks at the promise.
      segment.catch(() => undefined);
      this.#queue.push(segment);
      this.#next += SEGMENT_BYTES;
    }
  }

  /** Chunks in file order, once; each is to be given to `release` when it is not needed any more. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    this.start();
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      const chunk = await next;
      this.start();
      yield chunk;
    }
  }

  /** Gives a chunk's memory back. */
  release(chunk: Buffer): void {
    if (chunk.buffer instanceof SharedArrayBuffer) this.#free.push(chunk.buffer);
  }

  /** Resolves when no segment is under way, whether or not all were read. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#queue);
  }

  async #segment(offset: number): Promise<Buffer> {
    const { path, identity, bytes, level, signal } = this.#input;
    const length = Math.min(SEGMENT_BYTES, bytes - offset);
    const out = this.#free.pop() ?? new SharedArrayBuffer(deflatedBytesMax(SEGMENT_BYTES));
    const isLast = offset + length === bytes;
    const result = await this.#pool.run(
      deflateTask,
      { task: 'deflate', path, identity, offset, length, isLast, level, out },
      signal ? { signal } : {},
    );
    this.#count(offset, length, result);
    return Buffer.from(out, 0, result.deflatedBytes);
  }

  /** Segments end in any order, but a CRC is summed in the order of the file. */
  #count(offset: number, length: number, result: DeflateResult): void {
    this.#deflatedBytes += result.deflatedBytes;
    this.#done += length;
    this.#unsummed.set(offset, { length, crc: result.crc });
    for (;;) {
      const part = this.#unsummed.get(this.#summed);
      if (!part) break;
      this.#unsummed.delete(this.#summed);
      this.#summed += part.length;
      this.#crc = combineCrc32(this.#crc, part.crc, part.length);
    }
    this.#input.onProgress?.(this.#done, this.#input.bytes);
  }
}
