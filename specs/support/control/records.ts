/** Records as a mesh would give them, for the mesh of records. */
import type { Digest } from '../../../machines/kernel/ids.ts';
import type { Deployment, Outcome, Plan } from '../../../machines/workload/plan.ts';
import type {
  AppStatus,
  DeploymentProgress,
  CertificateView,
  InstanceRow,
  RunRequest,
} from '../../../runtime/control/mesh-control.ts';
import type { TreeNode } from '../../../supervisor/index.ts';

export const DIGEST_1 = '1'.repeat(64) as Digest;
export const DIGEST_2 = '2'.repeat(64) as Digest;

/** 2026-01-02T03:04:05.000Z. */
export const EPOCH_MS = 1_767_323_045_000;

export function deploymentOf(run: RunRequest, generation: number, outcome: Outcome): Deployment {
  return {
    app: run.app,
    generation,
    digest: run.digest as Digest,
    version: '1.0.0',
    restart: 0,
    min: run.min ?? 1,
    max: run.max ?? run.min ?? 1,
    strategy: run.strategy ?? 'blue_green',
    outcome,
    reason: null,
    startedAtMs: EPOCH_MS,
    endedAtMs: outcome === 'pending' ? null : EPOCH_MS + 1_000,
  };
}

export const planOf = (deployment: Deployment): Plan => ({
  ...deployment,
  nutrients: { cpuMilli: 100, memoryMb: 64 },
  intent: 'run',
  revertOf: null,
  publishedAtMs: deployment.startedAtMs,
});

export const progressOf = (deployment: Deployment, serving: number): DeploymentProgress => ({
  deployment,
  wanted: 2,
  ready: Math.min(2, serving + 1),
  serving,
  slots: [],
  servingDigests: [deployment.outcome === 'succeeded' ? deployment.digest : DIGEST_1],
  reason: deployment.reason,
});

export const rowsOf = (app: string): InstanceRow[] =>
  [1, 2].map((number) => ({
    app,
    node: `node-${String(number)}`,
    instance: `${app}-${String(number)}`,
    role: 'active',
    state: 'serving',
    pid: 4_000 + number,
    port: 30_000 + number,
    digest: DIGEST_1,
    version: '1.0.0',
    restarts: 0,
    since: new Date(EPOCH_MS).toISOString(),
    identity: null,
  }));

/** Of the edge, and of an instance that the Coordinator refuses. */
export const CERTIFICATES: readonly CertificateView[] = [
  {
    app: null,
    node: null,
    instance: null,
    state: 'valid',
    spiffeId: 'spiffe://mesh.local/edge/edge',
    serialNumber: '4a',
    notAfter: new Date(EPOCH_MS + 86_400_000).toISOString(),
    renewAt: new Date(EPOCH_MS + 43_200_000).toISOString(),
    renewals: 0,
    failure: null,
  },
  {
    app: 'hello',
    node: 'node-1',
    instance: 'hello-1',
    state: 'refused',
    spiffeId: null,
    serialNumber: null,
    notAfter: null,
    renewAt: null,
    renewals: 0,
    failure: 'MESH_ERR_CERTIFICATE_REFUSED: It has no policy.',
  },
];

export const statusOf = (app: string, history: readonly Deployment[]): AppStatus => ({
  app,
  state: 'running',
  why: null,
  plan: planOf(history[0] as Deployment),
  budget: { app, maxInstances: 2, cpuMilli: 0, memoryMb: 0 },
  slots: [],
  endpoints: [],
  instances: rowsOf(app),
  deployments: history,
});

export const treeOf = (
  path: string,
  children: readonly TreeNode[] = [],
  restarts = 0,
): TreeNode => ({
  path,
  id: path.slice(path.lastIndexOf('/') + 1),
  kind: children.length > 0 ? 'supervisor' : 'worker',
  state: 'running',
  status: 'running',
  incarnation: restarts + 1,
  restarts,
  sinceMs: EPOCH_MS,
  children,
});
