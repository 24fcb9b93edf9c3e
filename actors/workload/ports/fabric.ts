import type {
  Assignment,
  Budget,
  Deployment,
  Endpoint,
  NodeRecord,
  Permission,
  Plan,
  PlanRequest,
  Reason,
  Slot,
  SlotReport,
} from '../../../machines/workload/plan.ts';
import type { InstanceRecord } from '../../../machines/workload/instance-record.ts';

export type Unsubscribe = () => void;

/** What is wanted of an app, and how far it is. */
export interface AppView {
  readonly plan: Plan;
  /** Newest first; the plan's own one first, unless the plan is a revert or a stop. */
  readonly deployments: readonly Deployment[];
  readonly assignments: readonly Assignment[];
  readonly reports: readonly SlotReport[];
}

/**
 * The control plane: level-triggered desired state that late and restarted agents see, and what is
 * known of its fulfilment. Every write survives the end of this process once its promise resolves,
 * and is safe between processes. What is wanted and what came of it (budgets, plans, deployments)
 * also survives a loss of power; what cannot outlive the machine's present run (nodes, permissions,
 * reports, endpoints, instances) may then be as it was some writes earlier, never half. Every method
 * rejects with MESH_ERR_FABRIC_UNAVAILABLE when the store cannot be used and MESH_ERR_FABRIC_INVALID
 * for a malformed argument.
 *
 * A watch calls its listener with the current state before it returns, then after each change, in
 * the same turn as the commit; it is always given the whole newest state, so a slow listener misses
 * nothing but versions in between. A listener that throws is reported, and harms no other.
 */
export interface Fabric {
  /** Idempotent. The budget counts from the next plan or re-placement on. */
  setBudget(budget: Budget): Promise<void>;
  budget(app: string): Promise<Budget | null>;

  /**
   * One transaction: generation = previous + 1, the pending deployment (if any) becomes
   * `superseded`, slots are placed, and a `pending` deployment is recorded. `min` instances that do
   * not fit reject with MESH_ERR_FABRIC_BUDGET_EXCEEDED or MESH_ERR_FABRIC_CAPACITY_EXCEEDED (details
   * say which limit) and change nothing.
   */
  publishPlan(request: PlanRequest): Promise<Plan>;
  /**
   * Wanted: no instance. A new generation; the pending deployment ends as `stopped`. Idempotent: a
   * stopped app keeps its generation. MESH_ERR_FABRIC_UNKNOWN_APP.
   */
  stopApp(app: string): Promise<Plan>;
  /**
   * Forgets plan, budget and history. Idempotent. MESH_ERR_FABRIC_APP_RUNNING while instances are
   * recorded.
   */
  removeApp(app: string): Promise<void>;
  plan(app: string): Promise<Plan | null>;
  watchPlans(listener: (plans: readonly Plan[]) => void): Unsubscribe;
  /** Newest first; at most 100 per app are kept, the newest succeeded one always. */
  history(app: string): Promise<readonly Deployment[]>;

  /**
   * Ends the pending deployment of that generation; ignored if it is no longer pending. `reverted`
   * publishes, in the same transaction, the last succeeded plan again as a new generation whose
   * slots may `serve` (`revertOf` = generation); where there is none, the outcome is `failed` and
   * the app is stopped.
   */
  endDeployment(
    app: string,
    generation: number,
    outcome: 'succeeded' | 'reverted',
    reason: Reason | null,
  ): Promise<Deployment | null>;

  /** Sets what slots of that generation may do; ignored for any other generation. */
  permit(
    app: string,
    generation: number,
    slots: readonly Slot[],
    permission: Permission,
  ): Promise<void>;
  /** All slots of a node, also those whose app is stopped (then absent from the list). */
  watchAssignments(node: string, listener: (all: readonly Assignment[]) => void): Unsubscribe;
  assignments(app: string): Promise<readonly Assignment[]>;
  /**
   * Idempotent upsert. Ignored: a report for an older generation than the last one or a later one
   * than the plan's, and one of an app or, without that slot, of a node that is not known. It goes
   * when its slot is gone and was reported `stopped`.
   */
  reportSlot(report: SlotReport): Promise<void>;
  slotReports(app: string): Promise<readonly SlotReport[]>;
  /** Everything of one app at once, for rollouts and followers; null while the app is unknown. */
  watchApp(app: string, listener: (view: AppView | null) => void): Unsubscribe;

  /**
   * Upsert; also places slots anew where plans wanted more than there was room for. A slot that is
   * placed anew may do what its pending deployment began with, or else `serve`.
   */
  registerNode(node: NodeRecord): Promise<void>;
  removeNode(node: string): Promise<void>;
  nodes(): Promise<readonly NodeRecord[]>;
  /**
   * Heartbeat: extends the node and the endpoints of these instances that there still are.
   * MESH_ERR_FABRIC_UNKNOWN_NODE when the lease had ended: register, and restore endpoints.
   */
  renew(node: string, instances: readonly string[], expiresAtMs: number): Promise<void>;
  /** Drops leases that ended before `nowMs`; slots of lost nodes are placed elsewhere. */
  sweep(nowMs: number): Promise<{ readonly endpoints: number; readonly nodes: number }>;

  /**
   * One transaction: these are added or renewed, those instances' endpoints are removed. An endpoint
   * of an instance that is not recorded (it ended meanwhile) rejects with
   * MESH_ERR_FABRIC_UNKNOWN_INSTANCE and changes nothing.
   */
  switchEndpoints(add: readonly Endpoint[], removeInstances: readonly string[]): Promise<void>;
  /**
   * One transaction: the endpoint is added and its instance becomes `active`; the endpoint of
   * `previous` is removed and it becomes `retired`. MESH_ERR_FABRIC_UNKNOWN_INSTANCE as above.
   */
  promote(endpoint: Endpoint, previous: string | null): Promise<void>;
  /** Adds or renews those whose instance is recorded as `active`; others are ignored. */
  restoreEndpoints(endpoints: readonly Endpoint[]): Promise<void>;
  endpoints(app: string): Promise<readonly Endpoint[]>;
  watchEndpoints(listener: (all: readonly Endpoint[]) => void): Unsubscribe;

  /** Upsert; recorded before it resolves, so that no process is unknown to the next runtime. */
  recordInstance(record: InstanceRecord): Promise<void>;
  /** Idempotent; removes its endpoint, too. */
  forgetInstance(instance: string): Promise<void>;
  instances(filter?: {
    readonly app?: string;
    readonly node?: string;
  }): Promise<readonly InstanceRecord[]>;

  /** Apps that are known, running or stopped. */
  apps(): Promise<readonly string[]>;
  /** Watches end; later calls reject. Idempotent. */
  close(): Promise<void>;
}
