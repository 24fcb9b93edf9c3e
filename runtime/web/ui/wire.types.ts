/** What the inspector's page and its server say to each other. All of it is plain JSON. */
import type { RecordingInfo, ViewName, Views } from './views.types.ts';

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** One line of the supervision tree. */
export interface ActorRow {
  readonly path: string;
  /** Last part of the path. */
  readonly id: string;
  /** What people call it, where that is not its id: the effect that a machine invoked. */
  readonly label?: string;
  /** Path of what it stands below; null for the root. */
  readonly parent: string | null;
  /** `own`: a machine made it itself. */
  readonly kind: 'supervisor' | 'worker' | 'own';
  /** Key of its chart; null where its logic is no machine. */
  readonly machine: string | null;
  readonly state: string;
  readonly status: string;
  readonly restarts: number;
  /** Events that it has handled since the recording began. */
  readonly events: number;
  /** When it took its status, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

export type LogKind = 'event' | 'start' | 'restart' | 'stop' | 'crash' | 'lost' | 'timer' | 'audit';

/** One line of the event log. */
export interface LogRow {
  /** Counts up; a gap is a loss. */
  readonly seq: number;
  readonly atMs: number;
  readonly kind: LogKind;
  readonly path: string;
  /** Path of the sender, where it is an actor. */
  readonly source?: string;
  /** Type of the event, or what happened. */
  readonly text: string;
  /** The state that came of it. */
  readonly state?: string;
  /** The guard that stood in the way: the event changed nothing. */
  readonly refusedBy?: string;
}

/** An event that a machine may take in its present state. */
export interface Accepted {
  readonly event: string;
  readonly isEnabled: boolean;
  /** The guard that is false. */
  readonly guard?: string;
}

/** One step of an actor that somebody watches. */
export interface Step {
  /** Of the log line of its event. */
  readonly seq: number;
  readonly atMs: number;
  readonly event: string;
  /** Ids of the chart's states. */
  readonly active: readonly string[];
  /** Ids of the chart's transitions that this step took, in their order; those by `always`, too. */
  readonly taken: readonly string[];
  /** The guard that stood in the way: nothing was taken. */
  readonly refusedBy?: string;
  /** Secrets are replaced, and what is too long is cut. */
  readonly context: Json;
}

/** An actor in full; sent again with each change while it is watched. */
export interface ActorDetails {
  readonly path: string;
  readonly incarnation: number;
  readonly machine: string | null;
  readonly status: string;
  readonly active: readonly string[];
  readonly tags: readonly string[];
  readonly accepts: readonly Accepted[];
  readonly context: Json;
  /** Since somebody watches, oldest first. */
  readonly steps: readonly Step[];
}

/** One machine definition, and how many actors stand in each of its states. */
export interface MachineRow {
  readonly key: string;
  readonly name: string;
  readonly actors: number;
  readonly standing: Readonly<Record<string, number>>;
}

export type ServerMessage =
  /** First, and after a resume that came too late: everything. */
  | {
      readonly type: 'all';
      readonly title: string;
      readonly canSend: boolean;
      readonly cursor: number;
      readonly actors: readonly ActorRow[];
      readonly log: readonly LogRow[];
      /** These are rows of a recording: nothing of it is live, and `at` moves in it. */
      readonly recording?: RecordingInfo;
    }
  /** What has changed since the cursor before; ten times a second at most. */
  | {
      readonly type: 'delta';
      readonly cursor: number;
      readonly actors: readonly ActorRow[];
      readonly gone: readonly string[];
      readonly log: readonly LogRow[];
      /** The moment of the recording that the rows are of now; its log came with `all`. */
      readonly at?: number;
    }
  | { readonly type: 'details'; readonly details: ActorDetails }
  /** The watched path has no actor now. */
  | { readonly type: 'absent'; readonly path: string }
  | { readonly type: 'sent'; readonly path: string; readonly event: string; readonly ok: boolean }
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  /** A followed view, at once and after each change. */
  | {
      readonly [Name in ViewName]: {
        readonly type: 'view';
        readonly view: Name;
        readonly body: Views[Name];
      };
    }[ViewName];

export type ClientMessage =
  /** Go on after this cursor; 0 for everything. The first message. */
  | { readonly type: 'resume'; readonly cursor: number }
  | { readonly type: 'watch'; readonly path: string | null }
  /** Tell this view from now on, and no other. */
  | { readonly type: 'follow'; readonly view: ViewName | null }
  /** Only of a recording: go to the moment after this log line; null for its end. */
  | { readonly type: 'at'; readonly seq: number | null }
  | {
      readonly type: 'send';
      readonly path: string;
      readonly event: { readonly type: string; readonly [key: string]: Json };
    };
