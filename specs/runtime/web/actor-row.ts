import type { ActorRow } from '../../../runtime/web/ui/wire.types.ts';

/** A row of a worker that has done nothing, changed as wanted. */
export function actorRow(path: string, change: Partial<ActorRow> = {}): ActorRow {
  const cut = path.lastIndexOf('/');
  return {
    path,
    id: path.slice(cut + 1),
    parent: cut < 0 ? null : path.slice(0, cut),
    kind: 'worker',
    machine: null,
    state: 'idle',
    status: 'running',
    restarts: 0,
    events: 0,
    sinceMs: 0,
    ...change,
  };
}
