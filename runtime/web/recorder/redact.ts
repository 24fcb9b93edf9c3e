/** A context as it may be shown: no secrets, no depth, no length. */
import type { Json } from '../ui/wire.types.ts';

const SECRET = /secret|token|passw|private|seed|share|credential|^key$|(signing|mesh|ca|box)_?key/i;
export const REDACTED = '(secret)';
const DEPTH_MAX = 6;
const ENTRIES_MAX = 50;
const TEXT_MAX = 500;
/** Characters of one whole context; a page shows no novel. */
const BUDGET = 16_384;

/** Plain JSON of anything, of about that many characters; whatever is not data is named by its kind. */
export function shown(value: unknown, characters = BUDGET): Json {
  return show(value, 0, { left: characters });
}

interface Budget {
  left: number;
}

function show(value: unknown, depth: number, budget: Budget): Json {
  if (budget.left <= 0) return '(cut)';
  budget.left -= 8;
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') return showText(value, budget);
  if (typeof value !== 'object') return `(${typeof value})`;
  if (value instanceof Error) return showText(`${value.name}: ${value.message}`, budget);
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (depth >= DEPTH_MAX) return '(deeper)';
  if (Array.isArray(value)) return showList(value, depth, budget);
  if (value instanceof Map) return showEntries([...value], depth, budget);
  if (value instanceof Set) return showList([...value], depth, budget);
  return showEntries(Object.entries(value), depth, budget);
}

function showText(text: string, budget: Budget): string {
  budget.left -= Math.min(text.length, TEXT_MAX);
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

function showList(list: readonly unknown[], depth: number, budget: Budget): Json {
  const first = list.slice(0, ENTRIES_MAX).map((item) => show(item, depth + 1, budget));
  return list.length > ENTRIES_MAX ? [...first, `(${list.length - ENTRIES_MAX} more)`] : first;
}

function showEntries(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
  budget: Budget,
): Json {
  const rows = entries.slice(0, ENTRIES_MAX).map(([name, item]): [string, Json] => {
    const key = String(name);
    const isHidden = SECRET.test(key) && item !== null && item !== undefined;
    return [key, isHidden ? REDACTED : show(item, depth + 1, budget)];
  });
  if (entries.length > ENTRIES_MAX) rows.push(['…', `(${entries.length - ENTRIES_MAX} more)`]);
  return Object.fromEntries(rows);
}
