/**
 * One open spore. It is opened once and every byte is read from it once: the same bytes are checked,
 * hashed, copied and inflated, so nothing that happens to the file meanwhile can come between what
 * was verified and what is used.
 */
import { createHash } from 'node:crypto';
import { closeSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Digest } from '../../machines/kernel/ids.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import { checkContainer } from './container.ts';
import type { Container, ContainerLimits } from './container.ts';
import { openRegular, tooLarge } from './file-identity.ts';
import { writeFully } from './inflate-sink.ts';
import { TAIL_BYTES } from './layout.ts';

/** Bytes read from the file at a time. */
const READ_BYTES = 512 * 1024;

export interface SporeFileOptions extends ContainerLimits {
  /** Bytes of the whole file; a larger one is not read at all. */
  readonly sporeBytesMax: number;
  /** An open, empty file that receives the bytes as they are read. */
  readonly copyFd?: number;
  /** Bytes of the file read so far. */
  readonly onProgress: (done: number, total: number) => void;
}

export class SporeFile implements Disposable {
  readonly path: string;
  readonly bytes: number;
  readonly #fd: number;
  readonly #options: SporeFileOptions;
  readonly #hash = createHash('sha256');
  #container: Container | undefined;
  /** Where hashing has come to: everything before was read. */
  #position = 0;
  #isOpen = true;

  /** Throws MESH_ERR_SPORE_UNREADABLE or MESH_ERR_SPORE_TOO_LARGE. */
  constructor(path: string, options: SporeFileOptions) {
    const { fd, bytes } = openRegular(path);
    this.path = path;
    this.bytes = bytes;
    this.#fd = fd;
    this.#options = options;
    if (bytes <= options.sporeBytesMax) return;
    closeSync(fd);
    throw tooLarge(path, bytes, options.sporeBytesMax);
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    closeSync(this.#fd);
  }

  /** Checks the container (see `checkContainer`); on failure the file can still be hashed. */
  open(): Container {
    const read = (offset: number, length: number): Buffer => this.#read(offset, length);
    const container = checkContainer(read, this.bytes, this.#options);
    this.#take(container.head);
    this.#container = container;
    return container;
  }

  /**
   * The deflated binary, then the tail: what unzipper asks for after the head. A reader that was left
   * behind gets nothing more: the number of a closed descriptor may be another file's by then.
   */
  async *data(): AsyncGenerator<Buffer, void, undefined> {
    const end = this.#container ? this.bytes - TAIL_BYTES : this.bytes;
    while (this.#isOpen && this.#position < end) {
      const chunk = this.#read(this.#position, Math.min(READ_BYTES, end - this.#position));
      this.#take(chunk);
      this.#options.onProgress(this.#position, this.bytes);
      yield chunk;
    }
    if (this.#isOpen && this.#container && this.#position === end) {
      this.#take(this.#container.tail);
      yield this.#container.tail;
    }
  }

  /** Reads what was not read yet, and gives the SHA-256 of the whole file. Call it once, last. */
  async digest(): Promise<Digest> {
    for await (const _ of this.data());
    return this.#hash.digest('hex') as Digest;
  }

  /**
   * The file as unzipper reads it: head and tail from memory, the data once from the disk. `onError`
   * gets what goes wrong below unzipper, which does not listen for it.
   */
  source(container: Container, onError: (error: Error) => void): ZipSource {
    const { head, tail } = container;
    const tailOffset = this.bytes - TAIL_BYTES;
    return {
      size: () => Promise.resolve(this.bytes),
      stream: (offset) =>
        offset >= tailOffset
          ? Readable.from([tail.subarray(offset - tailOffset)])
          : Readable.from(concat(head.subarray(offset), this.data())).on('error', onError),
    };
  }

  #take(bytes: Buffer): void {
    this.#hash.update(bytes);
    if (this.#options.copyFd !== undefined) writeFully(this.#options.copyFd, bytes);
    this.#position += bytes.length;
  }

  #read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let done = 0; done < length;) {
      const read = this.#readSome(bytes, done, offset);
      if (read === 0)
        throw sporeError('MESH_ERR_SPORE_UNREADABLE', `Reading ${this.path}: it became shorter.`);
      done += read;
    }
    return bytes;
  }

  #readSome(bytes: Buffer, done: number, offset: number): number {
    try {
      return readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
    } catch (cause) {
      throw sporeError('MESH_ERR_SPORE_UNREADABLE', `Reading ${this.path} failed.`, { cause });
    }
  }
}

/** What `unzipper.Open.custom` takes. */
export interface ZipSource {
  size(): Promise<number>;
  stream(offset: number, length?: number): Readable;
}

async function* concat(
  first: Buffer,
  rest: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* rest;
}
