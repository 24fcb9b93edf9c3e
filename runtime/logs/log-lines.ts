/** Lines out of bytes, in bounded memory however long a line is. */

/** Longer lines are cut here, in characters. */
export const LINE_CHARS_MAX = 1_000;
/** Bytes that surely hold LINE_CHARS_MAX characters of UTF-8. */
export const LINE_BYTES_MAX = 4 * LINE_CHARS_MAX;

const NEWLINE = 0x0a;

/** Text of one line, without its end; bytes that are not UTF-8 become U+FFFD. */
export function lineText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const line = text.endsWith('\r') ? text.slice(0, -1) : text;
  // By code points, so that no character is cut in half.
  return line.length <= LINE_CHARS_MAX ? line : Array.from(line).slice(0, LINE_CHARS_MAX).join('');
}

/** Collects chunks into lines; holds back the unfinished last one. */
export class LineSplitter {
  #kept: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      lines.push(lineText(this.#with(chunk.subarray(from, at))));
      this.#kept = Buffer.alloc(0);
      from = at + 1;
    }
    this.#kept = this.#with(chunk.subarray(from));
    return lines;
  }

  #with(part: Buffer): Buffer {
    const room = LINE_BYTES_MAX - this.#kept.length;
    return Buffer.concat([this.#kept, part.subarray(0, Math.max(0, room))]);
  }
}
