/** What is kept of one actor. */
import type { Snapshot } from 'xstate';
import type { ActorRow, LogRow, Step } from '../ui/wire.types.ts';
import { activeOf } from './chart-registry.ts';
import type { KnownChart } from './chart-registry.ts';
import type { Ring } from './ring.ts';

/** A line of the log that can still be completed. */
export type OpenRow = { -readonly [Key in keyof LogRow]: LogRow[Key] };

export interface Actor {
  readonly path: string;
  readonly kind: ActorRow['kind'];
  /** Of the effect that a machine made it of. */
  src: string | undefined;
  incarnation: number;
  snapshot: Snapshot<unknown> | undefined;
  chart: KnownChart | undefined;
  status: string;
  /** Of a supervisor, which has no snapshot of a machine. */
  state: string | undefined;
  restarts: number;
  events: number;
  sinceMs: number;
  /** Its line is other than the one that was last told. */
  isDirty: boolean;
  /** Of the event that it handles. */
  row: OpenRow | undefined;
  /** Undefined while nobody watches. */
  steps: Ring<Step> | undefined;
}

export const newActor = (path: string, kind: ActorRow['kind'], sinceMs: number): Actor => ({
  path,
  kind,
  src: undefined,
  incarnation: 0,
  snapshot: undefined,
  chart: undefined,
  status: 'running',
  state: undefined,
  restarts: 0,
  events: 0,
  sinceMs,
  isDirty: false,
  row: undefined,
  steps: undefined,
});

/** Path of what it stands below; null for the root. */
export function parentOf(path: string): string | null {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? null : path.slice(0, cut);
}

/** Last part of the path. */
export const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Its line of the tree. */
export function rowOf(actor: Actor): ActorRow {
  const { path, kind, chart, status, restarts, events, sinceMs, snapshot } = actor;
  const label = labelOf(actor);
  const row = {
    path,
    id: idOf(path),
    parent: parentOf(path),
    kind,
    machine: chart?.key ?? null,
    state: snapshot ? stateOf(snapshot) : (actor.state ?? ''),
    status,
    restarts,
    events,
    sinceMs,
  };
  return label === undefined ? row : { ...row, label };
}

/** XState numbers what a state invokes without an id: `0.instance.running`. */
const INVOKED = /^\d+\.[^.]+\.?(.*)$/;

function labelOf({ path, kind, src }: Actor): string | undefined {
  if (kind !== 'own') return undefined;
  const id = idOf(path);
  if (src !== undefined) return src === id ? undefined : src;
  const [, state] = INVOKED.exec(id) ?? [];
  if (state === undefined) return undefined;
  return state === '' ? 'invoked' : `invoked by ${state}`;
}

/** The deepest states, as people name them. */
function stateOf(snapshot: Snapshot<unknown>): string {
  const active = activeOf(snapshot);
  if (active.length === 0) return snapshot.status;
  const leaves = active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)));
  return leaves.join(', ');
}
