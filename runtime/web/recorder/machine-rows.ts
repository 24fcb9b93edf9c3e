import type { MachineRow } from '../ui/wire.types.ts';
import type { Actor } from './actor.ts';
import { activeOf } from './chart-registry.ts';
import type { ChartRegistry } from './chart-registry.ts';

/** Every known definition with how many actors stand in each of its states; reads all actors. */
export function machineRows(charts: ChartRegistry, actors: Iterable<Actor>): MachineRow[] {
  const rows = new Map<string, { actors: number; standing: Record<string, number> }>(
    charts.keys().map((key) => [key, { actors: 0, standing: {} }]),
  );
  for (const { chart, snapshot } of actors) {
    const row = chart && rows.get(chart.key);
    if (!row) continue;
    row.actors++;
    for (const state of activeOf(snapshot)) row.standing[state] = (row.standing[state] ?? 0) + 1;
  }
  return [...rows].map(([key, row]) => ({ key, name: charts.get(key)?.chart.name ?? key, ...row }));
}
