/**
 * What an observer of a tree is told. An entry is plain data but for snapshots, which are XState's own
 * objects and never change; what costs more than a reference is made when it is read.
 */
import type { EventObject, Snapshot } from 'xstate';
import type { DeadLetterReason } from '../delivery/dead-letters.ts';
import type { TreeNode } from '../describe.ts';
import type { ExitReasonJson } from '../restart/exit-reason.ts';

/** Common to all entries. */
interface Entry {
  /** Counts up by one for each entry of the tree, the same for all observers; a gap is a loss. */
  readonly seq: number;
  /** Wall-clock time in milliseconds since the epoch. */
  readonly atMs: number;
}

/** About one actor: a supervised child, a supervisor, or an actor that a machine made itself. */
interface ActorEntry extends Entry {
  /** A machine's own actors follow it after a slash. */
  readonly path: string;
  readonly incarnation: number;
}

/** An actor as it was when the observer came. */
export interface InspectedActor {
  readonly path: string;
  readonly incarnation: number;
  readonly snapshot: Snapshot<unknown>;
  /** Name of the effect, where a machine made the actor of one. */
  readonly src?: string;
}

/** The first entry of each observer: everything that is there already. */
export interface TreeDescribed extends Entry {
  readonly type: 'tree.described';
  readonly tree: TreeNode;
  /** Every running actor, also those that machines made themselves. */
  readonly actors: readonly InspectedActor[];
}

/** An incarnation has begun; it need not be ready yet. */
export interface ActorStarted extends ActorEntry {
  readonly type: 'actor.started' | 'actor.restarted';
  /** Name of the effect, where a machine made the actor of one. */
  readonly src?: string;
}

/** An incarnation has ended. */
export interface ActorStopped extends ActorEntry {
  readonly type: 'actor.stopped';
  /** Only of supervised children. */
  readonly reason?: ExitReasonJson;
}

/** An event reached its actor. */
export interface EventDelivered extends ActorEntry {
  readonly type: 'event.delivered';
  readonly event: EventObject;
  /** Path of the sender, if it is an actor of this tree. */
  readonly source?: string;
}

/** As much of XState's definition of a transition as tells which one it is. */
export interface TransitionDefinition {
  /** Descriptor of the event; empty where the transition needs none. */
  readonly eventType: string;
  readonly source: { readonly path: readonly string[] };
}

/** An actor has a new snapshot; one in a thread tells the last of several. */
export interface TransitionTaken extends ActorEntry {
  readonly type: 'transition.taken';
  readonly event: EventObject;
  readonly snapshot: Snapshot<unknown>;
  /**
   * The transitions that led here, in their order, as XState's own definitions: also those that a raised
   * event or no event brought. Empty where the event changed nothing; undefined of what is no
   * machine, or runs in a thread.
   */
  readonly transitions: readonly TransitionDefinition[] | undefined;
  /** The state as text, made when it is read: `serving.idle`, or a status where there is no chart. */
  readonly state: string;
}

/** An event reached nobody. */
export interface MailLost extends Entry {
  readonly type: 'mail.lost';
  readonly path: string;
  readonly event: EventObject;
  readonly reason: DeadLetterReason;
}

/** A delayed event was set, has fired, or was cancelled. */
export interface TimerMoved extends ActorEntry {
  readonly type: 'timer.set' | 'timer.fired' | 'timer.cancelled';
  readonly timer: string;
  /** Only of `timer.set`, in milliseconds. */
  readonly delayMs?: number;
}

/** The observer was slower than the tree: this many entries before the next one were dropped. */
export interface EntriesLost extends Entry {
  readonly type: 'entries.lost';
  readonly lost: number;
  /** Of this observer since it came. */
  readonly lostInAll: number;
}

/** One thing that happened in a tree. */
export type TreeInspection =
  | TreeDescribed
  | ActorStarted
  | ActorStopped
  | EventDelivered
  | TransitionTaken
  | MailLost
  | TimerMoved
  | EntriesLost;

/** How an observer is served. */
export interface InspectOptions {
  /** Entries that may wait for the observer; default 4096. The oldest give way. */
  readonly entriesMax?: number;
}
