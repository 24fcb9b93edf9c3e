/** What a supervisor is told about its children; the words and the defaults are OTP's. */
import type { AnyActorLogic, InputFrom, Snapshot, SnapshotFrom } from 'xstate';
import type { ResumeOptions } from './durable/resume-options.ts';
import type { Backoff } from './restart/backoff.ts';

/** When a child that ended by itself is started again. */
export type RestartType = 'permanent' | 'transient' | 'temporary';
/** Which siblings a restart takes along. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one';
/** Whether the end of significant children ends their supervisor. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';
/** Milliseconds to stop in, or not at all, or without limit. */
export type Shutdown = number | 'brutal_kill' | 'infinity';
/** What becomes of mail that waits when its child restarts; the event that crashed it is always lost. */
export type MailboxOnRestart = 'keep' | 'drop' | 'dead_letter';

/** What gives way when a mailbox is full. */
export type Overflow =
  /** The letter that comes is dropped, and counted. */
  | 'drop_newest'
  /** The letter that has waited longest is dropped, and counted. */
  | 'drop_oldest'
  /** The letter that comes is refused: counted, and a dead letter. */
  | 'refuse';

/**
 * How much mail of others a child takes. What it sends to itself, what its own children send and what
 * its supervisor tells it has room always.
 */
export interface BoundedMailbox {
  /** Letters that may wait; default no bound while it runs, and 1000 while it restarts. */
  readonly capacity?: number;
  /** Default `refuse`. */
  readonly overflow?: Overflow;
  /** Default `keep`. */
  readonly onRestart?: MailboxOnRestart;
  /** `stash` lets mail wait until the child is `ready`. Default `deliver`. */
  readonly whileStarting?: 'deliver' | 'stash';
}

/** Where a child runs: in the thread of its tree, or in one of its own. */
export type Placement = 'local' | 'thread';

/** Which incarnation an input is for. */
export interface InputScope {
  readonly path: string;
  /** 1 for the first start, one more for each further. */
  readonly incarnation: number;
}

/** A worker: any XState actor and how it is kept. */
export interface ChildSpec {
  /** Unique in its supervisor; becomes the last segment of the child's path. */
  readonly id: string;
  /** Any XState actor logic: machine, promise, callback, observable, transition. */
  readonly logic: AnyActorLogic;
  /** Input of the logic; a function is called at every start. */
  readonly input?: unknown;
  /** Default `permanent`. */
  readonly restart?: RestartType;
  /** Default 5000. Logic that declares no `stop` event is stopped at once in any case. */
  readonly shutdown?: Shutdown;
  readonly type?: 'worker';
  /** Its end may end its supervisor, see `autoShutdown`; not with `permanent`. Default false. */
  readonly significant?: boolean;
  /** The child is up when this holds of its snapshot. Default: as soon as it has started. */
  ready?(this: void, snapshot: Snapshot<unknown>): boolean;
  /** How long it may take to become ready, in milliseconds; default 30 000. */
  readonly startTimeoutMs?: number;
  /** Default: restart at once, as OTP does. */
  readonly backoff?: Backoff;
  /**
   * `snapshot` continues from the journal, where the tree has one, and keeps every transition; the
   * options say otherwise. Default `fresh`.
   */
  readonly resume?: 'fresh' | 'snapshot' | ResumeOptions;
  /** A word says what becomes of waiting mail at a restart; default `keep`, without a bound. */
  readonly mailbox?: MailboxOnRestart | BoundedMailbox;
  /**
   * `thread` runs it in a worker thread of its own; then `logic` is `threadLogic(…)`. Default `local`.
   */
  readonly placement?: Placement;
}

/** A supervisor: how it restarts its children, and which they are. */
export interface SupervisorSpec {
  readonly id: string;
  readonly type: 'supervisor';
  /** Default `one_for_one`. */
  readonly strategy?: Strategy;
  /** Restarts allowed within `periodMs`; default 1. */
  readonly intensity?: number;
  /** Default 5000. */
  readonly periodMs?: number;
  /** Default `never`. */
  readonly autoShutdown?: AutoShutdown;
  /** In start order. With `simple_one_for_one`: exactly one, the template of those added later. */
  readonly children?: readonly AnyChildSpec[];
  /** Children it may have at once; default no limit. */
  readonly maxChildren?: number;
  /** Default `permanent`. */
  readonly restart?: RestartType;
  /** Default `infinity`. */
  readonly shutdown?: Shutdown;
  readonly significant?: boolean;
}

/** What a supervisor can have for a child. */
export type AnyChildSpec = ChildSpec | SupervisorSpec;

/** For `simple_one_for_one`: what differs from the template. Without an id it gets a number. */
export interface TemplateChild {
  readonly id?: string;
  readonly input?: unknown;
}

/** As OTP. */
export const INTENSITY_DEFAULT = 1;
/** As OTP. */
export const PERIOD_MS_DEFAULT = 5000;
/** As OTP, for workers; supervisors get `infinity`. */
export const SHUTDOWN_MS_DEFAULT = 5000;
/** OTP waits for ever for a child's start; nothing here does. */
export const START_TIMEOUT_MS_DEFAULT = 30_000;

/** Whether the spec is one of a supervisor. */
export const isSupervisorSpec = (spec: AnyChildSpec): spec is SupervisorSpec =>
  spec.type === 'supervisor';

/** The restart type, with its default. */
export const restartOf = (spec: AnyChildSpec): RestartType => spec.restart ?? 'permanent';

/** The time to stop in, with its default. */
export const shutdownOf = (spec: AnyChildSpec): Shutdown =>
  spec.shutdown ?? (isSupervisorSpec(spec) ? 'infinity' : SHUTDOWN_MS_DEFAULT);

/** Input for the logic: needed where the logic needs one. */
export type ChildInput<Logic extends AnyActorLogic> =
  undefined extends InputFrom<Logic>
    ? { readonly input?: InputFrom<Logic> | ((scope: InputScope) => InputFrom<Logic>) }
    : { readonly input: InputFrom<Logic> | ((scope: InputScope) => InputFrom<Logic>) };

/** A child spec whose `input` and `ready` are checked against the logic. */
export type ChildSpecFor<Id extends string, Logic extends AnyActorLogic> = Omit<
  ChildSpec,
  'id' | 'logic' | 'input' | 'ready'
> &
  ChildInput<Logic> & {
    readonly id: Id;
    readonly logic: Logic;
    ready?(this: void, snapshot: SnapshotFrom<Logic>): boolean;
  };

/** A child spec that knows its id and its logic. */
export interface TypedChildSpec<Id extends string, Logic extends AnyActorLogic> extends ChildSpec {
  readonly id: Id;
  readonly logic: Logic;
}

/**
 * A child spec, with types inferred from its logic.
 *
 * @example
 * childSpec({ id: 'door', logic: doorMachine, ready: (snapshot) => snapshot.matches('closed') })
 */
export const childSpec = <const Id extends string, Logic extends AnyActorLogic>(
  spec: ChildSpecFor<Id, Logic>,
): TypedChildSpec<Id, Logic> => spec;
