/**
 * Keeps what a viewer may want to see of a tree: the newest log lines, one row for each actor, and the
 * steps of the actors that somebody watches. Each event costs a constant; contexts are read only of
 * what is watched.
 */
import type { AnyMachineSnapshot, Snapshot } from 'xstate';
import type {
  SupervisorReport,
  Tree,
  TreeInspection,
  TreeNode,
} from '../../../supervisor/index.ts';
import type {
  ActorDetails,
  ActorRow,
  LogKind,
  LogRow,
  MachineRow,
  Step,
} from '../ui/wire.types.ts';
import { acceptedBy } from './accepts.ts';
import { LOG_ROWS_MAX, STEPS_MAX } from './bounds.ts';
import { ChartRegistry, activeOf, machineOfSnapshot, takenBetween } from './chart-registry.ts';
import type { KnownChart } from './chart-registry.ts';
import { shown } from './redact.ts';
import { Ring } from './ring.ts';

/** What changed since the last one was taken. */
export interface Delta {
  readonly cursor: number;
  readonly actors: readonly ActorRow[];
  readonly gone: readonly string[];
  readonly log: readonly LogRow[];
}

interface Actor {
  readonly path: string;
  readonly kind: ActorRow['kind'];
  incarnation: number;
  snapshot: Snapshot<unknown> | undefined;
  chart: KnownChart | undefined;
  status: string;
  state: string | undefined;
  restarts: number;
  events: number;
  sinceMs: number;
  steps: Ring<Step> | undefined;
}

const KIND_OF: Readonly<Record<string, LogKind>> = {
  'actor.started': 'start',
  'actor.restarted': 'restart',
  'actor.stopped': 'stop',
};

export class Recorder {
  readonly charts = new ChartRegistry();
  readonly #tree: Tree;
  readonly #actors = new Map<string, Actor>();
  readonly #log = new Ring<LogRow>(LOG_ROWS_MAX);
  readonly #fresh = new Ring<LogRow>(LOG_ROWS_MAX);
  readonly #dirty = new Set<string>();
  readonly #gone = new Set<string>();
  readonly #end: readonly (() => void)[];
  /** Paths of actors that ended and may not come back. */
  readonly #stopped = new Set<string>();
  /** Entries were lost since the rows were last true. */
  #isBehind = false;
  #cursor = 0;
  #rows = 0;
  #lastRow: { -readonly [Key in keyof LogRow]: LogRow[Key] } | undefined;

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#end = [
      tree.inspect((seen) => this.#see(seen)),
      tree.onReport((report) => this.#hear(report)),
    ];
  }

