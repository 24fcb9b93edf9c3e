/**
 * The control plane's records: what is wanted (budgets, plans), who shall do it (nodes, slots), and
 * how far it is (slot reports, deployments). All plain JSON. Times are wall-clock milliseconds.
 */
import type { Digest } from '../kernel/ids.ts';

/** What an app may use in its steady state, over all nodes; 0 = no limit. */
export interface Budget {
  readonly app: string;
  readonly maxInstances: number;
  readonly cpuMilli: number;
  readonly memoryMb: number;
}

/** What one instance takes, from `nutrients` of its manifest. */
export interface Nutrients {
  readonly cpuMilli: number;
  readonly memoryMb: number;
}

/** `blue_green`: the candidate proves itself beside the active one. `stop_first`: for singletons. */
export type Strategy = 'blue_green' | 'stop_first';

/** What instances of the same revision share. A `restart` count above another forces a new switch. */
export interface Revision {
  readonly digest: Digest;
  readonly restart: number;
}

/** What someone wants of an app. */
export interface PlanRequest {
  readonly app: string;
  readonly digest: Digest;
  /** `version` of the spore's manifest, for people. */
  readonly version: string;
  /** Instances that must be there; the plan is refused where budget or nodes cannot hold them. */
  readonly min: number;
  /** Instances that there may be; between `min` and `max` there is one on each node. */
  readonly max: number;
  readonly strategy: Strategy;
  readonly nutrients: Nutrients;
  /** Replace running instances although their digest is the wanted one. Default false. */
  readonly restart?: boolean;
  /** Set in the same transaction, so that a refused plan leaves the old one. Default: unchanged. */
  readonly budget?: Omit<Budget, 'app'>;
}

/** The desired state of one app. The newest generation wins; older work in flight is cancelled. */
export interface Plan extends Revision {
  readonly app: string;
  /** Previous + 1, from 1. */
  readonly generation: number;
  readonly version: string;
  readonly min: number;
  readonly max: number;
  readonly strategy: Strategy;
  readonly nutrients: Nutrients;
  /** `stop` keeps the app known, with no instance. */
  readonly intent: 'run' | 'stop';
  /** Set where this plan was made to undo that generation. */
  readonly revertOf: number | null;
  readonly publishedAtMs: number;
}

export type Outcome = 'pending' | 'succeeded' | 'reverted' | 'failed' | 'superseded' | 'stopped';

/** Why a deployment ended as it did: what an operator needs to see first. */
export interface Reason {
  /** An error code of this project. */
  readonly code: string;
  readonly message: string;
  readonly node?: string;
  readonly instance?: string;
  readonly exitCode?: number | null;
  readonly signal?: string | null;
  /** What the last health probe saw. */
  readonly lastProbe?: string | null;
  /** At most the last 20 lines, each cut at 1,000 characters. */
  readonly logTail?: readonly string[];
}

/** One row of `mesh history`: a plan that someone published, and how it ended. */
export interface Deployment {
  readonly app: string;
  readonly generation: number;
  readonly digest: Digest;
  readonly version: string;
  readonly restart: number;
  readonly min: number;
  readonly max: number;
  readonly strategy: Strategy;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/**
 * What a slot is allowed to do. `hold`: change nothing yet. `launch`: start a candidate, and leave
 * the traffic where it is. `serve`: a candidate that is ready takes the traffic.
 */
export type Permission = 'hold' | 'launch' | 'serve';

/** One place for one instance (two during a switch) of an app on a node. */
export interface Slot {
  readonly app: string;
  readonly node: string;
  /** From 0, per app and node. */
  readonly ordinal: number;
}

/** What the agent of a node shall bring about in one slot. */
export interface Assignment extends Slot, Revision {
  readonly generation: number;
  readonly version: string;
  readonly strategy: Strategy;
  readonly permission: Permission;
}

export type SlotState =
  | 'pending'
  | 'launching'
  | 'candidate_ready'
  | 'serving'
  | 'backing_off'
  | 'crash_looping'
  | 'failed'
  | 'draining'
  | 'stopped';

/** What the agent says of a slot, for the generation that it was last assigned. */
export interface SlotReport extends Slot {
  readonly generation: number;
  readonly state: SlotState;
  readonly reason: Reason | null;
  /** Respawns of the active instance since it was first launched. */
  readonly restarts: number;
  readonly updatedAtMs: number;
}

/** A node's agent, as the fabric knows it. 0 = no limit. */
export interface NodeRecord {
  readonly node: string;
  readonly cpuMilli: number;
  readonly memoryMb: number;
  readonly expiresAtMs: number;
}

/** A lease: whoever holds it renews it, or it ends. */
export interface Endpoint {
  readonly app: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly node: string;
  readonly instance: string;
  readonly generation: number;
  readonly expiresAtMs: number;
}
