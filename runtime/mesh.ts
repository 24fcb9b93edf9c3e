import { EDGE, agentPath } from '../actors/workload/paths.ts';
import type { Digest } from '../machines/kernel/ids.ts';
import type { ExitReason, Tree } from '../supervisor/index.ts';
import type { RunningPeer } from './gossip/peer/peer-control.ts';
import { certificateRows } from './certificates/certificate-view.ts';
import { composeMesh } from './compose.ts';
import type { MeshOptions, MeshParts } from './compose.ts';
import { lockHome } from './control/home-lock.ts';
import type { MeshControl } from './control/mesh-control.ts';
import {
  followDeployment,
  removeApp,
  restartApp,
  rollbackApp,
  runApp,
  scaleApp,
} from './mesh-commands.ts';
import { inspectionOf } from './mesh-inspection.ts';
import { startMeshPeer } from './mesh-peer.ts';
import type { MeshPeer } from './mesh-peer.ts';
import { appStatus, instanceRows } from './mesh-view.ts';
import { sweepRemains } from './remains.ts';
import { meshMetrics } from './telemetry/mesh-metrics.ts';
import type { MeshMetrics } from './telemetry/metrics.ts';
import { VERSION } from './version.ts';

/** A running mesh. */
export interface Mesh extends MeshControl {
  /** `http://127.0.0.1:PORT`; an app answers at `/{app}/`. */
  readonly edgeUrl: string;
  /** The supervision tree, for whoever wants to look or to add children of their own. */
  readonly tree: Tree;
  /** Resolves when the tree has ended, also when its root gave up. Never rejects. */
  readonly ended: Promise<ExitReason>;
  /** The node's voice and ear, where it was started with one. */
  readonly peer: RunningPeer | undefined;
  /** Verifies a spore against the trust store, and stores it under its digest. */
  publish(sporePath: string): Promise<{ readonly digest: Digest }>;
  /** Ends every instance in order (drain, SIGTERM, SIGKILL), then the mesh. Idempotent. */
  stop(): Promise<void>;
  /** Ends the mesh and leaves its instances running; the next start adopts them. Idempotent. */
  detach(): Promise<void>;
}

/** Instances, pairs and agents each have deadlines of their own; this is for a defect in them. */
const RETIRE_TIMEOUT_MS = 360_000;

/** Every agent ends what runs on its node; resolves when all are done. */
async function retireAgents({ nodes, tree, clock }: MeshParts): Promise<void> {
  await Promise.all(
    nodes.map(
      (node) =>
        new Promise<void>((resolve) => {
          const path = agentPath(node);
          const timer = clock.setTimeout(finish, RETIRE_TIMEOUT_MS);
          const unwatch = tree.watch(path, ({ type, reason }) => {
            // A crashed one is restarted, and told again.
            if (type === 'up') tree.send(path, { type: 'retire' });
            else if (reason?.type !== 'error') finish();
          });
          function finish(): void {
            clock.clearTimeout(timer);
            unwatch();
            resolve();
          }
          if (!tree.send(path, { type: 'retire' })) finish();
        }),
    ),
  );
}

/**
 * Starts a mesh in this process: agents, edge, control plane. Resolves when the edge listens and
 * every agent has joined; instances that survived an earlier runtime are adopted. Rejects with
 * MESH_ERR_CONTROL_ALREADY_RUNNING where another one has the state folder, and with
 * MESH_ERR_SUPERVISOR_START_FAILED (its cause says which port or file) where a part cannot start.
 *
 * @example
 * const mesh = await startMesh({ home: '.mesh', port: 0 });
 * const { digest } = await mesh.publish('hello.spore');
 * await mesh.run({ app: 'hello', digest });
 * await mesh.stop();
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const lock = lockHome(options.home);
  try {
    const parts = await composeMesh(options);
    let peer: MeshPeer | undefined;
    const counts = options.peer && (async () => peer?.peer.info());
    const metrics = meshMetrics(parts, counts);
    try {
      await sweepRemains(parts);
      await parts.tree.start();
      peer = await withPeer(parts, options);
    } catch (error) {
      await parts.fabric.close();
      parts.journal.close();
      await parts.coordinator?.close();
      await parts.pool.close();
      throw error;
    }
    return createMesh(parts, options, metrics, { peer, release: () => lock.release() });
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A node that cannot take part in messages as it was asked to does not start. */
async function withPeer(parts: MeshParts, { peer }: MeshOptions): Promise<MeshPeer | undefined> {
  if (peer === undefined) return undefined;
  try {
    return await startMeshPeer(parts, peer);
  } catch (error) {
    await parts.tree.stop();
    throw error;
  }
}

const portOf = ({ tree }: MeshParts): number => {
  const snapshot = tree.snapshotOf(`${EDGE}/listener`) as
    | { context?: { port: number } }
    | undefined;
  return snapshot?.context?.port ?? 0;
};

function createMesh(
  parts: MeshParts,
  options: MeshOptions,
  metrics: MeshMetrics,
  { peer, release }: { readonly peer: MeshPeer | undefined; release(): void },
): Mesh {
  const { tree, fabric, repo, pool, paths, nodes, clock } = parts;
  const startedAt = new Date(clock.now()).toISOString();
  const edgeUrl = `http://127.0.0.1:${portOf(parts)}`;
  const { close, ...inspection } = inspectionOf(parts, options, () => mesh);
  let ending: Promise<void> | undefined;
  const end = async (isRetiring: boolean): Promise<void> => {
    try {
      await close();
      await peer?.stop();
      if (isRetiring) await retireAgents(parts);
      await tree.stop();
      await pool.close();
      await fabric.close();
      parts.journal.close();
      await parts.coordinator?.close();
    } finally {
      release();
    }
  };
  const mesh: Mesh = {
    edgeUrl,
    tree,
    ended: tree.ended,
    peer: peer?.peer,
    publish: async (sporePath) => ({ digest: await repo.put(sporePath) }),
    stop: () => (ending ??= end(true)),
    detach: () => (ending ??= end(false)),
    info: () =>
      Promise.resolve({
        version: VERSION,
        pid: process.pid,
        home: paths.home,
        edgeUrl,
        nodes,
        startedAt,
      }),
    run: (request) => runApp(parts, request),
    scale: (request) => scaleApp(parts, request),
    rollback: (app, generation) => rollbackApp(parts, app, generation),
    restart: (app) => restartApp(parts, app),
    stopApp: (app) => fabric.stopApp(app),
    remove: (app) => removeApp(parts, app),
    follow: (app, generation, signal) => followDeployment(parts, app, generation, signal),
    ps: () => instanceRows(parts),
    certificates: () => certificateRows(parts),
    apps: async () => Promise.all((await fabric.apps()).map((app) => appStatus(parts, app))),
    status: (app) => appStatus(parts, app),
    history: async (app) => (await appStatus(parts, app)).deployments,
    describe: () => Promise.resolve(tree.describe()),
    metrics: () => metrics.text(),
    coordinator: async () => parts.coordinator?.view(),
    ...inspection,
  };
  return mesh;
}
