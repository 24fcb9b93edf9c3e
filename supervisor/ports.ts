/** What the supervisor needs from the world and is given by whoever creates a tree. */
import type { EventObject, Snapshot } from 'xstate';
import type { Clock } from '../machines/kernel/clock.ts';
import type { Random } from '../machines/kernel/random.ts';
import type { Journal } from './durable/journal.ts';
import type { ThreadPlace } from './placement/thread-logic.ts';
import type { ExitReason } from './restart/exit-reason.ts';

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
  /**
   * What an event does to a machine in one of its states is worked out once and then repeated from a
   * plan, wherever that is proved to be the same. False lets XState work it out each time. Default
   * true.
   */
  readonly plans?: boolean;
  /** Gets what machines `log`, and errors of listeners. Default: nobody. */
  readonly logger?: Logger;
  /**
   * Where children with `resume: 'snapshot'` are kept; its owner closes it, after the tree has ended.
   * Without it such a child starts fresh.
   */
  readonly journal?: Journal;
  /** Where children with `placement: 'thread'` run. Without it their start fails by code. */
  readonly threads?: Threads;
}

/** Starts threads for actors, one for each incarnation. */
export interface Threads {
  /**
   * Starts a thread and in it the actor. What becomes of it is told to `listener`, never before this
   * has returned. A thread of the same path that still ends is waited for. Throws
   * `MESH_ERR_SUPERVISOR_THREADS_EXHAUSTED`.
   */
  open(order: ThreadOrder, listener: (fact: ThreadFact) => void): ThreadLink;
  /** Resolves when each thread whose link was ended is gone, or will not go within seconds. */
  settled(): Promise<void>;
}

/** What a thread is to run; it crosses by structured clone. */
export interface ThreadOrder {
  readonly path: string;
  readonly incarnation: number;
  readonly place: ThreadPlace;
  readonly input: unknown;
  /** To continue from. */
  readonly snapshot: Snapshot<unknown> | undefined;
}

/** The way to one thread. */
export interface ThreadLink {
  /** Mail for the actor, in order; it waits while the thread is starting. */
  post(events: readonly EventObject[]): void;
  /** Asks the actor to stop: by the `stop` event if it declares one, else at once. */
  stop(): void;
  /** Ends the thread, whatever it is doing; after this nothing more is told. Idempotent. */
  end(): void;
  /** Letters of `post` that the actor has begun to handle; right also when the thread has died. */
  readonly begun: number;
}

/** What a thread tells. */
export type ThreadFact =
  /** The actor is up, or has a new snapshot; several changes at once may tell only the last. */
  | { readonly type: 'thread.seen'; readonly snapshot: ThreadSnapshot }
  /** The actor reached its end, orderly or not; the thread may be gone already. */
  | {
      readonly type: 'thread.ended';
      readonly reason: ExitReason;
      readonly snapshot?: ThreadSnapshot | undefined;
    }
  /** An actor in the thread sent mail to a path of the tree. */
  | { readonly type: 'mail.sent'; readonly path: string; readonly event: EventObject }
  /** The actor emitted an event. */
  | { readonly type: 'event.emitted'; readonly event: EventObject }
  /** Mail inside the thread that reached nobody. */
  | { readonly type: 'mail.lost'; readonly path: string; readonly event: EventObject }
  /** An error in the thread that ended nobody. */
  | { readonly type: 'error.stray'; readonly path: string; readonly error: unknown }
  | { readonly type: 'line.logged'; readonly line: LogLine };

/** A persisted snapshot, and what is lost by persisting it. */
export interface ThreadSnapshot {
  readonly persisted: Snapshot<unknown>;
  /** Only of a machine. */
  readonly tags?: readonly string[];
  /**
   * For whoever looks at the actor, and passed on unread; each field counts until the thread tells
   * another.
   */
  readonly shown?: Readonly<Record<string, unknown>>;
}
