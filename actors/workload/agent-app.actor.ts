/** Binds the agent/app machine to the fabric and to the instances' actors. */
import { fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { agentAppMachine } from '../../machines/workload/agent-app.machine.ts';
import type { InstanceRecord } from '../../machines/workload/instance-record.ts';
import type { Assignment, Slot } from '../../machines/workload/plan.ts';
import { rememberedOf } from '../../machines/workload/succession.ts';
import type {
  AgentAppContext,
  AgentAppInput,
  Farewell,
  Goal,
  Live,
} from '../../machines/workload/succession.ts';
import type { ChildSpec } from '../../supervisor/index.ts';
import { childSpec } from '../../supervisor/index.ts';
import { instanceChildSpec } from './instance.actor.ts';
import type { createInstanceLogic } from './instance.actor.ts';
import { LEASE_MS, endpointOf, schemeOf } from './lease.ts';
import { instancePath, instancesPath, pairId, pairPath } from './paths.ts';
import type { WorkloadPorts } from './ports/instance.ts';

type Provided = NonNullable<Parameters<typeof agentAppMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type InstanceLogic = ReturnType<typeof createInstanceLogic>;

/** Bytes of randomness in the token by which a process is known again. */
const TOKEN_BYTES = 16;
const INSTANCE_ID_BYTES = 4;

/** The instances' actors of one slot: started, adopted, sent away, and watched. */
function createInstanceKeeper(ports: WorkloadPorts, slot: Slot, logic: InstanceLogic) {
  const { tree } = ports;
  const found = new Map<string, InstanceRecord>();
  const starting = new Map<string, Promise<void>>();

  const loseSight = (instance: string): void => {
    tree.send(pairPath(slot), { type: 'instance.lost', instance });
  };

  const begin = async (record: InstanceRecord, adopt: boolean): Promise<void> => {
    const path = instancePath(slot.node, record.instance);
    const unwatch = tree.watch(path, ({ type, reason }) => {
      if (type === 'up') return;
      unwatch();
      if (reason?.type === 'error' || reason?.type === 'killed') loseSight(record.instance);
    });
    const spec = instanceChildSpec(logic, { record, adopt });
    const started = await tree.startChild(instancesPath(slot.node), spec);
    if (!started.ok) {
      unwatch();
      loseSight(record.instance);
    }
  };

  const start = (record: InstanceRecord, adopt: boolean): Promise<void> => {
    const begun = begin(record, adopt).finally(() => starting.delete(record.instance));
    starting.set(record.instance, begun);
    return begun;
  };

  /** Undefined: it can be told at once. What was started in this very turn has no actor yet. */
  const arrivalOf = (instance: string): Promise<void> | undefined => {
    const record = found.get(instance);
    const path = instancePath(slot.node, instance);
    if (starting.has(instance)) return starting.get(instance);
    if (tree.snapshotOf(path) !== undefined || record === undefined) return undefined;
    return start(record, true);
  };

  return {
    /** All records of the slot; actors of an earlier incarnation let go of their processes. */
    async recover(): Promise<readonly InstanceRecord[]> {
      const all = await ports.fabric.instances({ app: slot.app, node: slot.node });
      const records = all.filter(({ ordinal }) => ordinal === slot.ordinal);
      found.clear();
      for (const record of records) {
        found.set(record.instance, record);
        await tree.terminateChild(instancesPath(slot.node), record.instance);
      }
      return records;
    },
    launch: (record: InstanceRecord): void => {
      start(record, false).catch(() => loseSight(record.instance));
    },
    adopt(active: Live | null): void {
      const record = active && found.get(active.instance);
      if (record) start(record, true).catch(() => loseSight(record.instance));
    },
    dismiss(instances: readonly string[], farewell: Farewell): void {
      for (const instance of instances) {
        const tell = (): void => {
          tree.send(instancePath(slot.node, instance), { type: farewell });
        };
        const begun = arrivalOf(instance);
        if (begun === undefined) tell();
        else begun.then(tell).catch(() => loseSight(instance));
      }
    },
  };
}

function newRecord(ports: WorkloadPorts, slot: Slot, goal: Goal): InstanceRecord {
  const { digest, restart, generation, version } = goal;
  return {
    ...slot,
    digest,
    restart,
    generation,
    version,
    instance: `${slot.app}-${ports.random.hex(INSTANCE_ID_BYTES)}`,
    role: 'candidate',
    token: ports.random.hex(TOKEN_BYTES),
    process: null,
    port: null,
    createdAtMs: ports.clock.now(),
  };
}

async function recordInstance(
  ports: WorkloadPorts,
  slot: Slot,
  goal: Goal | null,
): Promise<InstanceRecord> {
  if (goal === null) throw new Error('There is nothing to launch.');
  const record = newRecord(ports, slot, goal);
  await ports.fabric.recordInstance(record);
  return record;
}

/** Role and traffic in one: no runtime that dies here leaves two that serve, or none. */
async function switchTraffic(
  ports: WorkloadPorts,
  slot: Slot,
  to: Live | null,
  from: Live | null,
): Promise<void> {
  if (to === null) return;
  const { fabric, clock } = ports;
  const records = await fabric.instances({ app: slot.app, node: slot.node });
  const port = records.find(({ instance }) => instance === to.instance)?.port ?? null;
  const scheme = await schemeOf(ports, to.digest);
  const endpoint = endpointOf({ ...slot, ...to, port }, clock.now() + LEASE_MS, scheme);
  await fabric.promote(endpoint, from?.instance ?? null);
}

export function createAgentAppLogic(ports: WorkloadPorts, slot: Slot, instance: InstanceLogic) {
  const keeper = createInstanceKeeper(ports, slot, instance);
  const actors: Bindings = {
    crash,
    recoverSlot: fromPromise(() => keeper.recover()),
    recordInstance: fromPromise(({ input }) => recordInstance(ports, input.slot, input.goal)),
    switchTraffic: fromPromise(({ input }) =>
      switchTraffic(ports, input.slot, input.to, input.from),
    ),
  };
  return agentAppMachine.provide({
    actors,
    actions: {
      startInstance: (_, { record }) => keeper.launch(record),
      adoptFound: (_, { active }) => keeper.adopt(active),
      dismissInstances: (_, { instances, farewell }) => keeper.dismiss(instances, farewell),
      report: (_, { report }) => {
        ports.fabric
          .reportSlot({ ...report, updatedAtMs: ports.clock.now() })
          .catch((error: unknown) =>
            ports.tree.send(pairPath(slot), { type: 'report.failed', message: String(error) }),
          );
      },
    },
  });
}

/** `transient`: its final state means that the slot is gone; every other end is repaired. */
export const agentAppChildSpec = (
  logic: ReturnType<typeof createAgentAppLogic>,
  slot: Slot,
  desired: () => Assignment | null,
): ChildSpec =>
  childSpec({
    id: pairId(slot),
    logic,
    input: () => ({ slot, desired: desired() }),
    restart: 'transient',
    // What runs is in the fabric and is read anew; what the slot had learnt is in its snapshot only.
    resume: {
      from: 'snapshot',
      durability: { everyMs: 1_000, everyEvents: 100 },
      failuresMax: 1,
      beginAnew: ({ snapshot, input, leftMs }): AgentAppInput => {
        const { context } = snapshot as { readonly context: AgentAppContext };
        const waitMs = leftMs('xstate.after.backoff') ?? context.waitMs;
        return { ...(input as AgentAppInput), remembered: rememberedOf(context, waitMs) };
      },
    },
    backoff: { minMs: 20, maxMs: 5_000, factor: 2, jitter: 0.2, resetAfterMs: 30_000 },
  });
