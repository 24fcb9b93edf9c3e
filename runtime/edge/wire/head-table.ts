/**
 * The grammar of message heads (RFC 9112 §2–5) as one transition table, for requests, responses and
 * trailers. One look-up a byte, so a head may be cut anywhere. States below `MARKED` go on silently,
 * those from `MARKED` on leave a mark at their byte, those from `FAILED` on say what was wrong.
 */

export const REQUEST_START = 0;
const EMPTY_LINE_CR = 1;
const METHOD = 2;
const TARGET = 3;
const LINE_CR = 4;
/** The start of a field section; trailers begin here. */
export const FIELD_START = 5;
const NAME = 6;
const VALUE = 7;
const LAST_CR = 8;
const VERSION = 9; // one state for each of the eight bytes of HTTP/1.1, then one for the CR
const VERSION_CR = 17;
export const RESPONSE_START = 18; // the same eight, then a space, three digits and the reason
const STATUS_SPACE = 26;
const STATUS_DIGIT = 27; // three of them
const STATUS_END = 30;
const REASON = 31;

export const MARKED = 32;
const METHOD_FIRST = 32;
const METHOD_END = 33;
const TARGET_END = 34;
const STATUS_LINE_CR = 35;
/** The first byte of a field name: fields are counted here. */
export const NAME_FIRST = 36;
const COLON = 37;
const VALUE_CR = 38;
export const DONE = 39;

export const FAILED = 48;
const BAD_METHOD = 48;
export const BAD_TARGET = 49;
export const FRAGMENT = 50;
const BAD_VERSION = 51;
export const OTHER_VERSION = 52;
const BAD_LINE_END = 53;
const BAD_NAME = 54;
const FOLDED = 55;
const BAD_VALUE = 56;
const BAD_STATUS_LINE = 57;

/** What each failing state found, by state. */
export const FOUND: Readonly<Record<number, string>> = {
  [BAD_METHOD]: 'a method that is not upper-case letters followed by one space',
  [BAD_TARGET]: 'a request target with a forbidden character',
  [FRAGMENT]: 'a fragment in the request target',
  [BAD_VERSION]: 'a request line that does not end in an HTTP version',
  [OTHER_VERSION]: 'a version other than HTTP/1.0 and HTTP/1.1',
  [BAD_LINE_END]: 'a CR without LF or an LF without CR',
  [BAD_NAME]: 'a field name that is no token right before its colon',
  [FOLDED]: 'white space at the start of a field line',
  [BAD_VALUE]: 'a control character in a field value',
  [BAD_STATUS_LINE]: 'a status line that is none',
};

const CR = 13;
const LF = 10;
const SP = 32;
const HT = 9;
const bytesOf = (text: string): number[] => [...Buffer.from(text, 'latin1')];
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const UPPER = range(65, 90);
const DIGITS = range(48, 57);
const VISIBLE = range(0x21, 0x7e);
const OBS_TEXT = range(0x80, 0xff);
/** tchar of RFC 9110 §5.6.2. */
const TOKEN = [...UPPER, ...range(97, 122), ...DIGITS, ...bytesOf("!#$%&'*+-.^_`|~")];
const FIELD_TEXT = [SP, HT, ...VISIBLE, ...OBS_TEXT];

export const TABLE = new Uint8Array(FAILED << 8);

function row(state: number, otherwise: number, ...steps: [readonly number[], number][]): void {
  TABLE.fill(otherwise, state << 8, (state + 1) << 8);
  for (const [bytes, next] of steps) for (const byte of bytes) TABLE[(state << 8) | byte] = next;
}

/** Rows for `HTTP/1.0` or `HTTP/1.1` from `first`; the last leads to `first + 8`. */
function versionRows(first: number, otherwise: number): void {
  bytesOf('HTTP/').forEach((byte, index) => {
    row(first + index, otherwise, [[byte], first + index + 1]);
  });
  row(first + 5, otherwise, [DIGITS, OTHER_VERSION], [bytesOf('1'), first + 6]);
  row(first + 6, otherwise, [bytesOf('.'), first + 7]);
  row(first + 7, otherwise, [DIGITS, OTHER_VERSION], [bytesOf('01'), first + 8]);
}

function requestLineRows(): void {
  const method = [...UPPER, 0x2d];
  row(REQUEST_START, BAD_METHOD, [UPPER, METHOD_FIRST], [[CR], EMPTY_LINE_CR]);
  row(EMPTY_LINE_CR, BAD_LINE_END, [[LF], REQUEST_START]);
  for (const state of [METHOD_FIRST, METHOD])
    row(state, BAD_METHOD, [method, METHOD], [[SP], METHOD_END]);
  row(METHOD_END, BAD_TARGET, [VISIBLE, TARGET], [bytesOf('#'), FRAGMENT]);
  row(TARGET, BAD_TARGET, [VISIBLE, TARGET], [bytesOf('#'), FRAGMENT], [[SP], TARGET_END]);
  versionRows(VERSION, BAD_VERSION);
  TABLE.copyWithin(TARGET_END << 8, VERSION << 8, (VERSION + 1) << 8);
  row(VERSION_CR, BAD_VERSION, [[CR], LINE_CR]);
  row(LINE_CR, BAD_LINE_END, [[LF], FIELD_START]);
}

function statusLineRows(): void {
  versionRows(RESPONSE_START, BAD_STATUS_LINE);
  row(STATUS_SPACE, BAD_STATUS_LINE, [[SP], STATUS_DIGIT]);
  row(STATUS_DIGIT, BAD_STATUS_LINE, [bytesOf('12345'), STATUS_DIGIT + 1]);
  row(STATUS_DIGIT + 1, BAD_STATUS_LINE, [DIGITS, STATUS_DIGIT + 2]);
  row(STATUS_DIGIT + 2, BAD_STATUS_LINE, [DIGITS, STATUS_END]);
  // A missing space before an empty reason is common and harmless: the line is written anew.
  row(STATUS_END, BAD_STATUS_LINE, [[SP], REASON], [[CR], STATUS_LINE_CR]);
  row(REASON, BAD_STATUS_LINE, [FIELD_TEXT, REASON], [[CR], STATUS_LINE_CR]);
  row(STATUS_LINE_CR, BAD_LINE_END, [[LF], FIELD_START]);
}

function fieldRows(): void {
  row(FIELD_START, BAD_NAME, [TOKEN, NAME_FIRST], [[CR], LAST_CR], [[SP, HT], FOLDED]);
  for (const state of [NAME_FIRST, NAME])
    row(state, BAD_NAME, [TOKEN, NAME], [bytesOf(':'), COLON]);
  for (const state of [COLON, VALUE])
    row(state, BAD_VALUE, [FIELD_TEXT, VALUE], [[CR], VALUE_CR], [[LF], BAD_LINE_END]);
  row(VALUE_CR, BAD_LINE_END, [[LF], FIELD_START]);
  row(LAST_CR, BAD_LINE_END, [[LF], DONE]);
}

requestLineRows();
statusLineRows();
fieldRows();

/** Whether the head was still in its first line in this state. */
export const isInFirstLine = (state: number): boolean =>
  state < FIELD_START ||
  (state >= VERSION && state < MARKED) ||
  (state >= METHOD_FIRST && state <= STATUS_LINE_CR);
