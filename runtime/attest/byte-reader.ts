import { attestError } from '../../machines/coordinator/attest-errors.ts';

/**
 * Reads fixed layouts front to back. Every read is bounded by what is there; whatever does not fit
 * is MESH_ERR_ATTEST_MALFORMED, with the offset. Numbers are little-endian, as AMD and Intel write.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get offset(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** A view, not a copy. */
  take(count: number): Buffer {
    if (count > this.left) this.fail(`${count} bytes are due and ${this.left} are left`);
    const from = this.#at;
    this.#at += count;
    return this.#bytes.subarray(from, this.#at);
  }

  hex(count: number): string {
    return this.take(count).toString('hex');
  }

  u8(): number {
    return this.take(1).readUInt8();
  }

  u16(): number {
    return this.take(2).readUInt16LE();
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  /** Sixteen digits, most significant first. */
  u64Hex(): string {
    return this.take(8).readBigUInt64LE().toString(16).padStart(16, '0');
  }

  /** Bytes that the layout reserves and that must be zero. */
  zeros(count: number): void {
    const from = this.#at;
    if (this.take(count).some((byte) => byte !== 0))
      this.fail(`reserved bytes at offset ${from} are not zero`);
  }

  fail(found: string): never {
    throw attestError(
      'MESH_ERR_ATTEST_MALFORMED',
      `Reading ${this.#what} at offset ${this.#at}: ${found}.`,
    );
  }
}
