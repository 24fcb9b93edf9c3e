import { useRef } from 'preact/hooks';
import type { LogRow } from '../wire.types.ts';

interface Kept {
  readonly test: (row: LogRow) => boolean;
  readonly firstSeq: number;
  lastSeq: number;
  rows: LogRow[];
}

/**
 * The rows that pass. A log grows at its end: only what is new is looked at, until the test changes or
 * the log is another one.
 */
export function useFiltered(
  log: readonly LogRow[],
  test: ((row: LogRow) => boolean) | undefined,
): readonly LogRow[] {
  const kept = useRef<Kept | undefined>(undefined);
  const [first, last] = [log[0]?.seq ?? 0, log.at(-1)?.seq ?? 0];
  if (test === undefined) {
    kept.current = undefined;
    return log;
  }
  const known = kept.current;
  if (known?.test !== test || known.lastSeq > last || known.firstSeq > first) {
    const rows = log.filter(test);
    kept.current = { test, firstSeq: first, lastSeq: last, rows };
    return rows;
  }
  if (known.lastSeq === last) return known.rows;
  const fresh = log.slice(log.findLastIndex(({ seq }) => seq <= known.lastSeq) + 1).filter(test);
  known.rows = [...known.rows.filter(({ seq }) => seq >= first), ...fresh];
  known.lastSeq = last;
  return known.rows;
}
