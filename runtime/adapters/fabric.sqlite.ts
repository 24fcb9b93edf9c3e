/**
 * The control plane in one SQLite file: write-ahead log, safe between processes. It validates and
 * orders calls; fabric/planning.ts says what a plan does to the rows, fabric/watches.ts who hears of
 * it. A sync of the disk holds the main thread for milliseconds, so only what is wanted and what came
 * of it is synced (`#write`), with all that was written before; the rest is not (`#writeLive`).
 */
import type { AppView, Fabric, Unsubscribe } from '../../actors/workload/ports/fabric.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { fabricError } from '../../machines/workload/fabric-errors.ts';
import * as schema from './fabric/arguments.schema.ts';
import { checked } from './fabric/arguments.schema.ts';
import { openDatabase } from './fabric/database.ts';
import type { Database } from './fabric/database.ts';
import * as instances from './fabric/instance-records.ts';
import * as nodes from './fabric/node-records.ts';
import * as plans from './fabric/plan-records.ts';
import * as planning from './fabric/planning.ts';
import { TOPICS, Watches } from './fabric/watches.ts';
import type { Topic } from './fabric/watches.ts';

export interface FabricOptions {
  /** The file, made where it is missing; its folder must exist. `:memory:` for one that is lost. */
  readonly path: string;
  readonly clock: Clock;
  /**
   * Is given what a watch's listener threw, and what went wrong while looking for the commits of
   * other processes. Default: a warning of the process.
   */
  readonly onListenerError?: (error: unknown) => void;
}

/**
 * Opens the control plane. Throws MESH_ERR_FABRIC_UNAVAILABLE, MESH_ERR_FABRIC_CORRUPT (the file
 * was renamed and kept) or MESH_ERR_FABRIC_SCHEMA_NEWER.
 */
export function createFabric(options: FabricOptions): Fabric {
  const onListenerError = options.onListenerError ?? warn;
  return new SqliteFabric(
    openDatabase(options.path, options.clock),
    options.clock,
    onListenerError,
  );
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}

/** What a change of plans, nodes or slots may show in. */
const PLACING: readonly Topic[] = ['plans', 'apps', 'assignments'];

function viewOf(db: Database, app: string): AppView | null {
  return db.read(() => {
    const row = plans.planRow(db, app);
    if (!row) return null;
    return {
      plan: plans.asPlan(row),
      deployments: plans.deploymentRows(db, app).map(plans.asDeployment),
      assignments: nodes.assignmentsOfApp(db, app),
      reports: nodes.reportsOf(db, app),
    };
  });
}

class SqliteFabric implements Fabric {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #watches: Watches;
  #isClosed = false;

  constructor(db: Database, clock: Clock, onListenerError: (error: unknown) => void) {
    this.#db = db;
    this.#clock = clock;
    const foreignCommits = (): number => db.foreignCommits();
    this.#watches = new Watches({ clock, foreignCommits, onListenerError });
  }

  setBudget: Fabric['setBudget'] = async (budget) => {
    const valid = checked('Setting a budget', schema.budgetSchema, budget);
    this.#write([], (db) => plans.putBudget(db, valid));
  };

  budget: Fabric['budget'] = async (app) => this.#ofApp(app, plans.budgetOf);

  publishPlan: Fabric['publishPlan'] = async (request) => {
    const valid = checked('Publishing a plan', schema.planRequestSchema, request);
    const nowMs = this.#clock.now();
    return plans.asPlan(this.#write(PLACING, (db) => planning.publish(db, valid, nowMs)));
  };

  stopApp: Fabric['stopApp'] = async (app) => {
    const name = checked('Stopping an app', schema.nameSchema, app);
    const nowMs = this.#clock.now();
    return plans.asPlan(this.#write(PLACING, (db) => planning.stop(db, name, nowMs)));
  };

  removeApp: Fabric['removeApp'] = async (app) => {
    const name = checked('Removing an app', schema.nameSchema, app);
    this.#write(TOPICS, (db) => {
      const alive = instances.instanceRows(db, { app: name });
      if (alive.length > 0)
        throw fabricError(
          'MESH_ERR_FABRIC_APP_RUNNING',
          `Removing ${name} found ${alive.length} recorded instances of it.`,
          { details: { instances: alive.slice(0, 10).map(({ instance }) => instance) } },
        );
      plans.forgetApp(db, name);
      planning.placeAnew(db);
    });
  };

