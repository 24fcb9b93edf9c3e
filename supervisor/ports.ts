/** What the supervisor needs from the world and is given by whoever creates a tree. */
import type { EventObject, Snapshot } from 'xstate';
import type { Clock } from '../machines/kernel/clock.ts';
import type { Random } from '../machines/kernel/random.ts';

/** Runs `slice` later, in a turn of its own. */
export type Defer = (slice: () => void) => void;

/** Finds the actor that an asynchronous error belongs to. */
export interface AsyncAttribution {
  /** Calls `fn(...args)`; whatever it schedules, and throws later, belongs to `owner`. */
  run<Args extends unknown[], Result>(
    owner: object,
    fn: (...args: Args) => Result,
    ...args: Args
  ): Result;
  /**
   * Calls `listener` with each error that nobody caught and that has an owner. The listener answers
   * whether it knows that owner. Returns how to stop listening.
   */
  onError(listener: (owner: object, error: unknown) => boolean): () => void;
}

/** One line for the operator; structured, never formatted here. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly details?: unknown;
}

/** Where lines go. */
export type Logger = (line: LogLine) => void;

/** What a tree works with. */
export interface TreeOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Starts the next slice when one has used up its events; default: a microtask. */
  readonly defer?: Defer;
  /** Without it, an asynchronous throw is nobody's and ends the process, as in plain XState. */
  readonly attribute?: AsyncAttribution;
  /** Gets what machines `log`, and errors of listeners. Default: nobody. */
  readonly logger?: Logger;
  /**
   * Where snapshots of `resume: 'snapshot'` children are kept. Without it such a child starts fresh.
   */
  readonly journal?: SnapshotJournal;
}

/** Keeps the last persisted snapshot of an actor, by path. */
export interface SnapshotJournal {
  /** The snapshot to continue from, if there is one that can be trusted. */
  load(path: string): Snapshot<unknown> | undefined;
  /** Keeps the newest snapshot; must not throw. */
  save(path: string, snapshot: Snapshot<unknown>): void;
  /** Called when the child is removed for good. */
  forget(path: string): void;
}

/** One thing that an actor received or became. */
export interface TreeInspection {
  readonly type: 'event' | 'snapshot';
  /** Path of the supervised child; a machine's own children follow it after a slash. */
  readonly path: string;
  readonly event: EventObject;
  /** Path of the sender, if it is an actor of this tree. */
  readonly source?: string;
  readonly snapshot?: Snapshot<unknown>;
}
