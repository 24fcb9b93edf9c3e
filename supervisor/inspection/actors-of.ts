import type { Cell } from '../delivery/cell.ts';
import type { Supervisor } from '../supervisor.ts';
import { cellOf, internals, srcOf } from '../xstate-shape.ts';
import type { InspectedActor } from './inspection.types.ts';

/** Every running actor below a supervisor, also those that machines made themselves. */
export function actorsOf(root: Supervisor): InspectedActor[] {
  const found: InspectedActor[] = [];
  const look = (supervisor: Supervisor): void => {
    for (const { nested, cell } of supervisor.table.values())
      if (nested) look(nested);
      else if (cell) collect(cell, found);
  };
  look(root);
  return found;
}

function collect(cell: Cell, into: InspectedActor[]): void {
  const { actor, path, incarnation, owned, host } = cell;
  if (!actor) return;
  const seen = { path, incarnation, snapshot: internals(actor)._snapshot };
  const src = srcOf(internals(actor));
  into.push(src === undefined ? seen : { ...seen, src });
  for (const own of owned ?? []) collect(cellOf(host, internals(own)), into);
}