  plan: Fabric['plan'] = async (app) =>
    this.#ofApp(app, (db, name) => {
      const row = plans.planRow(db, name);
      return row ? plans.asPlan(row) : null;
    });

  watchPlans: Fabric['watchPlans'] = (listener) =>
    this.#watch('plans', '', (db) => plans.planRows(db).map(plans.asPlan), listener);

  history: Fabric['history'] = async (app) =>
    this.#ofApp(app, (db, name) => plans.deploymentRows(db, name).map(plans.asDeployment));

  endDeployment: Fabric['endDeployment'] = async (app, generation, outcome, reason) => {
    const ending = { app, generation, outcome, reason };
    const valid = checked('Ending a deployment', schema.endingSchema, ending);
    const nowMs = this.#clock.now();
    const ended = this.#write(PLACING, (db) => planning.end(db, valid, nowMs));
    return ended && plans.asDeployment(ended);
  };

  permit: Fabric['permit'] = async (app, generation, slots, permission) => {
    const given = { app, generation, slots, permission };
    const valid = checked('Permitting slots', schema.permitSchema, given);
    this.#writeLive(['apps', 'assignments'], (db) => {
      if (plans.planRow(db, valid.app)?.generation !== valid.generation) return;
      for (const slot of valid.slots) nodes.permitSlot(db, slot, valid.permission);
    });
  };

  watchAssignments: Fabric['watchAssignments'] = (node, listener) => {
    const name = checked('Watching a node', schema.nameSchema, node);
    return this.#watch('assignments', name, (db) => nodes.assignmentsOfNode(db, name), listener);
  };

  assignments: Fabric['assignments'] = async (app) => this.#ofApp(app, nodes.assignmentsOfApp);

  reportSlot: Fabric['reportSlot'] = async (report) => {
    const valid = checked('Reporting a slot', schema.slotReportSchema, report);
    this.#writeLive(['apps'], (db) => {
      const plan = plans.planRow(db, valid.app);
      if (plan) nodes.putReport(db, valid, plan.generation);
    });
  };

  slotReports: Fabric['slotReports'] = async (app) => this.#ofApp(app, nodes.reportsOf);

  watchApp: Fabric['watchApp'] = (app, listener) => {
    const name = checked('Watching an app', schema.nameSchema, app);
    return this.#watch('apps', name, (db) => viewOf(db, name), listener);
  };

  registerNode: Fabric['registerNode'] = async (node) => {
    const valid = checked('Registering a node', schema.nodeSchema, node);
    this.#writeLive(PLACING, (db) => {
      nodes.putNode(db, valid);
      nodes.forgetGhosts(db, valid.node);
      planning.placeAnew(db);
    });
  };

  removeNode: Fabric['removeNode'] = async (node) => {
    const name = checked('Removing a node', schema.nameSchema, node);
    this.#writeLive(PLACING, (db) => {
      if (nodes.forgetNode(db, name) > 0) planning.placeAnew(db);
    });
  };

  nodes: Fabric['nodes'] = async () => this.#read(nodes.nodeRows);

  renew: Fabric['renew'] = async (node, held, expiresAtMs) => {
    const renewal = { node, instances: held, expiresAtMs };
    const valid = checked('Renewing leases', schema.renewalSchema, renewal);
    this.#writeLive(['endpoints'], (db) => {
      const record = nodes.nodeRow(db, valid.node);
      if (!record)
        throw fabricError(
          'MESH_ERR_FABRIC_UNKNOWN_NODE',
          `Renewing the lease of node ${valid.node} found that it has none.`,
        );
      nodes.putNode(db, { ...record, expiresAtMs: valid.expiresAtMs });
      for (const instance of valid.instances)
        instances.renewEndpoint(db, instance, valid.expiresAtMs);
    });
  };

  sweep: Fabric['sweep'] = async (nowMs) => {
    const at = checked('Sweeping leases', schema.timeSchema, nowMs);
    return this.#writeLive(TOPICS, (db) => {
      const endpoints = instances.dropEndpoints(db, at);
      const lost = nodes.nodeRows(db).filter(({ expiresAtMs }) => expiresAtMs < at);
      for (const { node } of lost) nodes.forgetNode(db, node);
      if (lost.length > 0) planning.placeAnew(db);
      return { endpoints, nodes: lost.length };
    });
  };

  switchEndpoints: Fabric['switchEndpoints'] = async (add, removeInstances) => {
    const change = { add, removeInstances };
    const valid = checked('Switching endpoints', schema.switchSchema, change);
    this.#writeLive(['endpoints'], (db) => {
      for (const instance of valid.removeInstances) instances.removeEndpoint(db, instance);
      for (const endpoint of valid.add) instances.putEndpoint(db, endpoint);
    });
  };

  promote: Fabric['promote'] = async (endpoint, previous) => {
    const valid = checked('Promoting an instance', schema.promotionSchema, { endpoint, previous });
    this.#writeLive(['endpoints'], (db) => {
      if (valid.previous !== null) {
        instances.removeEndpoint(db, valid.previous);
        instances.putRole(db, valid.previous, 'retired');
      }
      instances.putEndpoint(db, valid.endpoint);
      instances.putRole(db, valid.endpoint.instance, 'active');
    });
  };

  restoreEndpoints: Fabric['restoreEndpoints'] = async (endpoints) => {
    const lapsed = checked('Restoring endpoints', schema.endpointsSchema, endpoints);
    this.#writeLive(['endpoints'], (db) => {
      for (const endpoint of lapsed)
        if (instances.isActive(db, endpoint.instance)) instances.putEndpoint(db, endpoint);
    });
  };

  endpoints: Fabric['endpoints'] = async (app) => this.#ofApp(app, instances.endpointsOf);

  watchEndpoints: Fabric['watchEndpoints'] = (listener) =>
    this.#watch('endpoints', '', instances.endpointRows, listener);

  recordInstance: Fabric['recordInstance'] = async (record) => {
    const valid = checked('Recording an instance', schema.instanceRecordSchema, record);
    this.#writeLive([], (db) => instances.putInstance(db, valid));
  };

  forgetInstance: Fabric['forgetInstance'] = async (instance) => {
    const id = checked('Forgetting an instance', schema.instanceSchema, instance);
    this.#writeLive(['endpoints'], (db) => instances.forgetInstance(db, id));
  };

  instances: Fabric['instances'] = async (filter = {}) => {
    const valid = checked('Listing instances', schema.filterSchema, filter);
    return this.#read((db) => instances.instanceRows(db, valid));
  };

  apps: Fabric['apps'] = async () => this.#read(plans.apps);

  close: Fabric['close'] = async () => {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watches.clear();
    this.#db.close();
  };

  #open(): Database {
    if (this.#isClosed)
      throw fabricError('MESH_ERR_FABRIC_UNAVAILABLE', 'The control plane was used after its end.');
    return this.#db;
  }

  #read<Result>(work: (db: Database) => Result): Result {
    return work(this.#open());
  }

  #ofApp<Result>(app: string, work: (db: Database, name: string) => Result): Result {
    const db = this.#open();
    return work(db, checked('Looking up an app', schema.nameSchema, app));
  }

  #write<Result>(topics: readonly Topic[], work: (db: Database) => Result): Result {
    const db = this.#open();
    const result = db.write(() => work(db));
    this.#watches.refresh(topics);
    return result;
  }

  /** For what a loss of power ends anyway: processes, and leases and permissions of theirs. */
  #writeLive<Result>(topics: readonly Topic[], work: (db: Database) => Result): Result {
    const db = this.#open();
    const result = db.writeUnsynced(() => work(db));
    this.#watches.refresh(topics);
    return result;
  }

  #watch<State>(
    topic: Topic,
    key: string,
    read: (db: Database) => State,
    listener: (state: State) => void,
  ): Unsubscribe {
    const db = this.#open();
    return this.#watches.add(topic, key, () => read(db), listener);
  }
}
