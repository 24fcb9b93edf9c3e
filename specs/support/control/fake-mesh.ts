/** A mesh of records: every question has an answer, and nothing runs. */
import { TerminalError } from '../../../machines/kernel/coded-error.ts';
import type { Deployment, Outcome, Plan, Reason } from '../../../machines/workload/plan.ts';
import type {
  MeshControl,
  RunRequest,
  ScaleRequest,
  SendRequest,
} from '../../../runtime/control/mesh-control.ts';
import {
  CERTIFICATES,
  DIGEST_1,
  DIGEST_2,
  EPOCH_MS,
  deploymentOf,
  planOf,
  progressOf,
  rowsOf,
  statusOf,
  treeOf,
} from './records.ts';

export interface FakeMesh extends MeshControl {
  /** How the next deployments end. Default: succeeded. */
  next: { outcome: Outcome; reason: Reason | null };
  /** Each call as it arrived, in order. */
  readonly calls: readonly { readonly method: string; readonly argument: unknown }[];
  /** Followers wait for this before the last step. Default: at once. */
  beforeEnd: () => Promise<void>;
}

interface Call {
  readonly method: string;
  readonly argument: unknown;
}

/** Knows `hello` (succeeded, two instances) unless it is made `empty`. */
export function createFakeMesh(options: { readonly empty?: boolean } = {}): FakeMesh {
  const store = new Store(options.empty === true);
  const calls: Call[] = [];
  const mesh: FakeMesh = {
    next: { outcome: 'succeeded', reason: null },
    calls,
    beforeEnd: () => Promise.resolve(),
    ...questions(store),
    ...changes(store, (method, argument) => calls.push({ method, argument })),
    async *follow(app, generation) {
      calls.push({ method: 'follow', argument: { app, generation } });
      const pending = store.deployment(app, generation);
      yield progressOf(pending, 0);
      yield progressOf(pending, 1);
      await mesh.beforeEnd();
      yield progressOf(store.end(app, generation, mesh.next), 2);
    },
  };
  return mesh;
}

/** Deployments by app, newest first. */
class Store {
  readonly apps = new Map<string, Deployment[]>();

  constructor(isEmpty: boolean) {
    const request = { app: 'hello', digest: DIGEST_1, min: 2, max: 2 };
    if (!isEmpty) this.apps.set('hello', [deploymentOf(request, 1, 'succeeded')]);
  }

  history(app: string): Deployment[] {
    const found = this.apps.get(app);
    if (found !== undefined) return found;
    throw new TerminalError('MESH_ERR_FABRIC_UNKNOWN_APP', `No app ${app} is known.`, {
      hint: 'List the apps with `mesh ps`.',
    });
  }

  deployment(app: string, generation: number): Deployment {
    return this.history(app).find((row) => row.generation === generation) as Deployment;
  }

  publish(run: RunRequest): Plan {
    const history = this.apps.get(run.app) ?? [];
    const deployment = deploymentOf(run, (history[0]?.generation ?? 0) + 1, 'pending');
    this.apps.set(run.app, [deployment, ...history]);
    return planOf(deployment);
  }

  again(app: string, change: Partial<RunRequest>): Plan {
    return this.publish({ ...(this.history(app)[0] as Deployment), ...change, app });
  }

  end(app: string, generation: number, how: FakeMesh['next']): Deployment {
    const history = this.history(app);
    const pending = this.deployment(app, generation);
    const ended = { ...pending, ...how, endedAtMs: EPOCH_MS + 1_500 };
    history[history.indexOf(pending)] = ended;
    return ended;
  }
}

const questions = (store: Store) => ({
  info: async () => ({
    version: '0.1.0',
    pid: process.pid,
    home: '/somewhere/.mesh',
    edgeUrl: 'http://127.0.0.1:8080',
    nodes: ['node-1', 'node-2', 'node-3'],
    startedAt: new Date(EPOCH_MS).toISOString(),
  }),
  ps: async () => [...store.apps.keys()].flatMap(rowsOf),
  certificates: async () => CERTIFICATES,
  apps: async () => [...store.apps].map(([app, history]) => statusOf(app, history)),
  status: async (app: string) => statusOf(app, store.history(app)),
  history: async (app: string) => store.history(app),
  inspect: async () => ({ url: 'http://127.0.0.1:9091/?token=once', port: 9091 }),
  describe: async () => treeOf('mesh', [treeOf('mesh/edge'), treeOf('mesh/agents', [], 2)]),
  coordinator: async () => undefined,
  async *record() {
    yield '{"format":"mesh-recording","version":1,"writer":"0","title":"mesh","startedAtMs":0}';
    yield '{"type":"end","why":"asked","atMs":1}';
  },
  metrics: async () => '# TYPE mesh_build_info gauge\nmesh_build_info{version="0.1.0"} 1\n',
});

const changes = (store: Store, note: (method: string, argument: unknown) => void) => ({
  run: async (run: RunRequest) => {
    note('run', run);
    return store.publish(run);
  },
  scale: async ({ app, ...range }: ScaleRequest) => {
    note('scale', { app, ...range });
    return store.again(app, range);
  },
  rollback: async (app: string, generation?: number) => {
    note('rollback', { app, generation });
    return store.again(app, { digest: DIGEST_2 });
  },
  send: async (request: SendRequest) => {
    note('send', request);
  },
  restart: async (app: string) => {
    note('restart', app);
    return store.again(app, {});
  },
  stopApp: async (app: string): Promise<Plan> => {
    note('stop', app);
    return { ...store.again(app, { min: 0, max: 0 }), intent: 'stop' };
  },
  remove: async (app: string) => {
    note('remove', app);
    store.history(app);
    store.apps.delete(app);
  },
});
