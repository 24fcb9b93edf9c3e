/** What can be asked of a running mesh: from a script directly, from the CLI over the socket. */
import type {
  Budget,
  Deployment,
  Endpoint,
  Plan,
  Reason,
  SlotReport,
  Strategy,
} from '../../machines/workload/plan.ts';
import type { InstanceRole } from '../../machines/workload/instance-record.ts';
import type { TreeNode } from '../../supervisor/index.ts';
import type { CoordinatorView } from '../coordinator/coordinator-view.ts';
import type { Invitation, InvitationOptions } from '../web/inspectors.ts';

export interface RunRequest {
  readonly app: string;
  /** Of a published spore. */
  readonly digest: string;
  /** Default 1. */
  readonly min?: number;
  /** Default: `min`, or one per node where that is more. */
  readonly max?: number;
  /** Default `blue_green`. */
  readonly strategy?: Strategy;
  /** Default: unlimited, with `maxInstances` = `max`. */
  readonly budget?: Partial<Omit<Budget, 'app'>>;
  /** Whether the spore may have another name than `app`. Default false. */
  readonly anyName?: boolean;
}

export interface ScaleRequest {
  readonly app: string;
  readonly min: number;
  readonly max: number;
}

export type AppState =
  | 'deploying'
  | 'running'
  | 'degraded'
  | 'crash_looping'
  | 'failed'
  | 'stopped';

/** A line of `mesh ps`. The field names are fixed: scripts use them. */
export interface InstanceRow {
  readonly app: string;
  readonly node: string;
  readonly instance: string;
  readonly role: InstanceRole;
  readonly state: string;
  readonly pid: number | null;
  readonly port: number | null;
  readonly digest: string;
  readonly version: string;
  readonly restarts: number;
  /** RFC 3339, when it was launched. */
  readonly since: string;
  /** Its mesh certificate; null where it has none. */
  readonly identity: Pick<CertificateView, 'spiffeId' | 'state' | 'notAfter'> | null;
}

/**
 * `obtaining` there is none yet; `valid`; `renewing` it is valid and past its half life; `expired`;
 * `refused` the Coordinator does not give one, for a reason that a retry does not change.
 */
export type CertificateState = 'obtaining' | 'valid' | 'renewing' | 'expired' | 'refused';

/** The mesh certificate of an instance, or of the edge. Public facts only. */
export interface CertificateView {
  /** Null for the edge. */
  readonly app: string | null;
  readonly node: string | null;
  readonly instance: string | null;
  readonly state: CertificateState;
  /** Null while there is none, as are the others. */
  readonly spiffeId: string | null;
  /** Lower-case hex. */
  readonly serialNumber: string | null;
  /** RFC 3339. */
  readonly notAfter: string | null;
  /** RFC 3339: half of its life; when it is renewed. */
  readonly renewAt: string | null;
  /** How often it was renewed by the actor of this moment. */
  readonly renewals: number;
  /** Why the last try failed, in one sentence that begins with the code; null after a success. */
  readonly failure: string | null;
}

export interface AppStatus {
  readonly app: string;
  readonly state: AppState;
  /** Why it is not `running`, in one sentence; null when it is. */
  readonly why: string | null;
  readonly plan: Plan;
  readonly budget: Budget | null;
  readonly slots: readonly SlotReport[];
  readonly endpoints: readonly Endpoint[];
  readonly instances: readonly InstanceRow[];
  /** Newest first. */
  readonly deployments: readonly Deployment[];
}

/** How far a deployment is; the last one has an `outcome` other than `pending`. */
export interface DeploymentProgress {
  readonly deployment: Deployment;
  readonly wanted: number;
  readonly ready: number;
  readonly serving: number;
  readonly slots: readonly SlotReport[];
  /** What serves now, whatever came of the deployment. */
  readonly servingDigests: readonly string[];
  readonly reason: Reason | null;
}

export interface RecordRequest {
  /** When it ends by itself. Default: it does not. */
  readonly forMs?: number;
}

export interface SendRequest {
  /** Path of the actor, as in `mesh tree`. */
  readonly path: string;
  readonly event: { readonly type: string; readonly [key: string]: unknown };
}

export interface MeshInfo {
  readonly version: string;
  readonly pid: number;
  readonly home: string;
  readonly edgeUrl: string;
  readonly nodes: readonly string[];
  readonly startedAt: string;
}

/** All methods reject with coded errors; MESH_ERR_FABRIC_UNKNOWN_APP where an app is not known. */
export interface MeshControl {
  info(): Promise<MeshInfo>;
  /**
   * Sets the budget and publishes the plan, both or neither. MESH_ERR_REPO_UNKNOWN for an unpublished
   * digest, MESH_ERR_FABRIC_NAME_MISMATCH for a spore of another name.
   */
  run(request: RunRequest): Promise<Plan>;
  scale(request: ScaleRequest): Promise<Plan>;
  /** To `generation`, by default the last succeeded one with another digest. MESH_ERR_FABRIC_NO_ROLLBACK. */
  rollback(app: string, generation?: number): Promise<Plan>;
  /** The same digest again, as a new switch. */
  restart(app: string): Promise<Plan>;
  stopApp(app: string): Promise<Plan>;
  /** Stops, waits until the instances are gone, and forgets the app. */
  remove(app: string): Promise<void>;
  /** Current, then each change, until the deployment of that generation has ended. */
  follow(app: string, generation: number, signal?: AbortSignal): AsyncIterable<DeploymentProgress>;
  ps(): Promise<readonly InstanceRow[]>;
  /** The edge's first; empty for a mesh without a Coordinator. */
  certificates(): Promise<readonly CertificateView[]>;
  apps(): Promise<readonly AppStatus[]>;
  status(app: string): Promise<AppStatus>;
  history(app: string): Promise<readonly Deployment[]>;
  describe(): Promise<TreeNode>;
  /** Prometheus text exposition format. */
  metrics(): Promise<string>;
  /** The Coordinator that is part of this mesh; undefined where there is none. */
  coordinator(): Promise<CoordinatorView | undefined>;
  /**
   * Serves the inspector on 127.0.0.1 for as long as the mesh runs, and gives an address that works
   * once. MESH_ERR_INSPECT_PORT, MESH_ERR_INSPECT_PAGE.
   */
  inspect(options?: InvitationOptions): Promise<Invitation>;
  /** Lines of a recording, until `signal` says so, the time is over, or it is full; see `recordTree`. */
  record(request?: RecordRequest, signal?: AbortSignal): AsyncIterable<string>;
  /**
   * Sends an event to an actor, and writes that down. MESH_ERR_INSPECT_READ_ONLY unless the mesh, or
   * an inspector of it, was started to allow it; MESH_ERR_INSPECT_UNKNOWN where nobody took it.
   */
  send(request: SendRequest): Promise<void>;
}
