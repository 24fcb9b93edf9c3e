/** Puts a mesh together: adapters behind ports, machines bound to them, all in one tree. */
import type { Clock } from '../machines/kernel/clock.ts';
import type { Random } from '../machines/kernel/random.ts';
import { agentChildSpec, createAgentLogic } from '../actors/workload/agent.actor.ts';
import { createEdgeLogic, edgeChildSpec } from '../actors/workload/edge.actor.ts';
import { createInstanceLogic } from '../actors/workload/instance.actor.ts';
import { createPlannerLogic, plannerChildSpec } from '../actors/workload/planner.actor.ts';
import { createRolloutLogic } from '../actors/workload/rollout.actor.ts';
import { createTargetKeeper } from '../actors/workload/target-keeper.ts';
import { createTargetLogic, trafficOf } from '../actors/workload/target.actor.ts';
import { workerPoolSpec } from '../actors/pool/worker-pool.actor.ts';
import type { WorkerPool } from '../actors/pool/ports.ts';
import type { Fabric } from '../actors/workload/ports/fabric.ts';
import type { WorkloadPorts } from '../actors/workload/ports/instance.ts';
import type { Supervision } from '../actors/workload/ports/supervision.ts';
import type { Repo, TrustStore } from '../actors/workload/ports/spore.ts';
import { createTree } from '../supervisor/index.ts';
import type { Journal, Logger, Tree } from '../supervisor/index.ts';
import { nodeAttribution } from './adapters/attribution.node.ts';
import { systemClock } from './adapters/clock.system.ts';
import { createFabric } from './adapters/fabric.sqlite.ts';
import { createHealthProbe } from './adapters/health.http.ts';
import { openJournal } from './adapters/journal.sqlite.ts';
import { createLogFiles } from './adapters/log-files.fs.ts';
import { createPortPicker } from './adapters/port-picker.ts';
import { createProcesses } from './adapters/processes.execa.ts';
import { systemRandom } from './adapters/random.system.ts';
import { createRepo } from './adapters/repo.fs.ts';
import { createSporeFiles } from './adapters/spore-files.fs.ts';
import type { SporeFilesOnDisk } from './adapters/spore-files.fs.ts';
import { createTrustStore } from './adapters/trust.fs.ts';
import { createSupervisedWorkerPool } from './adapters/worker-pool.piscina.ts';
import type { MeshIdentities, MeshIdentitiesOptions } from './certificates/compose-certificates.ts';
import type { CoordinatorLink } from './certificates/coordinator-link.ts';
import type { CoordinatorParts } from './coordinator/compose-coordinator.ts';
import type { MeshCoordinator, OwnCoordinatorOptions } from './coordinator/mesh-coordinator.ts';
import { createEdge } from './edge/edge.ts';
import type { Edge } from './edge/edge.ts';
import { RoutingTable } from './edge/routing-table.ts';
import { ensureHome, homeIdOf } from './home.ts';
import type { HomePaths } from './home.ts';
import { createLateTree } from './late-tree.ts';
import type { MeshPeerOptions } from './mesh-peer.ts';
import { meshTree } from './tree.ts';

export interface MeshOptions {
  /** The state folder; made if it is missing. */
  readonly home: string;
  /** Agents to run, named `node-1` and so on. Default 3. */
  readonly nodes?: number;
  /** Port of the edge on 127.0.0.1; 0 takes any free one. Default 8080. */
  readonly port?: number;
  /** What becomes of instances when this process dies without stopping them. Default `keep`. */
  readonly onRuntimeDeath?: 'keep' | 'kill';
  /** What each node may give to instances; 0 = no limit. Default no limit. */
  readonly nodeCapacity?: { readonly cpuMilli: number; readonly memoryMb: number };
  /** Where mesh certificates come from. Default: nowhere, and no instance has one. */
  readonly coordinator?: CoordinatorLink;
  /** A Coordinator that runs as part of this mesh, and is asked where `coordinator` names none. */
  readonly ownCoordinator?: OwnCoordinatorOptions;
  /** Takes part in public messages. Default: it does not. */
  readonly peer?: MeshPeerOptions;
  /** Whether `mesh send` may send events to actors; each one is written to the log. Default false. */
  readonly allowSend?: boolean;
  /** Where lines for the operator go. Default: nowhere. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Everything that a running mesh consists of. */
export interface MeshParts {
  readonly paths: HomePaths;
  readonly nodes: readonly string[];
  readonly clock: Clock;
  readonly tree: Tree;
  readonly fabric: Fabric;
  /** Of the actors that remember more than the fabric holds; closed after the tree has ended. */
  readonly journal: Journal;
  readonly repo: Repo;
  readonly trust: TrustStore;
  readonly pool: WorkerPool;
  readonly ports: WorkloadPorts;
  readonly files: SporeFilesOnDisk;
  readonly routes: RoutingTable;
  /** The Coordinator of this mesh, where it has one of its own. */
  readonly coordinator: MeshCoordinator | undefined;
  /** The edge of this moment; a restart of its actor makes a new one. */
  readonly edge: () => Edge | undefined;
}

export const NODES_DEFAULT = 3;
export const EDGE_PORT_DEFAULT = 8080;

/** Adapters first: they need no actor. Throws their coded errors; nothing runs yet. */
async function createPorts(
  options: MeshOptions,
  paths: HomePaths,
  tree: Supervision,
  coordinator: CoordinatorParts | undefined,
) {
  const { clock = systemClock, random = systemRandom, logger } = options;
  const notice = (about: string, error: unknown): void =>
    logger?.({ level: 'warn', message: `${about}: ${String(error)}`, details: error });
  const { pool, threads } = createSupervisedWorkerPool({ clock });
  const trust = createTrustStore(paths.trust);
  const repo = await createRepo(paths.repo, pool, { trust });
  const routes = new RoutingTable();
  const fabric = createFabric({
    path: paths.fabric,
    clock,
    onListenerError: (error) => notice('a listener of the fabric', error),
  });
  const identities = await identitiesOf({
    link: options.coordinator,
    own: coordinator,
    paths,
    repo,
    clock,
    random,
    notice,
  });
  const files = createSporeFiles({ folder: paths.instances, repo, trust, pool });
  const ports: WorkloadPorts = {
    tree,
    fabric,
    files,
    clock,
    random,
    notice,
    processes: createProcesses({ clock }),
    ports: createPortPicker({ clock, random }),
    health: createHealthProbe({ clock, tls: identities?.tls }),
    ...(identities && { certificates: identities.certificates }),
    logs: createLogFiles({ folder: paths.logs, clock }),
    requests: { drain: (instance, rest) => routes.drain(instance, { ...rest, clock }) },
    homeId: homeIdOf(paths.home),
    onRuntimeDeath: options.onRuntimeDeath ?? 'keep',
  };
  return { ports, files, pool, threads, trust, repo, routes, identities };
}

/** A mesh without a Coordinator loads nothing of what it takes to have one. */
async function identitiesOf(given: MeshIdentitiesOptions): Promise<MeshIdentities | undefined> {
  if (given.link === undefined && given.own === undefined) return undefined;
  const { composeCertificates } = await import('./certificates/compose-certificates.ts');
  return composeCertificates(given);
}

/** A Coordinator of its own, likewise. */
async function ownCoordinatorOf(
  { ownCoordinator, clock, random, logger }: MeshOptions,
  supervision: Supervision,
): Promise<MeshCoordinator | undefined> {
  if (ownCoordinator === undefined) return undefined;
  const { composeMeshCoordinator } = await import('./coordinator/mesh-coordinator.ts');
  return composeMeshCoordinator(
    {
      ...(clock && { clock }),
      ...(random && { random }),
      ...(logger && { logger }),
      ...ownCoordinator,
    },
    supervision,
  );
}

const nodeNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `node-${index + 1}`);

