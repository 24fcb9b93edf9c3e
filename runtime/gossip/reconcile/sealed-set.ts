/**
 * A set of messages in the order of negentropy: by time, then by id, with the sums that its
 * fingerprints need, so that the fingerprint of any range costs one hash.
 */
import { createHash } from 'node:crypto';
import { encodeVarint } from './frame.ts';

/** Bytes of a message id. */
export const ID_BYTES = 32;
/** Bytes of a fingerprint. */
export const FINGERPRINT_BYTES = 16;
/** Little-endian 32-bit words of an id. */
const WORDS = ID_BYTES / 4;

/** A message as reconciliation sees it. */
export interface SetItem {
  /** Milliseconds since the epoch, as in the header. */
  readonly createdAt: number;
  /** 64 lower-case hex digits. */
  readonly id: string;
}

/** Where a range ends, exclusive: a time, and as much of an id as is needed. */
export interface Bound {
  /** Milliseconds since the epoch; Infinity is after everything. */
  readonly time: number;
  /** 0 to 32 bytes; what is left out is zero. */
  readonly prefix: Uint8Array;
}

const NO_PREFIX = new Uint8Array(0);
/** The end of the last range. */
export const INFINITE: Bound = { time: Infinity, prefix: NO_PREFIX };

/** Immutable. 72 bytes for each message. */
export class SealedSet {
  readonly size: number;
  readonly #times: Float64Array;
  readonly #ids: Uint8Array;
  /** Sum of the first n ids modulo 2^256 at `n * WORDS`. */
  readonly #sums: Uint32Array;

  /** Duplicates of an id at the same time count once. */
  constructor(items: readonly SetItem[]) {
    const sorted = items.toSorted(byTimeThenId).filter(isFirst);
    this.size = sorted.length;
    this.#times = Float64Array.from(sorted, ({ createdAt }) => createdAt);
    this.#ids = new Uint8Array(this.size * ID_BYTES);
    sorted.forEach(({ id }, index) => {
      this.#ids.set(Buffer.from(id, 'hex'), index * ID_BYTES);
    });
    this.#sums = sumsOf(this.#ids, this.size);
  }

  /** 32 bytes; a view, not a copy. */
  idAt(index: number): Uint8Array {
    return this.#ids.subarray(index * ID_BYTES, (index + 1) * ID_BYTES);
  }

  /** SHA-256 over the sum of the ids and their count, 16 bytes of it ("Fingerprint Algorithm"). */
  fingerprint(lower: number, upper: number): Uint8Array {
    const sum = Buffer.alloc(ID_BYTES);
    let borrow = 0;
    for (let word = 0; word < WORDS; word++) {
      const difference = this.#sumWord(upper, word) - this.#sumWord(lower, word) - borrow;
      borrow = difference < 0 ? 1 : 0;
      sum.writeUInt32LE(difference >>> 0, word * 4);
    }
    const hash = createHash('sha256')
      .update(sum)
      .update(encodeVarint(upper - lower));
    return hash.digest().subarray(0, FINGERPRINT_BYTES);
  }

  /** The first index from `lower` on whose message is not before the bound. */
  indexOf(bound: Bound, lower: number): number {
    let first = lower;
    for (let count = this.size - lower; count > 0;) {
      const step = count >> 1;
      if (this.#isBefore(first + step, bound)) {
        first += step + 1;
        count -= step + 1;
      } else count = step;
    }
    return first;
  }

  /** The shortest bound between the message before `index` and the one at it. */
  boundBefore(index: number): Bound {
    const time = this.#times[index] ?? Infinity;
    if (index >= this.size) return INFINITE;
    if (this.#times[index - 1] !== time) return { time, prefix: NO_PREFIX };
    const [before, at] = [this.idAt(index - 1), this.idAt(index)];
    let shared = 0;
    while (shared < ID_BYTES - 1 && before[shared] === at[shared]) shared++;
    return { time, prefix: at.subarray(0, shared + 1) };
  }

  #sumWord(count: number, word: number): number {
    return this.#sums[count * WORDS + word] ?? 0;
  }

  #isBefore(index: number, { time, prefix }: Bound): boolean {
    const own = this.#times[index] ?? Infinity;
    if (own !== time) return own < time;
    // Equal as far as the prefix goes is not before it, since what the prefix leaves out is zero.
    return Buffer.compare(this.idAt(index).subarray(0, prefix.length), prefix) < 0;
  }
}

const byTimeThenId = (a: SetItem, b: SetItem): number =>
  a.createdAt - b.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id));

const isFirst = ({ id, createdAt }: SetItem, index: number, all: readonly SetItem[]): boolean =>
  all[index - 1]?.id !== id || all[index - 1]?.createdAt !== createdAt;

function sumsOf(ids: Uint8Array, count: number): Uint32Array {
  const sums = new Uint32Array((count + 1) * WORDS);
  const view = new DataView(ids.buffer, ids.byteOffset, ids.byteLength);
  for (let index = 0; index < count; index++) {
    let carry = 0;
    for (let word = 0; word < WORDS; word++) {
      const at = index * WORDS + word;
      const sum = (sums[at] ?? 0) + view.getUint32(at * 4, true) + carry;
      carry = sum > 0xff_ff_ff_ff ? 1 : 0;
      sums[at + WORDS] = sum;
    }
  }
  return sums;
}
