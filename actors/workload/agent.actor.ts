/** Binds a node's agent to the fabric and to the actors of its agent/app pairs. */
import { fromCallback, fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { agentMachine } from '../../machines/workload/agent.machine.ts';
import type { AgentEvent, AgentInput } from '../../machines/workload/agent.machine.ts';
import type { Assignment, Slot } from '../../machines/workload/plan.ts';
import { childSpec } from '../../supervisor/index.ts';
import { agentAppChildSpec, createAgentAppLogic } from './agent-app.actor.ts';
import type { createInstanceLogic } from './instance.actor.ts';
import { LEASE_MS, createHeartbeats } from './lease.ts';
import { AGENT_ID, nodePath, pairId, pairPath } from './paths.ts';
import type { WorkloadPorts } from './ports/instance.ts';

type Provided = NonNullable<Parameters<typeof agentMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type InstanceLogic = ReturnType<typeof createInstanceLogic>;

interface Pair {
  readonly slot: Slot;
  desired: Assignment | null;
}

async function startPair(ports: WorkloadPorts, pair: Pair, instance: InstanceLogic) {
  // Called from an action, in which XState would take the new machine's `raise` for the action's own.
  await Promise.resolve();
  const logic = createAgentAppLogic(ports, pair.slot, instance);
  const spec = agentAppChildSpec(logic, pair.slot, () => pair.desired);
  return ports.tree.startChild(nodePath(pair.slot.node), spec);
}

/** The pairs of one node: one actor per slot, started, told what is wanted, forgotten at the end. */
function createPairKeeper(ports: WorkloadPorts, node: string, instance: InstanceLogic) {
  const { tree } = ports;
  const pairs = new Map<string, Pair>();
  const goneListeners = new Set<() => void>();

  const forget = (id: string): void => {
    const pair = pairs.get(id);
    tree
      .deleteChild(nodePath(node), id)
      .then(() => {
        pairs.delete(id);
        // It was wanted again while it was on its way out.
        if (pair?.desired) keep(pair.slot, pair.desired);
        else if (pairs.size === 0) for (const listener of goneListeners) listener();
      })
      .catch((error: unknown) => ports.notice(`forgetting the pair ${id}`, error));
  };

  const start = async (pair: Pair): Promise<void> => {
    const id = pairId(pair.slot);
    const unwatch = tree.watch(pairPath(pair.slot), ({ type, reason }) => {
      if (type === 'up' || reason?.type !== 'normal') return;
      unwatch();
      forget(id);
    });
    const started = await startPair(ports, pair, instance);
    if (!started.ok && started.reason !== 'already_started') {
      unwatch();
      throw new Error(`The pair ${id} could not be started: ${started.reason}.`);
    }
    // What was assigned while it started is not in its input.
    tree.send(pairPath(pair.slot), { type: 'assign', desired: pair.desired });
  };

  const keep = (slot: Slot, desired: Assignment | null): void => {
    const known = pairs.get(pairId(slot));
    if (known) {
      known.desired = desired;
      tree.send(pairPath(slot), { type: 'assign', desired });
      return;
    }
    const pair: Pair = { slot, desired };
    pairs.set(pairId(slot), pair);
    start(pair).catch((error: unknown) => {
      pairs.delete(pairId(slot));
      ports.notice(`starting the pair of ${slot.app} on ${node}`, error);
    });
  };

  return {
    assign(assignments: readonly Assignment[]): void {
      const wanted = new Map(assignments.map((one) => [pairId(one), one]));
      for (const [id, pair] of pairs) if (!wanted.has(id)) keep(pair.slot, null);
      for (const one of assignments)
        keep({ app: one.app, node: one.node, ordinal: one.ordinal }, one);
    },
    /** Slots of which only instances are left, from a time before this runtime. */
    async resume(): Promise<void> {
      for (const { app, ordinal } of await ports.fabric.instances({ node }))
        if (!pairs.has(pairId({ app, ordinal }))) keep({ app, node, ordinal }, null);
    },
    watchGone(listener: () => void): () => void {
      goneListeners.add(listener);
      if (pairs.size === 0) listener();
      return () => goneListeners.delete(listener);
    },
  };
}

export function createAgentLogic(ports: WorkloadPorts, node: string, instance: InstanceLogic) {
  const keeper = createPairKeeper(ports, node, instance);
  const actors: Bindings = {
    crash,
    joinMesh: fromPromise(async ({ input }) => {
      const expiresAtMs = ports.clock.now() + LEASE_MS;
      await ports.fabric.registerNode({ ...input, expiresAtMs });
      await keeper.resume();
    }),
    watchAssignments: fromCallback<AgentEvent, { node: string }>(({ sendBack }) =>
      ports.fabric.watchAssignments(node, (assignments) =>
        sendBack({ type: 'assignments.changed', assignments }),
      ),
    ),
    sendHeartbeats: createHeartbeats(ports),
    watchPairs: fromCallback<AgentEvent, { node: string }>(({ sendBack }) =>
      keeper.watchGone(() => sendBack({ type: 'pairs.gone' })),
    ),
  };
  return agentMachine.provide({
    actors,
    actions: { assignPairs: (_, { assignments }) => keeper.assign(assignments) },
  });
}

/** Ready once the node is registered. */
export const agentChildSpec = (logic: ReturnType<typeof createAgentLogic>, input: AgentInput) =>
  childSpec({
    id: AGENT_ID,
    logic,
    input,
    restart: 'transient',
    ready: (snapshot) => snapshot.value !== 'joining',
    backoff: { minMs: 50, maxMs: 5_000, factor: 2, jitter: 0.2, resetAfterMs: 30_000 },
  });
