/** How the page calls things: short enough for a line, and without what XState adds to a name. */
import type { ActorRow, LogRow } from './wire.types.ts';

/** `xstate.after.5000.door.open` as `after 5 s`, `xstate.done.actor.unpack` as `done(unpack)`. */
export function eventName(type: string): string {
  const [, moved, timer] = /^timer\.(\w+) (.+)$/.exec(type) ?? [];
  if (moved !== undefined && timer !== undefined) return `${eventName(timer)} ${moved}`;
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(type) ?? [];
  if (delay !== undefined) return `after ${/^\d+$/.test(delay) ? duration(Number(delay)) : delay}`;
  const [, what, actor = ''] = /^xstate\.(done|error)\.(?:actor|state)\.(.*)$/.exec(type) ?? [];
  if (what !== undefined) return `${what}(${actor.replace(/^\d+\.[^.]+\.?/, '') || actor})`;
  return type === 'xstate.init' ? 'start' : type.replace(/^xstate\./, '');
}

/** A line of the log in words: of a crash only what the error says. */
export function lineText({ kind, text }: LogRow): string {
  const said = kind === 'crash' ? /"message":("(?:[^"\\]|\\.)*")/.exec(text)?.[1] : undefined;
  return said === undefined ? eventName(text) : `crash: ${JSON.parse(said) as string}`;
}

/** Only the deepest part of each region: `healthy` of `running.up.healthy`. */
export const shortState = (state: string): string =>
  state
    .split(', ')
    .map((one) => one.slice(one.lastIndexOf('.') + 1))
    .join(', ');

/** What people call an actor. */
export const nameOf = ({ id, label }: ActorRow): string => label ?? id;

/** The last two parts of a path: enough to know it again, and short. */
export function shortPath(path: string): string {
  const parts = path.split('/');
  const [above, last = ''] = parts.slice(-2);
  // What a machine invoked without a name is called after the state that invoked it.
  const [, state] = /^\d+\.[^.]+\.(.+)$/.exec(last) ?? [];
  if (state !== undefined) return `${above}/${state}`;
  return parts.length <= 2 ? path : `…/${above}/${last}`;
}

/** The first 12 digits, as the command line prints them. */
export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** In the largest unit that it fills: `3 min`, `250 ms`. */
export function duration(ms: number): string {
  const [size, unit] = UNITS.find(([least]) => ms >= least) ?? [1, 'ms'];
  return `${Math.floor(ms / size)} ${unit}`;
}

/** How long ago that was; the clocks of others may be ahead. */
export const ago = (ms: number, nowMs: number): string =>
  nowMs - ms < 1_000 ? 'just now' : `${duration(nowMs - ms)} ago`;

const two = (value: number): string => String(value).padStart(2, '0');

/** `17:54:46.983`, in the reader's time zone. */
export function clock(ms: number): string {
  const date = new Date(ms);
  const seconds = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** `2026-11-21 17:54`, in the reader's time zone. */
export function day(ms: number): string {
  const date = new Date(ms);
  const days = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${days} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `1 row`, `2 rows`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;
