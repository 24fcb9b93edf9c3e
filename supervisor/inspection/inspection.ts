/**
 * What happens in a tree, for whoever looks. Its parts ask `isEmpty`, or a hook that is unset while
 * nobody looks: that one comparison is what it costs then.
 */
import type { EventObject, Snapshot } from 'xstate';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { DeadLetter } from '../delivery/dead-letters.ts';
import { stateText } from '../describe.ts';
import type { TreeNode } from '../describe.ts';
import type { Defer } from '../ports.ts';
import type { ExitReasonJson } from '../restart/exit-reason.ts';
import type {
  ActorStarted,
  InspectOptions,
  InspectedActor,
  TimerMoved,
  TransitionDefinition,
  TransitionTaken,
  TreeInspection,
} from './inspection.types.ts';
import { ENTRIES_MAX_DEFAULT, Observation } from './observation.ts';

/** An actor, by what entries say of it. */
export interface Inspected {
  readonly path: string;
  readonly incarnation: number;
}

/** Transitions of one event that are told; a machine that takes more of them by itself is in a loop. */
const TRANSITIONS_MAX = 100;

/** What it needs of its tree. */
export interface InspectionOptions {
  readonly clock: Clock;
  readonly defer: Defer;
  /** The tree as it is, for an observer that comes late. */
  readonly describe: () => { readonly tree: TreeNode; readonly actors: readonly InspectedActor[] };
  /** Somebody began to look, or the last one ceased to. */
  readonly switched: (isOn: boolean) => void;
  /** An observer threw and was removed. */
  readonly failed: (error: unknown) => void;
}

/** One for each tree. */
export class Inspection {
  readonly #options: InspectionOptions;
  readonly #observations = new Set<Observation>();
  /** Of actors that are handling an event. */
  readonly #taken = new WeakMap<Inspected, readonly TransitionDefinition[]>();
  #seq = 0;

  constructor(options: InspectionOptions) {
    this.#options = options;
  }

  /** Nobody looks: nothing need be recorded. */
  get isEmpty(): boolean {
    return this.#observations.size === 0;
  }

  /** Begins with the tree as it is; what happens from now on follows without a gap. */
  observe(observer: (seen: TreeInspection) => void, options: InspectOptions): () => void {
    const { clock, defer, describe, switched, failed } = this.#options;
    const end = (): void => {
      observation.close();
      if (this.#observations.delete(observation) && this.isEmpty) switched(false);
    };
    const observation = new Observation({
      observer,
      entriesMax: Math.max(1, options.entriesMax ?? ENTRIES_MAX_DEFAULT),
      defer,
      failed: (error) => {
        end();
        failed(error);
      },
    });
    observation.add({ type: 'tree.described', seq: this.#seq, atMs: clock.now(), ...describe() });
    if (this.isEmpty) switched(true);
    this.#observations.add(observation);
    return end;
  }

  /** An incarnation began. */
  started({ path, incarnation }: Inspected, type: ActorStarted['type'], src?: string): void {
    const entry = { type, ...this.#next(), path, incarnation };
    this.#add(src === undefined ? entry : { ...entry, src });
  }

  /** An incarnation ended; a machine's own actor has no reason that anybody decides about. */
  stopped({ path, incarnation }: Inspected, reason: ExitReasonJson | undefined): void {
    const entry = { type: 'actor.stopped', ...this.#next(), path, incarnation } as const;
    this.#add(reason ? { ...entry, reason } : entry);
  }

  /** An event is being handled. */
  delivered(
    { path, incarnation }: Inspected,
    event: EventObject,
    source: Inspected | undefined,
  ): void {
    const seq = ++this.#seq;
    const atMs = this.#options.clock.now();
    const type = 'event.delivered';
    this.#add(
      source
        ? { type, seq, atMs, path, incarnation, event, source: source.path }
        : { type, seq, atMs, path, incarnation, event },
    );
  }

  /** A machine took transitions on the way to its next snapshot. */
  stepped(at: Inspected, transitions: readonly TransitionDefinition[]): void {
    const before = this.#taken.get(at);
    if (before === undefined || before.length === 0) this.#taken.set(at, transitions);
    else if (transitions.length > 0 && before.length < TRANSITIONS_MAX)
      this.#taken.set(at, [...before, ...transitions]);
  }

  /** An event was handled. */
  changed(at: Inspected, event: EventObject, snapshot: Snapshot<unknown>): void {
    const { seq, atMs } = this.#next();
    const transitions = this.#taken.get(at);
    if (transitions !== undefined) this.#taken.delete(at);
    this.#add(new Transition(seq, atMs, at, event, snapshot, transitions));
  }

  /** An event reached nobody. */
  lost({ path, event, reason }: DeadLetter): void {
    this.#add({ type: 'mail.lost', ...this.#next(), path, event, reason });
  }

  /** Something happened to a timer. */
  timed(
    { path, incarnation }: Inspected,
    type: TimerMoved['type'],
    timer: string,
    delayMs: number | undefined,
  ): void {
    const entry = { type, ...this.#next(), path, incarnation, timer };
    this.#add(delayMs === undefined ? entry : { ...entry, delayMs });
  }

  #next(): { readonly seq: number; readonly atMs: number } {
    return { seq: ++this.#seq, atMs: this.#options.clock.now() };
  }

  #add(entry: TreeInspection): void {
    for (const observation of this.#observations) observation.add(entry);
  }
}

/** Text of its state only for those who read it. */
class Transition implements TransitionTaken {
  readonly type = 'transition.taken';
  readonly seq: number;
  readonly atMs: number;
  readonly path: string;
  readonly incarnation: number;
  readonly event: EventObject;
  readonly snapshot: Snapshot<unknown>;
  readonly transitions: readonly TransitionDefinition[] | undefined;

  constructor(
    seq: number,
    atMs: number,
    { path, incarnation }: Inspected,
    event: EventObject,
    snapshot: Snapshot<unknown>,
    transitions: readonly TransitionDefinition[] | undefined,
  ) {
    this.seq = seq;
    this.atMs = atMs;
    this.path = path;
    this.incarnation = incarnation;
    this.event = event;
    this.snapshot = snapshot;
    this.transitions = transitions;
  }

  get state(): string {
    const { snapshot } = this;
    return 'value' in snapshot ? stateText(snapshot.value) : snapshot.status;
  }
}
