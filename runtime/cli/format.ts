/** Values as people read them. */

const STEPS: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
];

/** `3d 4h`, `12s`, `0.4s`: the two largest units that say something. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)}s`;
  const index = STEPS.findIndex(([, unitMs]) => ms >= unitMs);
  const [unit, unitMs] = STEPS[index] ?? ['s', 1_000];
  const next = STEPS[index + 1];
  const first = `${String(Math.floor(ms / unitMs))}${unit}`;
  const rest = next === undefined ? 0 : Math.floor((ms % unitMs) / next[1]);
  return next === undefined || rest === 0 ? first : `${first} ${String(rest)}${next[0]}`;
}

/** How long ago, for a time in RFC 3339 or milliseconds. */
export const age = (since: string | number, nowMs: number): string =>
  duration(nowMs - (typeof since === 'string' ? Date.parse(since) : since));

/** Enough of a digest to tell it from the others of one mesh. */
export const shortDigest = (digest: string): string => digest.slice(0, 12);

const UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** `1.5 MiB`. */
export function byteCount(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const scaled = bytes / 1024 ** power;
  return `${power === 0 ? String(bytes) : scaled.toFixed(1)} ${UNITS[power] ?? 'B'}`;
}

/** `1 instance`, `2 instances`. */
export const counted = (count: number, noun: string): string =>
  `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
