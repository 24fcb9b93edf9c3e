import { isRefusal } from '../../../runtime/edge/errors.ts';
import { DEFAULT_LIMITS } from '../../../runtime/edge/limits.ts';
import { BodyReader } from '../../../runtime/edge/wire/body-reader.ts';
import { HeadParser } from '../../../runtime/edge/wire/head-parser.ts';
import type { RequestHead } from '../../../runtime/edge/wire/request-head.ts';
import { readRequestHead } from '../../../runtime/edge/wire/request-head.ts';

/** What a connection would make of the bytes, without the connection. */
export interface Reading {
  readonly requests: readonly { readonly head: RequestHead; readonly body: string }[];
  /** Code and finding of the refusal, if there was one. */
  readonly refused: string | null;
  /** Nothing is left over, and no message is cut. */
  readonly isComplete: boolean;
  /** The last request ends the connection, or switches its protocol. */
  readonly isLast: boolean;
}

/** Reads all requests of `pieces`, as if each piece were one read of a socket. */
export function readRequests(pieces: readonly Buffer[]): Reading {
  const parser = new HeadParser('request', DEFAULT_LIMITS);
  const body = new BodyReader();
  const requests: { head: RequestHead; body: string }[] = [];
  const end = (refused: string | null, isComplete: boolean, isLast: boolean): Reading => ({
    requests,
    refused,
    isComplete,
    isLast,
  });
  const sink = {
    span(bytes: Buffer, start: number, stop: number): void {
      const last = requests.at(-1);
      if (last) last.body += bytes.toString('latin1', start, stop);
    },
  };
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      if (body.done) {
        at = parser.push(piece, at, piece.length);
        if (parser.refused) return end(parser.refused.refused, false, false);
        if (parser.text === null) break;
        const head = readRequestHead(parser.text, parser.marks);
        parser.reset();
        if (isRefusal(head)) return end(head.refused, false, false);
        requests.push({ head, body: '' });
        body.begin(head.framing, head.contentLength);
      } else at = body.feed(piece, at, piece.length, sink);
      if (body.failed !== null) {
        // How much of a broken body came before the fault depends on the reads.
        requests.pop();
        return end('MESH_ERR_EDGE_BODY_MALFORMED', false, false);
      }
      const last = requests.at(-1)?.head;
      if (body.done && last && (last.upgrade || !last.keepAlive)) return end(null, true, true);
    }
  }
  return end(null, body.done && !parser.isUnderWay, false);
}

/** A seeded generator (mulberry32), so that a failing case can be run again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Cuts bytes at random places; about every `mean` bytes. */
export function cut(bytes: Buffer, mean: number, fraction: () => number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = 1 + Math.floor(fraction() * 2 * mean);
    pieces.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return pieces;
}
