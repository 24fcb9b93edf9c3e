/**
 * A batch of signature checks as one buffer, which moves to a worker without being copied again.
 * Layout, in the machine's byte order since it never leaves the process: a 32-bit count; for each
 * check three 32-bit lengths (key, signature, message); then the bytes in the same order.
 */
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './ed25519.ts';

export interface PackedCheck {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

const WORD = 4;
const LENGTHS = 3;

/** Keys and signatures of a wrong size travel empty: their verdict is already certain. */
export function packChecks(checks: readonly PackedCheck[]): ArrayBuffer {
  const parts = checks.map(({ publicKey, signature, message }) => [
    publicKey.length === PUBLIC_KEY_BYTES ? publicKey : EMPTY,
    signature.length === SIGNATURE_BYTES ? signature : EMPTY,
    message,
  ]);
  const header = WORD * (1 + LENGTHS * checks.length);
  const size = parts.flat().reduce((sum, { length }) => sum + length, header);
  const packed = new ArrayBuffer(size);
  const words = new Uint32Array(packed, 0, header / WORD);
  const bytes = new Uint8Array(packed);
  words[0] = checks.length;
  let at = header;
  let word = 1;
  for (const part of parts.flat()) {
    words[word++] = part.length;
    bytes.set(part, at);
    at += part.length;
  }
  return packed;
}

/** Views into `packed`, in order. */
export function unpackChecks(packed: ArrayBuffer): PackedCheck[] {
  const count = new Uint32Array(packed, 0, 1)[0] ?? 0;
  const lengths = new Uint32Array(packed, WORD, LENGTHS * count);
  let at = WORD * (1 + lengths.length);
  const next = (index: number): Uint8Array => {
    const part = new Uint8Array(packed, at, lengths[index]);
    at += part.length;
    return part;
  };
  return Array.from({ length: count }, (_, check) => ({
    publicKey: next(LENGTHS * check),
    signature: next(LENGTHS * check + 1),
    message: next(LENGTHS * check + 2),
  }));
}

const EMPTY = new Uint8Array(0);