  close(): void {
    for (const end of this.#end) end();
  }

  /** Everything, as a first viewer needs it; deltas follow from here. */
  all(): Delta {
    this.#takeFresh();
    return { cursor: ++this.#cursor, gone: [], ...this.peek() };
  }

  /** As `all`, for somebody who does not follow. */
  peek(): { readonly actors: readonly ActorRow[]; readonly log: readonly LogRow[] } {
    return { actors: [...this.#actors.values()].map(rowOf), log: this.#log.toArray() };
  }

  /** What came since the last `all` or `delta`; undefined when nothing did. */
  delta(): Delta | undefined {
    if (this.#dirty.size === 0 && this.#gone.size === 0 && this.#fresh.size === 0) return undefined;
    const { actors, gone, log } = this.#takeFresh();
    return { cursor: ++this.#cursor, actors, gone, log };
  }

  /** Nobody looks any more: what is fresh is of no use. */
  forget(): void {
    this.#takeFresh();
    this.watch(new Set());
  }

  /** Steps are kept of these paths only. */
  watch(paths: ReadonlySet<string>): void {
    for (const actor of this.#actors.values())
      if (!paths.has(actor.path)) actor.steps = undefined;
      else actor.steps ??= new Ring<Step>(STEPS_MAX);
  }

  detailsOf(path: string): ActorDetails | undefined {
    const actor = this.#actors.get(path);
    if (actor === undefined) return undefined;
    const { snapshot, chart, incarnation, status, steps } = actor;
    const active = activeOf(snapshot);
    const machine = snapshot as AnyMachineSnapshot | undefined;
    return {
      path,
      incarnation,
      machine: chart?.key ?? null,
      status,
      active,
      tags: machine?.tags instanceof Set ? [...machine.tags] : [],
      accepts: chart && machine ? acceptedBy(machine, chart, active) : [],
      context: shown(machine?.context ?? null),
      steps: steps?.toArray() ?? [],
    };
  }

  machines(): MachineRow[] {
    const rows = new Map<string, { actors: number; standing: Record<string, number> }>(
      this.charts.keys().map((key) => [key, { actors: 0, standing: {} }]),
    );
    for (const { chart, snapshot } of this.#actors.values()) {
      const row = chart && rows.get(chart.key);
      if (!row) continue;
      row.actors++;
      for (const state of activeOf(snapshot)) row.standing[state] = (row.standing[state] ?? 0) + 1;
    }
    return [...rows].map(([key, row]) => ({
      key,
      name: this.charts.get(key)?.chart.name ?? key,
      ...row,
    }));
  }

  /** A line for what a viewer did. */
  audit(path: string, text: string): void {
    this.#write({ atMs: Date.now(), kind: 'audit', path, text });
  }

  #takeFresh(): Omit<Delta, 'cursor'> {
    if (this.#isBehind) this.#lookAgain();
    this.#removeForgotten();
    const actors = [...this.#dirty].flatMap((path) => {
      const actor = this.#actors.get(path);
      return actor ? [rowOf(actor)] : [];
    });
    const [gone, log] = [[...this.#gone], this.#fresh.toArray()];
    this.#dirty.clear();
    this.#gone.clear();
    this.#fresh.clear();
    this.#lastRow = undefined;
    return { actors, gone, log };
  }

  #see(seen: TreeInspection): void {
    switch (seen.type) {
      case 'tree.described': {
        this.#describe(seen.tree);
        for (const { path, incarnation, snapshot } of seen.actors)
          this.#take(this.#actor(path, 'own', seen.atMs), incarnation, snapshot);
        return;
      }
      case 'actor.started':
      case 'actor.restarted':
      case 'actor.stopped':
        this.#move(seen);
        return;
      case 'event.delivered':
        this.#deliver(seen);
        return;
      case 'transition.taken':
        this.#step(seen);
        return;
      case 'mail.lost':
        this.#write({ ...line(seen, 'lost'), text: `${seen.event.type}: ${seen.reason}` });
        return;
      case 'entries.lost':
        this.#isBehind = true;
        this.#write({ ...line({ ...seen, path: '' }, 'lost'), text: `${seen.lost} entries` });
        return;
      default:
        this.#write({ ...line(seen, 'timer'), text: `${seen.type} ${seen.timer}` });
    }
  }

  /** After a loss the tree itself is asked: rows are right again, lines of the log are gone. */
  #lookAgain(): void {
    this.#isBehind = false;
    const known = new Set<string>();
    const look = (node: TreeNode): void => {
      known.add(node.path);
      const actor = this.#actor(node.path, node.kind, node.sinceMs);
      this.#take(actor, node.incarnation, this.#tree.snapshotOf(node.path));
      for (const child of node.children) look(child);
    };
    const tree = this.#tree.describe();
    this.#describe(tree);
    look(tree);
    for (const { path, kind } of this.#actors.values())
      if (!known.has(kind === 'own' ? (parentOf(path) ?? path) : path)) this.#remove(path);
  }

  #describe(node: TreeNode): void {
    const actor = this.#actor(node.path, node.kind, node.sinceMs);
    const { status, restarts, sinceMs, state, incarnation } = node;
    Object.assign(actor, { status, restarts, sinceMs, state, incarnation });
    for (const child of node.children) this.#describe(child);
  }

  #actor(path: string, kind: ActorRow['kind'], sinceMs: number): Actor {
    const known = this.#actors.get(path);
    if (known !== undefined) return known;
    const actor: Actor = {
      path,
      kind,
      incarnation: 0,
      snapshot: undefined,
      chart: undefined,
      status: 'running',
      state: undefined,
      restarts: 0,
      events: 0,
      sinceMs,
      steps: undefined,
    };
    this.#actors.set(path, actor);
    this.#gone.delete(path);
    this.#dirty.add(path);
    return actor;
  }

  #take(actor: Actor, incarnation: number, snapshot: Snapshot<unknown> | undefined): void {
    actor.incarnation = incarnation;
    actor.snapshot = snapshot;
    const machine = machineOfSnapshot(snapshot);
    if (machine && actor.chart === undefined) actor.chart = this.charts.of(machine);
    this.#dirty.add(actor.path);
  }

  #move(seen: Extract<TreeInspection, { type: `actor.${string}` }>): void {
    const { type, path, atMs, incarnation } = seen;
    const reason = seen.type === 'actor.stopped' ? seen.reason : undefined;
    this.#write({
      ...line(seen, KIND_OF[type] ?? 'stop'),
      text: reason === undefined ? type.slice(6) : `stopped: ${reason.type}`,
    });
    const actor = this.#actor(path, this.#kindOf(path), atMs);
    actor.sinceMs = atMs;
    this.#dirty.add(path);
    if (type === 'actor.stopped') {
      actor.status = 'stopped';
      this.#stopped.add(path);
      return;
    }
    actor.status = 'running';
    this.#stopped.delete(path);
    this.#take(actor, incarnation, this.#tree.snapshotOf(path));
  }

  #kindOf(path: string): ActorRow['kind'] {
    if (this.#tree.supervisor(path) !== undefined) return 'supervisor';
    return this.#tree.supervisor(parentOf(path) ?? path) === undefined ? 'own' : 'worker';
  }

  /** A child that its supervisor still has keeps its line. Each supervisor is asked once. */
  #removeForgotten(): void {
    const known = new Map<string, ReadonlySet<string>>();
    const idsOf = (supervisor: string): ReadonlySet<string> => {
      const ids =
        known.get(supervisor) ?? new Set(this.#tree.whichChildren(supervisor).map(({ id }) => id));
      known.set(supervisor, ids);
      return ids;
    };
    for (const path of this.#stopped) {
      const parent = parentOf(path);
      if (parent !== null && !idsOf(parent).has(idOf(path))) this.#remove(path);
    }
    this.#stopped.clear();
  }

  #remove(path: string): void {
    this.#actors.delete(path);
    this.#dirty.delete(path);
    this.#gone.add(path);
  }

