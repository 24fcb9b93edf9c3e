/** What a whole tree is doing, in a few numbers. */
import type { ActorRow } from './wire.types.ts';

/** Names in each list: more are no overview. */
const LISTED_MAX = 6;

export interface OverviewRows {
  readonly supervisors: number;
  /** Actors whose logic is a state machine. */
  readonly machines: number;
  readonly restarts: number;
  readonly crashed: number;
  /** Those with a chart that have handled the most events. */
  readonly busiest: readonly ActorRow[];
  /** Those that were restarted most often. */
  readonly troubled: readonly ActorRow[];
}

/** One pass over all rows, as it is made ten times a second. */
export function overviewOf(actors: Iterable<ActorRow>): OverviewRows {
  let [supervisors, machines, restarts, crashed] = [0, 0, 0, 0];
  const busiest: ActorRow[] = [];
  const troubled: ActorRow[] = [];
  for (const row of actors) {
    if (row.kind === 'supervisor') supervisors++;
    if (row.status === 'crashed') crashed++;
    restarts += row.restarts;
    if (row.restarts > 0) keep(troubled, row, (one) => one.restarts);
    if (row.machine === null) continue;
    machines++;
    keep(busiest, row, (one) => one.events);
  }
  return { supervisors, machines, restarts, crashed, busiest, troubled };
}

/** Puts a row where it belongs among the largest, the first of equals first. */
function keep(list: ActorRow[], row: ActorRow, of: (row: ActorRow) => number): void {
  const found = list.findIndex((other) => of(other) < of(row));
  const place = found < 0 ? list.length : found;
  if (place >= LISTED_MAX) return;
  list.splice(place, 0, row);
  list.length = Math.min(list.length, LISTED_MAX);
}
