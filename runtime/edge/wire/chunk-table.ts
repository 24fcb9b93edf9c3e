/**
 * The grammar of chunk size lines and of the line ends behind chunk data (RFC 9112 §7.1) as one
 * transition table; 0 is a violation. White space in an extension ("bad" in the RFC) is refused.
 */

export const CHUNK_SIZE_FIRST = 1;
export const CHUNK_SIZE = 2;
/** The LF of the size line; what follows is data, or the trailer section after the last chunk. */
export const CHUNK_LINE_END = 3;
export const CHUNK_DATA = 4;
export const CHUNK_DATA_CR = 5;
export const CHUNK_DATA_LF = 6;
/** From here on the states inside an extension. */
export const CHUNK_EXTENSION = 7;
const NAME_FIRST = 7;
const NAME = 8;
const VALUE_FIRST = 9;
const VALUE = 10;
const QUOTED = 11;
const QUOTED_PAIR = 12;
const QUOTED_END = 13;

export const CHUNK_TABLE = new Uint8Array(14 << 8);

const CR = 13;
const LF = 10;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function steps(state: number, bytes: Iterable<number>, next: number): void {
  for (const byte of bytes) CHUNK_TABLE[(state << 8) | byte] = next;
}

const bytesWhere = (test: RegExp): number[] =>
  Array.from({ length: 256 }, (_, byte) => byte).filter((byte) =>
    test.test(String.fromCharCode(byte)),
  );
const HEX = bytesWhere(/[\da-fA-F]/);
const TOKEN = bytesWhere(/[\w!#$%&'*+\-.^`|~]/);
/** Horizontal tab, space, visible and obs-text: what a quoted string may hold. */
const QUOTABLE = bytesWhere(/[\t\x20-\x7e\x80-\xff]/);

steps(CHUNK_SIZE_FIRST, HEX, CHUNK_SIZE);
steps(CHUNK_SIZE, HEX, CHUNK_SIZE);
steps(NAME_FIRST, TOKEN, NAME);
steps(NAME, TOKEN, NAME);
steps(NAME, [EQUALS], VALUE_FIRST);
steps(VALUE_FIRST, TOKEN, VALUE);
steps(VALUE_FIRST, [QUOTE], QUOTED);
steps(VALUE, TOKEN, VALUE);
steps(QUOTED, QUOTABLE, QUOTED);
steps(QUOTED, [QUOTE], QUOTED_END);
steps(QUOTED, [BACKSLASH], QUOTED_PAIR);
steps(QUOTED_PAIR, QUOTABLE, QUOTED);
for (const state of [CHUNK_SIZE, NAME, VALUE, QUOTED_END]) {
  steps(state, [SEMICOLON], NAME_FIRST);
  steps(state, [CR], CHUNK_LINE_END);
}
steps(CHUNK_LINE_END, [LF], CHUNK_DATA);
steps(CHUNK_DATA_CR, [CR], CHUNK_DATA_LF);
steps(CHUNK_DATA_LF, [LF], CHUNK_SIZE_FIRST);

/** The value of a byte that is a hex digit. */
export const hexValue = (byte: number): number => (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 87);