  #deliver(seen: Extract<TreeInspection, { type: 'event.delivered' }>): void {
    const actor = this.#actor(seen.path, 'own', seen.atMs);
    actor.events++;
    this.#dirty.add(seen.path);
    const row = { ...line(seen, 'event'), text: seen.event.type };
    this.#write(seen.source === undefined ? row : { ...row, source: seen.source });
  }

  #step(seen: Extract<TreeInspection, { type: 'transition.taken' }>): void {
    const { path, incarnation, snapshot, event, atMs, seq } = seen;
    const actor = this.#actor(path, 'own', atMs);
    const before = actor.steps ? activeOf(actor.snapshot) : [];
    this.#take(actor, incarnation, snapshot);
    const last = this.#lastRow;
    if (last?.path === path) last.state = seen.state;
    if (!actor.steps) return;
    const active = activeOf(snapshot);
    actor.steps.push({
      seq,
      atMs,
      event: event.type,
      active,
      taken: actor.chart ? takenBetween(actor.chart, before, active, event.type) : [],
      context: shown((snapshot as Partial<AnyMachineSnapshot>).context ?? null),
    });
  }

  #hear(report: SupervisorReport): void {
    const actor = this.#actors.get(report.path);
    if (report.type === 'restart' && actor) actor.restarts = report.restarts;
    if (report.type === 'crash' || report.type === 'start_error') {
      const cause = report.type === 'crash' ? report.reason : { type: 'start_error' };
      const text = `${report.type}: ${JSON.stringify(shown(cause)).slice(0, 200)}`;
      this.#write({ atMs: report.atMs, kind: 'crash', path: report.path, text });
      if (actor) actor.status = 'crashed';
    }
    if (actor) this.#dirty.add(report.path);
  }

  #write(row: Omit<LogRow, 'seq'>): void {
    const numbered = { ...row, seq: ++this.#rows };
    this.#log.push(numbered);
    this.#fresh.push(numbered);
    // Its state is filled in when the event has been handled.
    this.#lastRow = numbered;
  }
}

const line = (
  { atMs, path }: { readonly atMs: number; readonly path: string },
  kind: LogKind,
): Omit<LogRow, 'text' | 'seq'> => ({ atMs, kind, path });

const parentOf = (path: string): string | null => {
  const cut = path.lastIndexOf('/');
  return cut < 0 ? null : path.slice(0, cut);
};

const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function rowOf(actor: Actor): ActorRow {
  const { path, kind, chart, status, restarts, events, sinceMs, snapshot } = actor;
  return {
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
}

/** The deepest states, as people name them. */
function stateOf(snapshot: Snapshot<unknown>): string {
  const active = activeOf(snapshot);
  if (active.length === 0) return snapshot.status;
  const leaves = active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)));
  return leaves.join(', ');
}
