/** Inspecting an object in Node asks it for this; a secret answers with a word. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const SHOWN = '[secret]';

/**
 * Bytes that must not be seen: seeds, keys, shares before they are sealed. Logs, JSON, error details,
 * snapshots and inspection get a word instead; only `reveal` gives the bytes.
 */
export class Secret {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** Takes a copy. */
  constructor(bytes: Uint8Array) {
    this.#bytes = new Uint8Array(bytes);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The bytes themselves, not a copy: neither keep nor change them. */
  reveal(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [INSPECT](): string {
    return SHOWN;
  }
}
