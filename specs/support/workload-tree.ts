/** Agents, rollouts and planner in a tree, over whatever ports a spec or a bench gives them. */
import type { WorkloadPorts } from '../../actors/workload/ports/instance.ts';
import { ROOT } from '../../actors/workload/paths.ts';
import { agentChildSpec, createAgentLogic } from '../../actors/workload/agent.actor.ts';
import { createInstanceLogic } from '../../actors/workload/instance.actor.ts';
import { createPlannerLogic, plannerChildSpec } from '../../actors/workload/planner.actor.ts';
import { createRolloutLogic } from '../../actors/workload/rollout.actor.ts';
import { DEFAULT_SETTINGS } from '../../machines/workload/instance-rules.ts';
import { createFabric } from '../../runtime/adapters/fabric.sqlite.ts';
import { createLateTree } from '../../runtime/late-tree.ts';
import { nodeSpec } from '../../runtime/tree.ts';
import { createTree } from '../../supervisor/index.ts';
import type { Tree } from '../../supervisor/index.ts';
import { FakeMachine } from './fake-processes.ts';
import { seededRandom } from './supervised.ts';
import { VirtualClock } from './virtual-clock.ts';

export type PortsOfTree = Omit<WorkloadPorts, 'tree'>;

/** A tree of `nodes` that is not started yet. */
export function workloadTree(given: PortsOfTree, nodes: readonly string[]): Tree {
  const { supervision, fill } = createLateTree();
  const ports: WorkloadPorts = { ...given, tree: supervision };
  const instance = createInstanceLogic(ports);
  const agentOf = (node: string) =>
    agentChildSpec(createAgentLogic(ports, node, instance), { node, cpuMilli: 0, memoryMb: 0 });
  const rollout = createRolloutLogic(ports);
  const tree = createTree(
    {
      id: ROOT,
      type: 'supervisor',
      children: [
        {
          id: 'agents',
          type: 'supervisor',
          children: nodes.map((node) =>
            nodeSpec(node, agentOf(node), ports.certificates !== undefined),
          ),
        },
        { id: 'rollouts', type: 'supervisor' },
        plannerChildSpec(createPlannerLogic(ports, rollout)),
      ],
    },
    {
      clock: ports.clock,
      random: ports.random,
      defer: (slice) => {
        setImmediate(slice);
      },
    },
  );
  fill(tree);
  return tree;
}

/** What `prune` was told, in order. */
export interface Pruned {
  readonly app: string;
  readonly keep: readonly string[];
}

export interface PlayedWorkload extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly machine: FakeMachine;
  readonly ports: PortsOfTree;
  readonly tree: Tree;
  /** What no caller waited for and went wrong. */
  readonly notices: string[];
  readonly pruned: Pruned[];
}

/** Played processes and files, a real fabric in memory, virtual time. The tree has started. */
export async function playedWorkload(
  nodes: readonly string[],
  over: Partial<PortsOfTree> = {},
  clock = new VirtualClock(),
): Promise<PlayedWorkload> {
  const machine = new FakeMachine(clock);
  const notices: string[] = [];
  const pruned: Pruned[] = [];
  const ports: PortsOfTree = {
    fabric: createFabric({ path: ':memory:', clock }),
    processes: machine.processes(),
    ports: machine.portPicker(),
    health: machine.healthProbe(),
    logs: {
      prepare: async () => '/srv/log',
      tail: async () => [],
      rotate: async () => {},
      prune: async (app, keep) => void pruned.push({ app, keep: [...keep].toSorted() }),
      discard: async () => {},
    },
    files: {
      prepare: async () => ({
        settings: DEFAULT_SETTINGS,
        command: '/srv/app',
        args: [],
        env: {},
        folder: '/srv',
      }),
      settings: async () => DEFAULT_SETTINGS,
      discard: async () => {},
    },
    requests: { drain: async () => ({ cancelled: 0 }) },
    clock,
    random: seededRandom(1),
    notice: (about, error) => void notices.push(`${about}: ${String(error)}`),
    homeId: 'home',
    onRuntimeDeath: 'keep',
    ...over,
  };
  const tree = workloadTree(ports, nodes);
  await finish(clock, tree.start());
  return {
    clock,
    machine,
    ports,
    tree,
    notices,
    pruned,
    [Symbol.asyncDispose]: async () => {
      await finish(clock, tree.stop());
      await ports.fabric.close();
    },
  };
}

/** Moves time on until `work` is done. */
async function finish<Result>(clock: VirtualClock, work: Promise<Result>): Promise<Result> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) await clock.advance(10);
  return done;
}
