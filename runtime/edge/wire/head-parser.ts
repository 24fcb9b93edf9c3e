import type { EdgeLimits } from '../limits.ts';
import type { Refusal } from '../errors.ts';
import { refusal } from '../errors.ts';
import {
  DONE,
  FAILED,
  FOUND,
  FRAGMENT,
  MARKED,
  NAME_FIRST,
  OTHER_VERSION,
  REQUEST_START,
  RESPONSE_START,
  TABLE,
  isInFirstLine,
} from './head-table.ts';

/**
 * Reads one message head after another, cut into reads anywhere. After `push` returned, `text` is
 * the whole head if it ended, `refused` is set if it broke the grammar or a limit, and with neither
 * it wants more. `marks` are offsets into `text`: of a request its method's start and end and its
 * target's end, of a response its status line's end, then three a field: name, colon, line end.
 */
export class HeadParser {
  readonly marks: number[] = [];
  text: string | null = null;
  refused: Refusal | null = null;
  #state: number;
  #prefix = '';
  #fields = 0;
  readonly #start: number;
  readonly #bytesMax: number;
  readonly #fieldsMax: number;

  constructor(
    kind: 'request' | 'response',
    limits: Pick<EdgeLimits, 'headBytesMax' | 'fieldsMax'>,
  ) {
    this.#start = kind === 'request' ? REQUEST_START : RESPONSE_START;
    this.#state = this.#start;
    this.#bytesMax = limits.headBytesMax;
    this.#fieldsMax = limits.fieldsMax;
  }

  /** Whether a head has begun and not ended. Empty lines before a request are no beginning. */
  get isUnderWay(): boolean {
    return this.#state !== this.#start && this.text === null;
  }

  /** Makes ready for the next head. */
  reset(): void {
    this.marks.length = 0;
    this.text = null;
    this.refused = null;
    this.#state = this.#start;
    this.#prefix = '';
    this.#fields = 0;
  }

  /** Reads from `start` and returns the offset after the last byte that belongs to the head. */
  push(bytes: Buffer, start: number, end: number): number {
    const { marks } = this;
    const base = this.#prefix.length - start;
    const stop = Math.min(end, this.#bytesMax - base);
    let state = this.#state;
    for (let at = start; at < stop; at++) {
      const next = TABLE[(state << 8) | (bytes[at] as number)] as number;
      if (next < MARKED) {
        state = next;
        continue;
      }
      if (next >= FAILED) return this.#fail(next, at);
      if (next === DONE) return this.#finish(bytes, start, at + 1);
      if (next === NAME_FIRST && ++this.#fields > this.#fieldsMax) return this.#tooLarge(state, at);
      marks.push(base + at);
      state = next;
    }
    this.#state = state;
    if (stop < end) return this.#tooLarge(state, stop);
    this.#prefix += bytes.toString('latin1', start, end);
    return end;
  }

  #finish(bytes: Buffer, start: number, end: number): number {
    const text = bytes.toString('latin1', start, end);
    this.text = this.#prefix === '' ? text : this.#prefix + text;
    this.#state = this.#start;
    return end;
  }

  #fail(state: number, at: number): number {
    const found = FOUND[state] ?? 'a malformed head';
    if (state === OTHER_VERSION) this.refused = refusal('MESH_ERR_EDGE_VERSION', found);
    else if (state === FRAGMENT) this.refused = refusal('MESH_ERR_EDGE_TARGET_FORM', found);
    else this.refused = refusal('MESH_ERR_EDGE_HEAD_MALFORMED', found);
    return at;
  }

  #tooLarge(state: number, at: number): number {
    this.refused =
      this.#fields > this.#fieldsMax
        ? refusal('MESH_ERR_EDGE_HEAD_TOO_LARGE', `more than ${this.#fieldsMax} fields`)
        : isInFirstLine(state)
          ? refusal('MESH_ERR_EDGE_TARGET_TOO_LONG', `a first line over ${this.#bytesMax} bytes`)
          : refusal('MESH_ERR_EDGE_HEAD_TOO_LARGE', `a head over ${this.#bytesMax} bytes`);
    return at;
  }
}
