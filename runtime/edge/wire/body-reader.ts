import { DONE, FAILED, FIELD_START, TABLE } from './head-table.ts';
import {
  CHUNK_DATA,
  CHUNK_DATA_CR,
  CHUNK_EXTENSION,
  CHUNK_SIZE,
  CHUNK_SIZE_FIRST,
  CHUNK_TABLE,
  hexValue,
} from './chunk-table.ts';

/** How the end of a body is told (RFC 9112 §6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'untilClose';

/** Takes the parts of a read that are forwarded; they are valid until the call returns. */
export interface SpanSink {
  span(bytes: Buffer, start: number, end: number): void;
}

/** Hex digits of a chunk size: 2^48 bytes are enough, and no recipient overflows on them. */
const SIZE_DIGITS_MAX = 12;
/** Bytes of all chunk extensions of one body; they are dropped, so nobody needs more. */
const EXTENSION_BYTES_MAX = 16 * 1024;
/** Bytes of one trailer section; it is dropped as well. */
const TRAILER_BYTES_MAX = 16 * 1024;

const CR = 13;
const CRLF = Buffer.from('\r\n');

/**
 * Finds the end of one body after another, cut into reads anywhere, and hands on what is forwarded:
 * the bytes as they came, without chunk extensions and trailers; with `payloadOnly` also without
 * the chunk framing, for clients that speak HTTP/1.0.
 */
export class BodyReader {
  done = true;
  /** Set when the chunk grammar or a bound was broken; the body is lost then. */
  failed: string | null = null;
  /** Payload bytes so far. */
  payloadBytes = 0;
  #framing: Framing = 'none';
  #payloadOnly = false;
  /** Bytes to come, of the body or of the chunk. */
  #left = 0;
  #state = CHUNK_SIZE_FIRST;
  #digits = 0;
  #extensionBytes = 0;
  /** A state of the head table while the trailer section is read, else -1. */
  #trailer = -1;
  #trailerBytes = 0;

  get framing(): Framing {
    return this.#framing;
  }

  begin(framing: Framing, length = 0, payloadOnly = false): void {
    this.#framing = framing;
    this.#left = framing === 'length' ? length : 0;
    this.#payloadOnly = payloadOnly;
    this.done = framing === 'none' || (framing === 'length' && length === 0);
    this.failed = null;
    this.payloadBytes = 0;
    this.#state = CHUNK_SIZE_FIRST;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailer = -1;
    this.#trailerBytes = 0;
  }

  /** Reads from `start` and returns the offset after the last byte that belongs to the body. */
  feed(bytes: Buffer, start: number, end: number, sink: SpanSink): number {
    if (this.done || this.failed !== null || start >= end) return start;
    if (this.#framing === 'chunked') return this.#feedChunked(bytes, start, end, sink);
    const stop = this.#framing === 'length' ? Math.min(end, start + this.#left) : end;
    if (this.#framing === 'length') this.#left -= stop - start;
    this.payloadBytes += stop - start;
    sink.span(bytes, start, stop);
    this.done = this.#framing === 'length' && this.#left === 0;
    return stop;
  }

  #feedChunked(bytes: Buffer, start: number, end: number, sink: SpanSink): number {
    /** Where the run of framed bytes that is not yet handed on began; -1 inside an extension. */
    let run = this.#isDropping() ? -1 : start;
    let at = start;
    while (at < end && !this.done && this.failed === null) {
      if (this.#trailer !== -1) {
        const wasDropping = this.#isDropping();
        at = this.#feedTrailer(bytes, at, end);
        if (!wasDropping && this.#isDropping() && run !== -1) {
          this.#pass(bytes, run, at, sink);
          run = -1;
        }
        continue;
      }
      if (this.#state === CHUNK_DATA) {
        const stop = Math.min(end, at + this.#left);
        this.payloadBytes += stop - at;
        if (this.#payloadOnly) sink.span(bytes, at, stop);
        this.#left -= stop - at;
        if (this.#left === 0) this.#state = CHUNK_DATA_CR;
        at = stop;
        continue;
      }
      const wasDropping = this.#isDropping();
      this.#step(bytes[at] as number);
      if (!wasDropping && this.#isDropping()) {
        this.#pass(bytes, run, at, sink);
        run = -1;
      } else if (wasDropping && !this.#isDropping()) run = at;
      at++;
    }
    if (this.failed !== null) return at;
    if (run !== -1) this.#pass(bytes, run, at, sink);
    else if (this.done && !this.#payloadOnly) sink.span(CRLF, 0, 2);
    return at;
  }

  /** Whether the byte at hand belongs to a chunk extension or to a trailer field. */
  #isDropping(): boolean {
    return this.#trailerBytes > 0 || this.#state >= CHUNK_EXTENSION;
  }

  #pass(bytes: Buffer, start: number, end: number, sink: SpanSink): void {
    if (!this.#payloadOnly && end > start) sink.span(bytes, start, end);
  }

  /** One byte of a chunk's size line, or of the line end behind its data. */
  #step(byte: number): void {
    const next = CHUNK_TABLE[(this.#state << 8) | byte] as number;
    if (next === 0) {
      this.failed = 'a chunk size line, extension or line end that RFC 9112 does not allow';
      return;
    }
    if (next === CHUNK_SIZE) {
      this.#left = this.#left * 16 + hexValue(byte);
      if (++this.#digits > SIZE_DIGITS_MAX) this.failed = 'a chunk size with too many digits';
    } else if (next >= CHUNK_EXTENSION) {
      if (++this.#extensionBytes > EXTENSION_BYTES_MAX) this.failed = 'too long chunk extensions';
    } else if (next === CHUNK_DATA) {
      this.#digits = 0;
      if (this.#left === 0) this.#trailer = FIELD_START;
    }
    this.#state = next;
  }

  /** The empty line of a section without fields is forwarded; with fields all of it is dropped. */
  #feedTrailer(bytes: Buffer, start: number, end: number): number {
    if (this.#trailer === FIELD_START && this.#trailerBytes === 0 && bytes[start] !== CR) {
      this.#trailerBytes = 1;
      return start;
    }
    let at = start;
    while (at < end) {
      this.#trailer = TABLE[(this.#trailer << 8) | (bytes[at++] as number)] as number;
      if (this.#trailer >= FAILED) this.failed = 'a malformed trailer';
      else if (this.#trailerBytes > 0 && ++this.#trailerBytes > TRAILER_BYTES_MAX)
        this.failed = 'too long trailers';
      if (this.failed !== null) return at;
      if (this.#trailer === DONE) {
        this.done = true;
        return at;
      }
    }
    return at;
  }
}
