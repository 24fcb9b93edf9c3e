/**
 * Keeps what a viewer may want to see of a tree: the newest log lines, one row for each actor, and the
 * steps of the actors that somebody watches. Each event costs a constant; contexts are read only of
 * what is watched.
 */
import type { AnyMachineSnapshot } from 'xstate';
import type { SupervisorReport, Tree, TreeInspection } from '../../../supervisor/index.ts';
import type {
  ActorDetails,
  ActorRow,
  LogKind,
  LogRow,
  MachineRow,
  Step,
} from '../ui/wire.types.ts';
import { acceptedBy } from './accepts.ts';
import { rowOf } from './actor.ts';
import type { Actor } from './actor.ts';
import { ActorTable } from './actor-table.ts';
import { STEPS_MAX } from './bounds.ts';
import { activeOf } from './chart-registry.ts';
import type { ChartRegistry } from './chart-registry.ts';
import { Log } from './log.ts';
import { machineRows } from './machine-rows.ts';
import { shown } from './redact.ts';
import { Ring } from './ring.ts';
import { refusalOf, takenIds, threadShowOf } from './taken.ts';

/** What changed since the last one was taken. */
export interface Delta {
  readonly cursor: number;
  readonly actors: readonly ActorRow[];
  readonly gone: readonly string[];
  readonly log: readonly LogRow[];
}

type Taken = Extract<TreeInspection, { type: 'transition.taken' }>;
type Moved = Extract<TreeInspection, { type: `actor.${string}` }>;

const KIND_OF: Readonly<Record<Moved['type'], LogKind>> = {
  'actor.started': 'start',
  'actor.restarted': 'restart',
  'actor.stopped': 'stop',
};

/** Told of each step of every actor. */
export type OnStep = (path: string, step: Omit<Step, 'context'>, context: unknown) => void;

export class Recorder {
  readonly #table: ActorTable;
  readonly #onStep: OnStep | undefined;
  readonly #log = new Log();
  readonly #end: readonly (() => void)[];
  /** Entries were lost since the rows were last true. */
  #isBehind = false;
  #cursor = 0;

  /** With `onStep`, steps of all actors are made, and not only of those that are watched. */
  constructor(tree: Tree, onStep?: OnStep) {
    this.#table = new ActorTable(tree);
    this.#onStep = onStep;
    this.#end = [
      tree.inspect((seen) => this.#see(seen)),
      tree.onReport((report) => this.#hear(report)),
    ];
  }

  get charts(): ChartRegistry {
    return this.#table.charts;
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
    return { actors: [...this.#table.all()].map(rowOf), log: this.#log.all() };
  }

  /** What came since the last `all` or `delta`; undefined when nothing did. */
  delta(): Delta | undefined {
    if (!this.#table.hasChanges && !this.#log.hasFresh) return undefined;
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
    for (const actor of this.#table.all())
      if (!paths.has(actor.path)) actor.steps = undefined;
      else actor.steps ??= new Ring<Step>(STEPS_MAX);
  }

  detailsOf(path: string): ActorDetails | undefined {
    const actor = this.#table.get(path);
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

  /** Everything known of the actors, as it is inside. */
  actors(): Iterable<Actor> {
    return this.#table.all();
  }

  machines(): MachineRow[] {
    return machineRows(this.charts, this.#table.all());
  }

  /** A line for what a viewer did. */
  audit(path: string, text: string): void {
    this.#log.write({ atMs: Date.now(), kind: 'audit', path, text });
  }

  #takeFresh(): Omit<Delta, 'cursor'> {
    if (this.#isBehind) this.#table.lookAgain();
    this.#isBehind = false;
    return { ...this.#table.takeChanges(), log: this.#log.takeFresh() };
  }

  #see(seen: TreeInspection): void {
    switch (seen.type) {
      case 'tree.described':
        this.#table.describe(seen);
        return;
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
        this.#log.write({ ...line(seen, 'lost'), text: `${seen.event.type}: ${seen.reason}` });
        return;
      case 'entries.lost':
        this.#isBehind = true;
        this.#log.write({ ...line({ ...seen, path: '' }, 'lost'), text: `${seen.lost} entries` });
        return;
      default:
        this.#log.write({ ...line(seen, 'timer'), text: `${seen.type} ${seen.timer}` });
    }
  }

  #move(seen: Moved): void {
    const { type, path, atMs, incarnation } = seen;
    const reason = seen.type === 'actor.stopped' ? seen.reason : undefined;
    this.#log.write({
      ...line(seen, KIND_OF[type]),
      text: reason === undefined ? type.slice('actor.'.length) : `stopped: ${reason.type}`,
    });
    if (seen.type === 'actor.stopped') this.#table.stopped(path, atMs);
    else this.#table.started(path, atMs, incarnation, seen.src);
  }

  #deliver(seen: Extract<TreeInspection, { type: 'event.delivered' }>): void {
    const actor = this.#table.at(seen.path, 'own', seen.atMs);
    actor.events++;
    this.#table.changed(actor);
    const row = { ...line(seen, 'event'), text: seen.event.type };
    // Its state is filled in when the event has been handled.
    actor.row = this.#log.write(seen.source === undefined ? row : { ...row, source: seen.source });
  }

  #step(seen: Taken): void {
    const { path, incarnation, snapshot, event, transitions } = seen;
    const actor = this.#table.at(path, 'own', seen.atMs);
    this.#table.take(actor, incarnation, snapshot);
    const { row, chart } = actor;
    actor.row = undefined;
    const isUnmoved = transitions?.length === 0 && chart !== undefined;
    const refusedBy = isUnmoved ? refusalOf(chart, snapshot, event.type) : undefined;
    if (row && this.#log.isOpen(row)) {
      row.state = seen.state;
      if (refusedBy !== undefined) row.refusedBy = refusedBy;
    }
    if (!actor.steps && !this.#onStep) return;
    const step = stepOf(seen, row?.seq ?? this.#log.seq, refusedBy);
    const { context } = snapshot as Partial<AnyMachineSnapshot>;
    this.#onStep?.(path, step, context);
    actor.steps?.push({ ...step, context: shown(context ?? null) });
  }

  #hear(report: SupervisorReport): void {
    const { path, atMs } = report;
    const actor = this.#table.get(path);
    if (report.type === 'restart' && actor) actor.restarts = report.restarts;
    if (report.type === 'crash' || report.type === 'start_error') {
      const cause = report.type === 'crash' ? report.reason : { type: 'start_error' };
      const text = `${report.type}: ${JSON.stringify(shown(cause)).slice(0, 200)}`;
      this.#log.write({ atMs, kind: 'crash', path, text });
      if (actor) actor.status = 'crashed';
    }
    if (actor) this.#table.changed(actor);
  }
}

const line = (
  { atMs, path }: { readonly atMs: number; readonly path: string },
  kind: LogKind,
): Omit<LogRow, 'text' | 'seq'> => ({ atMs, kind, path });

function stepOf(
  { atMs, event, snapshot, transitions }: Taken,
  seq: number,
  refusedBy: string | undefined,
): Omit<Step, 'context'> {
  const shown = transitions === undefined ? threadShowOf(snapshot) : undefined;
  const step = {
    seq,
    atMs,
    event: shown?.event ?? event.type,
    active: activeOf(snapshot),
    taken: shown?.taken ?? takenIds(transitions ?? []),
  };
  return refusedBy === undefined ? step : { ...step, refusedBy };
}
