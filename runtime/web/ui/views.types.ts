/**
 * What the pages beside the tree show: workloads, the mesh around them, messages, coverage of charts,
 * and recordings. All of it is plain JSON.
 *
 *     GET  /api/workloads                   WorkloadsView
 *     POST /api/workloads/:app/rollback     {"generation"?: n} → {"app", "generation"}; needs allow-send
 *     GET  /api/mesh                        MeshView
 *     GET  /api/messages                    MessagesView
 *     GET  /api/machines/:key/coverage      CoverageView
 *     POST /api/recordings                  a recording's bytes → 201 OpenedRecording
 *
 * The first, third and fourth also come live: `{type:'follow', view}` on the socket, and from then on
 * `{type:'view', view, body}` at once and after each change. A recording is looked at as if it were
 * live, at `/live?recording=ID` and `/api/…?recording=ID`; `{type:'at', seq}` goes to a moment of it.
 * A refused request answers `{"error": {code, message, hint}}`.
 */
import type { CoordinatorView } from '../../coordinator/coordinator-view.ts';

/** Something that need not be there; then why, and the command that brings it. */
export type Offer<Body> =
  | ({ readonly available: true } & Body)
  | { readonly available: false; readonly why: string; readonly hint: string };

/** One OS process of an app. */
export interface InstanceLine {
  readonly instance: string;
  readonly node: string;
  /** `active` takes traffic, a `candidate` proves itself. */
  readonly role: string;
  readonly state: string;
  readonly pid: number | null;
  readonly port: number | null;
  readonly digest: string;
  readonly version: string;
  readonly restarts: number;
  readonly sinceMs: number;
  /** Path of its actor, for a link. */
  readonly path: string;
}

/** One deployment, and how it ended. */
export interface DeploymentLine {
  readonly generation: number;
  readonly digest: string;
  readonly version: string;
  readonly strategy: string;
  readonly outcome: 'pending' | 'succeeded' | 'reverted' | 'failed' | 'superseded' | 'stopped';
  /** Why it ended so: the code can be explained by `mesh explain`. */
  readonly reason: {
    readonly code: string;
    readonly message: string;
    readonly logTail: readonly string[];
  } | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/** One app. */
export interface WorkloadLine {
  readonly app: string;
  readonly state: 'deploying' | 'running' | 'degraded' | 'crash_looping' | 'failed' | 'stopped';
  /** Why it is not `running`, in one sentence. */
  readonly why: string | null;
  /** Of the plan. */
  readonly digest: string;
  readonly version: string;
  readonly generation: number;
  readonly strategy: string;
  readonly min: number;
  readonly max: number;
  readonly restarts: number;
  readonly serving: number;
  readonly instances: readonly InstanceLine[];
  /** Newest first, at most ten. */
  readonly deployments: readonly DeploymentLine[];
}

/** The Workloads page. */
export type WorkloadsView = Offer<{ readonly apps: readonly WorkloadLine[] }>;

/** The mesh certificate of an instance, or of the edge, which has no app, node and instance. */
export interface CertificateLine {
  readonly app: string | null;
  readonly node: string | null;
  readonly instance: string | null;
  readonly state: 'obtaining' | 'valid' | 'renewing' | 'expired' | 'refused';
  /** Null while there is none, as are the others. */
  readonly spiffeId: string | null;
  /** Lower-case hex. */
  readonly serialNumber: string | null;
  /** RFC 3339. */
  readonly notAfter: string | null;
  /** RFC 3339: half of its life. */
  readonly renewAt: string | null;
  readonly renewals: number;
  /** Why the last try failed. */
  readonly failure: string | null;
}

/** Somebody with whom messages are exchanged. */
export interface PeerLine {
  readonly peer: string;
  readonly state: string;
  readonly address: string | null;
  readonly lastSeenMs: number | null;
}

/** One end of a connection, as far as it is known. */
export interface AccessEnd {
  readonly name: string;
  /** What its certificate says; null where it has none, or where they are many. */
  readonly spiffeId: string | null;
}

/** Somebody who may speak to somebody. */
export interface AccessLine {
  readonly from: AccessEnd;
  readonly to: AccessEnd;
  readonly over:
    | 'mutual TLS'
    | 'plain HTTP'
    | 'mutual TLS, plain HTTP'
    | 'attested TLS'
    | 'TLS with their key'
    | 'TLS'
    | 'nothing';
  /**
   * `proven` both ends show who they are; `open` anybody may, who reaches it; `broken` they should
   * and cannot; `silent` nobody does at present.
   */
  readonly guard: 'proven' | 'open' | 'broken' | 'silent';
  /** What follows, in whole sentences. */
  readonly meaning: string;
}

/** The Mesh page. */
export type MeshView = Offer<{
  readonly version: string;
  readonly pid: number;
  readonly home: string;
  readonly edgeUrl: string;
  readonly nodes: readonly string[];
  readonly startedAtMs: number;
  readonly coordinator: Offer<CoordinatorView>;
  readonly certificates: Offer<{ readonly rows: readonly CertificateLine[] }>;
  /** Who may speak to whom, from the clients inwards. */
  readonly access: Offer<{
    readonly rows: readonly AccessLine[];
    /** Apps beyond those that are shown. */
    readonly hiddenApps: number;
  }>;
  readonly peers: Offer<{ readonly rows: readonly PeerLine[] }>;
  readonly relay: Offer<{ readonly address: string; readonly state: string }>;
}>;

/** One public message. */
export interface MessageLine {
  readonly id: string;
  /** When its author says that it was written. */
  readonly atMs: number;
  /** Key of the author, in hex. */
  readonly author: string;
  readonly authorName: string | null;
  readonly kind: string;
  readonly text: string;
  readonly isVerified: boolean;
}

/** The Messages page; newest first, at most 500. */
export type MessagesView = Offer<{ readonly rows: readonly MessageLine[] }>;

/** How often a walk of the model, or the specs, took each transition. */
export type CoverageView = Offer<{
  readonly machine: string;
  /** Whether it is of the chart as it is now; of another one, ids may mean something else. */
  readonly isCurrent: boolean;
  readonly covered: number;
  readonly total: number;
  readonly transitions: readonly {
    /** As in the chart. */
    readonly id: string;
    readonly count: number;
  }[];
}>;

/** What can be followed on the socket. */
export interface Views {
  readonly workloads: WorkloadsView;
  readonly mesh: MeshView;
  readonly messages: MessagesView;
}

export type ViewName = keyof Views;

/** What a recording says of itself. */
export interface RecordingInfo {
  readonly title: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** Numbers of log lines: `at` is one of them. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Why it ended; `torn` when its end is missing. */
  readonly end: string;
}

/** The answer to a recording that was given to the server; the last two given are kept. */
export interface OpenedRecording {
  readonly id: string;
  readonly recording: RecordingInfo;
}
