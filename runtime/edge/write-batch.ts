import type { Socket } from 'node:net';
import type { SpanSink } from './wire/body-reader.ts';

/**
 * Above this a copy into one Buffer is cheaper than a latin1 string: Node writes shorter strings
 * from its stack, without an allocation.
 */
const STRING_BYTES_MAX = 16 * 1024;

/**
 * Gathers what one read gives to forward and writes it with one system call. Its spans are valid
 * only until the read's callback returns, so whoever fills it flushes it before that.
 */
export class WriteBatch implements SpanSink {
  #text = '';
  readonly #spans: { bytes: Buffer; start: number; end: number }[] = [];
  #bytes = 0;

  /** Puts a head, or another latin1 text, in front of spans that follow. */
  text(text: string): void {
    this.#text += text;
  }

  span(bytes: Buffer, start: number, end: number): void {
    if (end <= start) return;
    this.#spans.push({ bytes, start, end });
    this.#bytes += end - start;
  }

  clear(): void {
    this.#text = '';
    this.#spans.length = 0;
    this.#bytes = 0;
  }

  /** All of it, behind `head`, as one piece that outlives the read; empties the batch. */
  take(head = ''): string | Buffer {
    if (head !== '') this.#text = head + this.#text;
    const piece = this.#bytes + this.#text.length > STRING_BYTES_MAX ? this.#copy() : this.#join();
    this.clear();
    return piece;
  }

  /** Writes all of it; `false` if the socket wants no more before its `drain`. */
  flush(socket: Socket): boolean {
    if (this.#bytes === 0 && this.#text === '') return !socket.writableNeedDrain;
    const piece = this.take();
    return typeof piece === 'string' ? socket.write(piece, 'latin1') : socket.write(piece);
  }

  #join(): string {
    let text = this.#text;
    for (const { bytes, start, end } of this.#spans) text += bytes.toString('latin1', start, end);
    return text;
  }

  #copy(): Buffer {
    const piece = Buffer.allocUnsafeSlow(this.#text.length + this.#bytes);
    let at = piece.write(this.#text, 0, 'latin1');
    for (const { bytes, start, end } of this.#spans) at += bytes.copy(piece, at, start, end);
    return piece;
  }
}
