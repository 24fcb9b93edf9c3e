const CLOSE_OPCODE = 8;

/**
 * Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) just closely enough to know
 * where one ends, so that a close frame can be put between two.
 */
export class FrameFollower {
  /** Header bytes still to come before the length is known, and then payload bytes. */
  #payloadLeft = 0;
  #headerLeft = 2;
  #lengthBytesLeft = 0;
  #maskBytesLeft = 0;
  #length = 0;
  /** Whether a close frame has begun in this direction. */
  sawClose = false;

  get isAtBoundary(): boolean {
    return this.#headerLeft === 2 && this.#payloadLeft === 0;
  }

  /** Reads on; with `untilBoundary` it stops behind the first frame end. Returns where it stopped. */
  feed(bytes: Buffer, start: number, end: number, untilBoundary: boolean): number {
    let at = start;
    while (at < end) {
      if (this.#payloadLeft > 0) {
        const stop = Math.min(end, at + this.#payloadLeft);
        this.#payloadLeft -= stop - at;
        at = stop;
      } else this.#header(bytes[at++] as number);
      if (untilBoundary && this.isAtBoundary) return at;
    }
    return at;
  }

  #header(byte: number): void {
    if (this.#headerLeft === 2) {
      this.#headerLeft = 1;
      if ((byte & 0x0f) === CLOSE_OPCODE) this.sawClose = true;
      return;
    }
    if (this.#headerLeft === 1) {
      const length = byte & 0x7f;
      this.#lengthBytesLeft = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#length = this.#lengthBytesLeft === 0 ? length : 0;
      this.#maskBytesLeft = byte >= 0x80 ? 4 : 0;
      this.#headerLeft = 0;
    } else if (this.#lengthBytesLeft > 0) {
      this.#lengthBytesLeft--;
      this.#length = this.#length * 256 + byte;
    } else this.#maskBytesLeft--;
    if (this.#lengthBytesLeft > 0 || this.#maskBytesLeft > 0) return;
    this.#payloadLeft = this.#length;
    this.#headerLeft = 2;
  }
}

/** Close, status 1001 "going away" (RFC 6455 §7.4.1), as a server sends it. */
export const CLOSE_FROM_SERVER = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
/** The same as a client sends it: masked, as it must be, with a mask of zeros. */
export const CLOSE_FROM_CLIENT = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);