interface EdgeParts {
  readonly ports: WorkloadPorts;
  readonly routes: RoutingTable;
  readonly supervision: Supervision;
  readonly identities: MeshIdentities | undefined;
}

/** A restart of its actor makes another edge; `edge` is that of the moment. */
function composeEdge(parts: EdgeParts, wantedPort: number) {
  const { ports, routes, supervision, identities } = parts;
  const { fabric, clock, notice, requests } = ports;
  let edge: Edge | undefined;
  let port = wantedPort;
  const edgeLogic = createEdgeLogic({
    fabric,
    routes,
    onTargets: createTargetKeeper({
      tree: supervision,
      notice,
      logic: createTargetLogic(trafficOf(routes, requests)),
    }),
    openListener: () => {
      const opened = createEdge({
        routes,
        clock,
        port,
        ...(identities && { tls: identities.tls }),
      });
      edge = opened;
      return {
        // A restarted edge keeps the port that it was given.
        listen: async () => {
          const listening = await opened.listen();
          port = listening.port;
          return listening;
        },
        close: (deadlineMs) => opened.close(deadlineMs),
      };
    },
  });
  return { edgeLogic, edge: () => edge };
}

/** Composes a mesh; nothing runs before `tree.start()`. */
export async function composeMesh(options: MeshOptions): Promise<MeshParts> {
  const paths = ensureHome(options.home);
  const { fill, supervision } = createLateTree();
  const coordinator = await ownCoordinatorOf(options, supervision);
  const { ports, files, pool, threads, trust, repo, routes, identities } = await createPorts(
    options,
    paths,
    supervision,
    coordinator,
  ).catch(async (error: unknown) => {
    await coordinator?.close();
    throw error;
  });
  const { fabric, clock, random } = ports;
  const nodes = nodeNames(options.nodes ?? NODES_DEFAULT);
  const capacity = options.nodeCapacity ?? { cpuMilli: 0, memoryMb: 0 };
  const instanceLogic = createInstanceLogic(ports);
  const { edgeLogic, edge } = composeEdge(
    { ports, routes, supervision, identities },
    options.port ?? EDGE_PORT_DEFAULT,
  );
  const spec = meshTree({
    pool: workerPoolSpec(threads),
    ...(coordinator && { coordinator: coordinator.spec }),
    listener: edgeChildSpec(edgeLogic),
    ...(identities && { edgeCertificate: identities.edge }),
    agents: nodes.map((node) => ({
      node,
      agent: agentChildSpec(createAgentLogic(ports, node, instanceLogic), { node, ...capacity }),
    })),
    planner: plannerChildSpec(createPlannerLogic(ports, createRolloutLogic({ fabric }))),
  });
  const journal = openJournal({
    path: paths.journal,
    clock,
    onCorrupt: (error) => ports.notice('the journal of actors', error),
  });
  const tree = createTree(spec, {
    journal,
    clock,
    random,
    defer: (slice) => {
      setImmediate(slice);
    },
    attribute: nodeAttribution,
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  });
  fill(tree);
  return {
    paths,
    nodes,
    clock,
    tree,
    fabric,
    journal,
    repo,
    trust,
    pool,
    ports,
    files,
    routes,
    coordinator,
    edge,
  };
}
