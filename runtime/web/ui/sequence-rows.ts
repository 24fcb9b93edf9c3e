/** Who sent what to whom, as lanes and arrows. */
import type { LogRow } from './wire.types.ts';

/** Where everything stands that has no lane of its own. */
export const OTHERS = 'others';

/** Messages that a diagram shows: the newest. */
export const MESSAGES_MAX = 200;

export interface Message {
  readonly row: LogRow;
  /** Places of lanes. */
  readonly from: number;
  readonly to: number;
}

export interface SequenceRows {
  /** Paths, and `others` first where somebody else takes part. */
  readonly lanes: readonly string[];
  readonly messages: readonly Message[];
}

const WANTED: readonly string[] = ['event', 'crash', 'restart', 'start', 'stop'];

/** The newest messages of these actors, oldest first. */
export function sequenceOf(rows: readonly LogRow[], paths: readonly string[]): SequenceRows {
  const own = new Set(paths);
  const found: LogRow[] = [];
  for (let place = rows.length - 1; place >= 0 && found.length < MESSAGES_MAX; place--) {
    const row = rows[place];
    if (row && WANTED.includes(row.kind) && (own.has(row.path) || own.has(row.source ?? '')))
      found.push(row);
  }
  found.reverse();
  const hasOthers = found.some(
    ({ path, source, kind }) => !own.has(path) || (kind === 'event' && !own.has(source ?? '')),
  );
  const lanes = hasOthers ? [OTHERS, ...paths] : [...paths];
  const placeOf = (path: string | undefined): number => Math.max(0, lanes.indexOf(path ?? OTHERS));
  return {
    lanes,
    messages: found.map((row) => {
      const to = placeOf(row.path);
      return { row, to, from: row.kind === 'event' ? placeOf(row.source) : to };
    }),
  };
}
