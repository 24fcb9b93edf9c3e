/**
 * Range-based set reconciliation, negentropy version 1: what one side sends, and what it learns. No
 * state is kept between frames but the set itself.
 *
 * The package on the registry that implements it (`nostr-tools`) has one side only: it never answers
 * a list with its own, holds times in 32 bits, and does not export the file. Specs hold the two
 * to the same frames.
 */
import { FrameReader, FrameWriter, MODE, malformed } from './frame.ts';
import { FINGERPRINT_BYTES, ID_BYTES, INFINITE } from './sealed-set.ts';
import type { Bound, SealedSet } from './sealed-set.ts';

/** How ranges are split; each side may choose its own. */
export interface Splitting {
  /** Ranges that a range with a difference is split into. */
  readonly buckets: number;
  /** A range with at most so many messages is sent as ids. */
  readonly idsMax: number;
  /** Bytes of a frame. */
  readonly frameBytesMax: number;
}

/** What the one who asked learned from a frame. */
export interface Difference {
  /** Ids (hex) that only this side has. */
  readonly have: string[];
  /** Ids (hex) that only the other side has. */
  readonly need: string[];
}

/** The one who asks learns the difference; the other answers. */
export type Role = 'requester' | 'responder';

/** Room for what ends a full frame: a skip and the fingerprint of the rest. */
const TAIL_BYTES = 128;

interface Writing {
  readonly set: SealedSet;
  readonly splitting: Splitting;
  readonly out: FrameWriter;
}

/** A range of the set by index, and where it ends for the other side. */
interface Range {
  readonly lower: number;
  readonly upper: number;
  readonly end: Bound;
}

/** The first frame of the one who asks. */
export function initiate(set: SealedSet, splitting: Splitting): Uint8Array {
  const out = new FrameWriter();
  split({ set, splitting, out }, { lower: 0, upper: set.size, end: INFINITE });
  return out.toBytes();
}

/**
 * Answers a frame. For the requester null when nothing is left to ask; `found` gets what it learned.
 * MESH_ERR_RECONCILE_FRAME for what is none, is longer than agreed, or is out of order.
 */
export function reconcile(
  set: SealedSet,
  frame: Uint8Array,
  options: Splitting & { readonly role: Role; readonly found?: Difference },
): Uint8Array | null {
  if (frame.length > options.frameBytesMax)
    throw malformed(`it has ${frame.length} bytes, at most ${options.frameBytesMax} are allowed`);
  const out = new FrameWriter();
  const input = new FrameReader(frame);
  const writing: Writing = { set, splitting: options, out };
  let [lower, isSkipping] = [0, false];
  let start: Bound = { time: 0, prefix: new Uint8Array(0) };
  while (!input.isAtEnd) {
    const end = laterBound(input, start);
    const range = { lower, upper: set.indexOf(end, lower), end };
    const mark = out.mark();
    if (isSkipping) out.bound(start).varint(MODE.skip);
    const isAnswered = answerRange(writing, input, range, options);
    if (!isAnswered) out.reset(mark);
    else if (out.length > options.frameBytesMax - TAIL_BYTES) {
      out.reset(mark);
      endFull(writing, { lower, start, isSkipping });
      return out.toBytes();
    }
    isSkipping = !isAnswered;
    [start, lower] = [end, range.upper];
  }
  return options.role === 'requester' && out.length === 1 ? null : out.toBytes();
}

function laterBound(input: FrameReader, start: Bound): Bound {
  const end = input.bound();
  const isLater =
    end.time === Infinity ||
    end.time > start.time ||
    (end.time === start.time && Buffer.compare(end.prefix, start.prefix) >= 0);
  if (!isLater || start.time === Infinity) throw malformed('its ranges are out of order');
  return end;
}

/** Writes what there is to say of one range; false when that is nothing. */
function answerRange(
  writing: Writing,
  input: FrameReader,
  range: Range,
  { role, found }: { readonly role: Role; readonly found?: Difference },
): boolean {
  const { set } = writing;
  const mode = input.varint();
  switch (mode) {
    case MODE.skip:
      return false;
    case MODE.fingerprint: {
      const theirs = input.bytes(FINGERPRINT_BYTES);
      if (Buffer.compare(theirs, set.fingerprint(range.lower, range.upper)) === 0) return false;
      split(writing, range);
      return true;
    }
    case MODE.ids: {
      const theirs = readIds(input);
      if (role === 'responder') return writeIds(writing, range);
      compare(set, range, theirs, found);
      return false;
    }
    default:
      throw malformed(`it has a range of mode ${mode}`);
  }
}

function readIds(input: FrameReader): Set<string> {
  const count = input.varint();
  const bytes = Buffer.from(input.bytes(count * ID_BYTES));
  const ids = new Set<string>();
  for (let at = 0; at < bytes.length; at += ID_BYTES)
    ids.add(bytes.toString('hex', at, at + ID_BYTES));
  return ids;
}

function compare(set: SealedSet, range: Range, theirs: Set<string>, found?: Difference): void {
  for (let index = range.lower; index < range.upper; index++) {
    const id = Buffer.from(set.idAt(index)).toString('hex');
    if (!theirs.delete(id)) found?.have.push(id);
  }
  found?.need.push(...theirs);
}

/**
 * The responder's answer to a list: its own list of the range, as far as the frame has room for it;
 * the rest is one fingerprint that the requester asks about again.
 */
function writeIds({ set, splitting, out }: Writing, { lower, upper, end }: Range): true {
  const room = splitting.frameBytesMax - 2 * TAIL_BYTES - out.length;
  const count = Math.min(upper - lower, Math.max(0, Math.floor(room / ID_BYTES)));
  const last = lower + count;
  if (count > 0 || lower === upper) {
    out
      .bound(last < upper ? set.boundBefore(last) : end)
      .varint(MODE.ids)
      .varint(count);
    for (let index = lower; index < last; index++) out.bytes(set.idAt(index));
  }
  if (last < upper) out.bound(end).varint(MODE.fingerprint).bytes(set.fingerprint(last, upper));
  return true;
}

/** Ids of a small range, fingerprints of the parts of a large one. */
function split({ set, splitting, out }: Writing, { lower, upper, end }: Range): void {
  const count = upper - lower;
  if (count <= splitting.idsMax) {
    out.bound(end).varint(MODE.ids).varint(count);
    for (let index = lower; index < upper; index++) out.bytes(set.idAt(index));
    return;
  }
  let first = lower;
  for (let bucket = 0; bucket < splitting.buckets; bucket++) {
    const size = Math.floor(count / splitting.buckets);
    const next = first + size + (bucket < count % splitting.buckets ? 1 : 0);
    out
      .bound(next === upper ? end : set.boundBefore(next))
      .varint(MODE.fingerprint)
      .bytes(set.fingerprint(first, next));
    first = next;
  }
}

/** Ends a frame that has no room for its next range: the rest is one fingerprint. */
function endFull(
  { set, out }: Writing,
  rest: { readonly lower: number; readonly start: Bound; readonly isSkipping: boolean },
): void {
  if (rest.isSkipping) out.bound(rest.start).varint(MODE.skip);
  out.bound(INFINITE).varint(MODE.fingerprint).bytes(set.fingerprint(rest.lower, set.size));
}
