/**
 * Frames of negentropy, protocol version 1: reading and writing.
 *
 *     frame := 0x61 range*
 *     range := bound mode payload          mode 0 skip, 1 fingerprint (16 bytes), 2 list of ids
 *     bound := varint time, varint length, length bytes of an id
 *
 * A varint is base 128, most significant digit first, with as few digits as possible. A time is 0 for
 * infinity, else 1 + the difference to the time before it in the same frame. A list of ids is a varint
 * and as many times 32 bytes. Source: hoytech/negentropy, docs/negentropy-protocol-v1.md.
 */
import { peerError } from '../errors.ts';
import type { CodedError } from '../../../machines/kernel/coded-error.ts';
import type { Bound } from './sealed-set.ts';

/** The first byte of a frame: version 1. */
export const PROTOCOL_VERSION = 0x61;
export const MODE = { skip: 0, fingerprint: 1, ids: 2 } as const;
const ID_BYTES_MAX = 32;
/** Seven digits of seven bits hold 2^49: milliseconds until the year 19,000. */
const VARINT_DIGITS_MAX = 7;

/** What is wrong with a frame. */
export const malformed = (found: string): CodedError =>
  peerError('MESH_ERR_RECONCILE_FRAME', `Reading a frame of reconciliation: ${found}.`);

export function encodeVarint(value: number): Uint8Array {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift((rest % 128) | 0x80);
  return Uint8Array.from(digits);
}

/** Reads one frame; every method throws MESH_ERR_RECONCILE_FRAME. */
export class FrameReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #time = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const version = this.bytes(1)[0] ?? 0;
    if (version !== PROTOCOL_VERSION)
      throw malformed(`its version is 0x${version.toString(16)}, 0x61 is due`);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  bytes(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length)
      throw malformed(`it ends after ${this.#bytes.length} bytes, ${end} are announced`);
    const read = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return read;
  }

  varint(): number {
    let value = 0;
    for (let digits = 1; digits <= VARINT_DIGITS_MAX; digits++) {
      const byte = this.bytes(1)[0] ?? 0;
      if (digits === 1 && byte === 0x80) throw malformed('a number has a leading zero');
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    throw malformed('a number is too large');
  }

  bound(): Bound {
    const encoded = this.varint();
    this.#time = encoded === 0 ? Infinity : this.#time + encoded - 1;
    const length = this.varint();
    if (length > ID_BYTES_MAX) throw malformed(`a bound has ${length} bytes of an id`);
    return { time: this.#time, prefix: this.bytes(length) };
  }
}

/** Collects ranges; knows the time that the next bound counts from. */
export class FrameWriter {
  readonly #parts: Uint8Array[] = [Uint8Array.of(PROTOCOL_VERSION)];
  #time = 0;
  length = 1;

  bound({ time, prefix }: Bound): this {
    const encoded = time === Infinity ? 0 : 1 + time - this.#time;
    this.#time = time;
    return this.varint(encoded).varint(prefix.length).bytes(prefix);
  }

  varint(value: number): this {
    return this.bytes(encodeVarint(value));
  }

  bytes(part: Uint8Array): this {
    this.#parts.push(part);
    this.length += part.length;
    return this;
  }

  /** A place to come back to with `reset`. */
  mark(): FrameMark {
    return { parts: this.#parts.length, length: this.length, time: this.#time };
  }

  reset(mark: FrameMark): void {
    this.#parts.length = mark.parts;
    this.length = mark.length;
    this.#time = mark.time;
  }

  toBytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

/** How far a frame was written at some moment. */
export interface FrameMark {
  readonly parts: number;
  readonly length: number;
  readonly time: number;
}
