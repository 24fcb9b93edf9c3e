import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metric } from 'prom-client';
import type { Deployment } from '../../machines/workload/plan.ts';
import type { SupervisorReport, TreeNode } from '../../supervisor/index.ts';
import type { CertificateView, InstanceRow } from '../control/mesh-control.ts';
import type { AppCountersSnapshot } from '../edge/counters.ts';
import { certificateMetrics } from './certificate-metrics.ts';
import { latencyMetric } from './latency-metric.ts';
import { machineOf } from './machine-names.ts';
import { peerMetrics } from './peer-metrics.ts';
import type { PeerCounts } from './peer-metrics.ts';

/** What the metrics are read from, each time that they are asked for. */
export interface MetricsSource {
  readonly version: string;
  describe(): TreeNode;
  instances(): Promise<readonly InstanceRow[]>;
  /** All that are known, in any order. */
  deployments(): Promise<readonly Deployment[]>;
  /** When this mesh started, on the wall clock: what ended before is not observed again. */
  readonly startedAtMs: number;
  /** Counters of the edge by app, or undefined while it has none. */
  edge(): Readonly<Record<string, AppCountersSnapshot>> | undefined;
  /** What the node's peer counts, where it has one. */
  peer?(): Promise<PeerCounts | undefined>;
  /** Where the mesh has a Coordinator. */
  certificates?(): Promise<readonly CertificateView[]>;
}

/** The metrics of one mesh. Labels are bounded: machines, roles, apps, outcomes, never paths. */
export interface MeshMetrics {
  /** To be told of each report of the tree. */
  report(report: SupervisorReport): void;
  /** Prometheus text exposition format 0.0.4. */
  text(): Promise<string>;
}

/** From a switch of a small service to a large one that starts slowly, in seconds. */
const DEPLOY_BUCKETS_S = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** States of an instance in which it answers requests. */
const UP_STATES = new Set(['healthy', 'serving', 'ready']);

/** Makes the metrics of a mesh in a registry of their own. */
export function createMetrics(source: MetricsSource): MeshMetrics {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'mesh_build_info',
    help: 'Always 1; the labels say which program this is.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: source.version, node: process.version }, 1);
  const restarts = new Counter({
    name: 'mesh_actor_restarts_total',
    help: 'Restarts of actors by their supervisors.',
    labelNames: ['machine'],
    registers,
  });
  for (const metric of [
    actorsGauge(source),
    workloadGauge(source),
    deploySeconds(source),
    requestsCounter(source),
    ...(source.peer === undefined ? [] : peerMetrics(source.peer)),
    ...(source.certificates === undefined ? [] : certificateMetrics(source.certificates)),
  ])
    registry.registerMetric(metric);
  // The edge has counted into buckets already, which a histogram of this library cannot take.
  const latency = latencyMetric('mesh_edge_request_duration_seconds', () => source.edge() ?? {});
  registry.registerMetric(latency as unknown as Metric);
  return {
    report: ({ type, path }) => {
      if (type === 'restart') restarts.inc({ machine: machineOf(path, 'worker') });
    },
    text: () => registry.metrics(),
  };
}

const actorsGauge = (source: MetricsSource): Metric =>
  new Gauge({
    name: 'mesh_actors',
    help: 'Actors in the supervision tree.',
    labelNames: ['machine', 'status'],
    registers: [],
    collect() {
      this.reset();
      const visit = (node: TreeNode): void => {
        this.inc({ machine: machineOf(node.path, node.kind), status: node.status });
        node.children.forEach(visit);
      };
      visit(source.describe());
    },
  });

const workloadGauge = (source: MetricsSource): Metric =>
  new Gauge({
    name: 'mesh_workload_up',
    help: 'Instances that answer, by app and role.',
    labelNames: ['app', 'role'],
    registers: [],
    async collect() {
      this.reset();
      for (const { app, role, state } of await source.instances())
        this.inc({ app, role }, UP_STATES.has(state) ? 1 : 0);
    },
  });

const requestsCounter = (source: MetricsSource): Metric =>
  new Counter({
    name: 'mesh_edge_requests_total',
    help: 'Requests that the edge answered, by app and class of status.',
    labelNames: ['app', 'code'],
    registers: [],
    collect() {
      this.reset();
      for (const [app, { byClass }] of Object.entries(source.edge() ?? {}))
        for (const [code, value] of Object.entries(byClass)) this.inc({ app, code }, value);
    },
  });

/** Observes each deployment once, at the first reading after its end. */
function deploySeconds(source: MetricsSource): Metric {
  let observedToMs = source.startedAtMs;
  return new Histogram({
    name: 'mesh_deploy_seconds',
    help: 'From the publication of a plan to the end of its deployment.',
    labelNames: ['outcome'],
    buckets: DEPLOY_BUCKETS_S,
    registers: [],
    async collect() {
      const since = observedToMs;
      for (const { outcome, startedAtMs, endedAtMs } of await source.deployments()) {
        if (endedAtMs === null || endedAtMs <= since) continue;
        this.observe({ outcome }, (endedAtMs - startedAtMs) / 1_000);
        observedToMs = Math.max(observedToMs, endedAtMs);
      }
    },
  });
}
