/** Field names that the edge acts on, and the small grammars of their values. */

/** What happens to a field of this name when a message is forwarded; unlisted ones pass. */
export type FieldRole =
  | 'drop' // hop-by-hop, or written by the edge alone
  | 'connection'
  | 'contentLength'
  | 'transferEncoding'
  | 'host'
  | 'upgrade'
  | 'expect'
  | 'keepAlive'
  | 'date';

type Roles = ReadonlyMap<string, FieldRole>;

/** Hop-by-hop in both directions (RFC 9110 §7.6.1; Keep-Alive and Proxy-Connection by custom). */
const HOP_BY_HOP: readonly [string, FieldRole][] = [
  ['connection', 'connection'],
  ['content-length', 'contentLength'],
  ['transfer-encoding', 'transferEncoding'],
  ['upgrade', 'upgrade'],
  ['keep-alive', 'keepAlive'],
  ['proxy-connection', 'drop'],
  // Trailers are dropped, so neither side may announce or ask for them.
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['x-mycelium-edge', 'drop'],
];

/**
 * Of requests. What a client says about who forwarded it cannot be believed (RFC 7239 §8.1), so
 * Forwarded and X-Forwarded-* are written anew. `Proxy` would become HTTP_PROXY in a CGI program.
 */
export const REQUEST_ROLES: Roles = new Map<string, FieldRole>([
  ...HOP_BY_HOP,
  ['host', 'host'],
  ['expect', 'expect'],
  ['forwarded', 'drop'],
  ['x-forwarded-for', 'drop'],
  ['x-forwarded-proto', 'drop'],
  ['x-forwarded-host', 'drop'],
  ['proxy-authorization', 'drop'],
  ['proxy', 'drop'],
]);

export const RESPONSE_ROLES: Roles = new Map<string, FieldRole>([
  ...HOP_BY_HOP,
  ['date', 'date'],
  ['proxy-authenticate', 'drop'],
]);

/** Lengths of names that have a role: most names are told apart by these without a look-up. */
const NAME_LENGTHS = new Set(
  [...REQUEST_ROLES.keys(), ...RESPONSE_ROLES.keys()].map((name) => name.length),
);
const HAS_ROLE_OF_LENGTH = Uint8Array.from({ length: 64 }, (_, length) =>
  NAME_LENGTHS.has(length) ? 1 : 0,
);

/** The role of the name at `start`…`end` of a head, or `undefined` if the field passes. */
export function roleOf(
  roles: Roles,
  text: string,
  start: number,
  end: number,
): FieldRole | undefined {
  const length = end - start;
  if (length > 63 || HAS_ROLE_OF_LENGTH[length] === 0) return undefined;
  return roles.get(text.slice(start, end).toLowerCase());
}

const isBlank = (code: number): boolean => code === 32 || code === 9;

/** The value between a colon and its line's end, without the white space around it. */
export function valueOf(text: string, colon: number, lineEnd: number): string {
  let from = colon + 1;
  let to = lineEnd;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Whether a line is already in the form that the edge writes: one space, nothing behind. */
export function isCanonical(text: string, colon: number, lineEnd: number): boolean {
  return (
    lineEnd > colon + 2 &&
    text.charCodeAt(colon + 1) === 32 &&
    !isBlank(text.charCodeAt(colon + 2)) &&
    !isBlank(text.charCodeAt(lineEnd - 1))
  );
}

/** Longest Content-Length in digits; 15 digits stay below 2^53. */
const LENGTH_DIGITS_MAX = 15;

/** Content-Length (RFC 9110 §8.6), or `undefined` if it is not one plain decimal number. */
export function contentLengthOf(value: string): number | undefined {
  return value.length <= LENGTH_DIGITS_MAX && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** `uri-host [ ":" port ]` (RFC 9110 §7.2). */
const HOST = /^(?:[\w\-.~!$&'()*+,;=%]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/;

export const isHost = (value: string): boolean => HOST.test(value);

/** What a Connection field says, and which other fields it makes hop-by-hop. */
export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
  /** Lower case; names that have a role of their own are left out. */
  readonly nominated: readonly string[];
}

export const NO_OPTIONS: ConnectionOptions = {
  close: false,
  keepAlive: false,
  upgrade: false,
  nominated: [],
};
const CLOSE: ConnectionOptions = { ...NO_OPTIONS, close: true };
const KEEP_ALIVE: ConnectionOptions = { ...NO_OPTIONS, keepAlive: true };

export function connectionOptions(value: string, before: ConnectionOptions): ConnectionOptions {
  const lower = value.toLowerCase();
  if (before === NO_OPTIONS && lower === 'keep-alive') return KEEP_ALIVE;
  if (before === NO_OPTIONS && lower === 'close') return CLOSE;
  const options = lower
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '');
  const known = ['close', 'keep-alive', 'upgrade'];
  return {
    close: before.close || options.includes('close'),
    keepAlive: before.keepAlive || options.includes('keep-alive'),
    upgrade: before.upgrade || options.includes('upgrade'),
    nominated: [...before.nominated, ...options.filter((option) => !known.includes(option))],
  };
}

/** Removes the lines of nominated fields (RFC 9110 §7.6.1) from lines that would be forwarded. */
export function withoutNominated(lines: string, nominated: readonly string[]): string {
  const names = new Set(nominated);
  return lines
    .split('\r\n')
    .filter((line) => !names.has(line.slice(0, line.indexOf(':')).toLowerCase()))
    .join('\r\n');
}

/** `timeout=N` of a Keep-Alive field in milliseconds, which Node's servers send. */
export function keepAliveTimeoutMs(value: string): number | undefined {
  const seconds = /(?:^|,)\s*timeout=(\d{1,6})/i.exec(value)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
