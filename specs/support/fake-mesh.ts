/** A mesh of records: every question has an answer, and nothing runs. */
import type { TreeNode } from '../../supervisor/index.ts';
import { TerminalError } from '../../machines/kernel/coded-error.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { Deployment, Outcome, Plan, Reason } from '../../machines/workload/plan.ts';
import type {
  AppStatus,
  DeploymentProgress,
  InstanceRow,
  MeshControl,
  RunRequest,
} from '../../runtime/control/mesh-control.ts';

export const DIGEST_1 = '1'.repeat(64) as Digest;
export const DIGEST_2 = '2'.repeat(64) as Digest;

export interface FakeMesh extends MeshControl {
  /** How the next deployments end. Default: succeeded. */
  next: { outcome: Outcome; reason: Reason | null };
  /** Each call as it arrived, in order. */
  readonly calls: readonly { readonly method: string; readonly argument: unknown }[];
  /** Followers wait for this before the last step. Default: at once. */
  beforeEnd: () => Promise<void>;
}

/** 2026-01-02T03:04:05.000Z. */
const EPOCH_MS = 1_767_323_045_000;

/** Knows `hello` (succeeded, two instances) unless it is made `empty`. */
export function createFakeMesh(options: { readonly empty?: boolean } = {}): FakeMesh {
  const deployments = new Map<string, Deployment[]>();
  const calls: { method: string; argument: unknown }[] = [];
  const request = { app: 'hello', digest: DIGEST_1, min: 2, max: 2 };
  if (options.empty !== true) deployments.set('hello', [deploymentOf(request, 1, 'succeeded')]);

  const note = (method: string, argument: unknown = null) => calls.push({ method, argument });
  const known = (app: string): Deployment[] => {
    const found = deployments.get(app);
    if (found !== undefined) return found;
    throw new TerminalError('MESH_ERR_FABRIC_UNKNOWN_APP', `No app ${app} is known.`, {
      hint: 'List the apps with `mesh ps`.',
    });
  };
  const publish = (run: RunRequest): Plan => {
    const history = deployments.get(run.app) ?? [];
    const deployment = deploymentOf(run, (history[0]?.generation ?? 0) + 1, 'pending');
    deployments.set(run.app, [deployment, ...history]);
    return planOf(deployment);
  };
  const again = (app: string, change: Partial<RunRequest>): Plan =>
    publish({ ...(known(app)[0] as Deployment), ...change, app });
  const end = (app: string, generation: number): Deployment => {
    const history = known(app);
    const index = history.findIndex((row) => row.generation === generation);
    const ended = { ...(history[index] as Deployment), ...mesh.next, endedAtMs: EPOCH_MS + 1_500 };
    history[index] = ended;
    return ended;
  };

  const mesh: FakeMesh = {
    next: { outcome: 'succeeded', reason: null },
    calls,
    beforeEnd: () => Promise.resolve(),
    info: async () => ({
      version: '0.1.0',
      pid: process.pid,
      home: '/somewhere/.mesh',
      edgeUrl: 'http://127.0.0.1:8080',
      nodes: ['node-1', 'node-2', 'node-3'],
      startedAt: new Date(EPOCH_MS).toISOString(),
    }),
    run: async (run) => {
      note('run', run);
      return publish(run);
    },
    scale: async ({ app, ...range }) => {
      note('scale', { app, ...range });
      return again(app, range);
    },
    rollback: async (app, generation) => {
      note('rollback', { app, generation });
      return again(app, { digest: DIGEST_2 });
    },
    restart: async (app) => {
      note('restart', app);
      return again(app, {});
    },
    stopApp: async (app) => {
      note('stop', app);
      return { ...again(app, { min: 0, max: 0 }), intent: 'stop' };
    },
    remove: async (app) => {
      note('remove', app);
      known(app);
      deployments.delete(app);
    },
    async *follow(app, generation) {
      note('follow', { app, generation });
      const pending = known(app).find((row) => row.generation === generation) as Deployment;
      yield progressOf(pending, 0);
      yield progressOf(pending, 1);
      await mesh.beforeEnd();
      yield progressOf(end(app, generation), 2);
    },
    ps: async () => [...deployments.keys()].flatMap(rowsOf),
    apps: async () => [...deployments.keys()].map((app) => statusOf(app, known(app))),
    status: async (app) => statusOf(app, known(app)),
    history: async (app) => known(app),
    describe: async () => treeOf('mesh', [treeOf('mesh/edge'), treeOf('mesh/agents', [], 2)]),
    metrics: async () => '# TYPE mesh_build_info gauge\nmesh_build_info{version="0.1.0"} 1\n',
  };
  return mesh;
}

function deploymentOf(run: RunRequest, generation: number, outcome: Outcome): Deployment {
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

const planOf = (deployment: Deployment): Plan => ({
  ...deployment,
  nutrients: { cpuMilli: 100, memoryMb: 64 },
  intent: 'run',
  revertOf: null,
  publishedAtMs: deployment.startedAtMs,
});

const progressOf = (deployment: Deployment, serving: number): DeploymentProgress => ({
  deployment,
  wanted: 2,
  ready: Math.min(2, serving + 1),
  serving,
  slots: [],
  servingDigests: [deployment.outcome === 'succeeded' ? deployment.digest : DIGEST_1],
  reason: deployment.reason,
});

const rowsOf = (app: string): InstanceRow[] =>
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
  }));

const statusOf = (app: string, history: readonly Deployment[]): AppStatus => ({
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

const treeOf = (path: string, children: readonly TreeNode[] = [], restarts = 0): TreeNode => ({
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
