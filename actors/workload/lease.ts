/** How a node stays part of the mesh: heartbeats, and the endpoints that they keep alive. */
import { fromCallback } from 'xstate';
import type { Digest } from '../../machines/kernel/ids.ts';
import type { AgentEvent } from '../../machines/workload/agent.machine.ts';
import type { InstanceRecord } from '../../machines/workload/instance-record.ts';
import type { Endpoint } from '../../machines/workload/plan.ts';
import type { AgentAppContext } from '../../machines/workload/succession.ts';
import { instancePath, pairPath } from './paths.ts';
import type { WorkloadPorts } from './ports/instance.ts';
import type { Supervision } from './ports/supervision.ts';

/** How long an endpoint stays without a heartbeat: three of them may be lost. */
export const LEASE_MS = 15_000;
/** A third of a lease. */
export const HEARTBEAT_MS = 5_000;

type Served = Pick<InstanceRecord, 'app' | 'node' | 'instance' | 'generation' | 'port'>;

/** How an instance of that digest is spoken to. */
export const schemeOf = async (
  { files }: Pick<WorkloadPorts, 'files'>,
  digest: Digest,
): Promise<'http' | 'https'> => ((await files.settings(digest)).tls === 'mesh' ? 'https' : 'http');

export const endpointOf = (
  { app, node, instance, generation, port }: Served,
  expiresAtMs: number,
  scheme: 'http' | 'https',
): Endpoint => ({
  app,
  node,
  instance,
  generation,
  url: `${scheme}://127.0.0.1:${port ?? 0}`,
  expiresAtMs,
});

/** Both must say so: the pair that it is the active one, its own actor that it is up. */
function isServing(tree: Supervision, record: InstanceRecord): boolean {
  const pair = tree.snapshotOf(pairPath(record)) as { context?: AgentAppContext } | undefined;
  const own = tree.snapshotOf(instancePath(record.node, record.instance)) as
    | { value?: { running?: { up?: unknown } } }
    | undefined;
  return (
    pair?.context?.active?.instance === record.instance && own?.value?.running?.up !== undefined
  );
}

/** A lease that ended while nobody could renew it took the endpoint of a living instance along. */
async function restoreEndpoints(
  ports: WorkloadPorts,
  active: readonly InstanceRecord[],
  expiresAtMs: number,
): Promise<void> {
  const { fabric, tree } = ports;
  const known = new Set<string>();
  for (const app of new Set(active.map((record) => record.app)))
    for (const { instance } of await fabric.endpoints(app)) known.add(instance);
  const lapsed = active.filter((record) => !known.has(record.instance) && isServing(tree, record));
  if (lapsed.length === 0) return;
  const endpoints: Endpoint[] = [];
  for (const record of lapsed)
    endpoints.push(endpointOf(record, expiresAtMs, await schemeOf(ports, record.digest)));
  await fabric.restoreEndpoints(endpoints);
}

async function beat(ports: WorkloadPorts, node: string): Promise<void> {
  const { fabric, clock, logs, notice } = ports;
  const all = await fabric.instances({ node });
  const active = all.filter(({ role }) => role === 'active');
  const expiresAtMs = clock.now() + LEASE_MS;
  await fabric.renew(
    node,
    active.map(({ instance }) => instance),
    expiresAtMs,
  );
  await restoreEndpoints(ports, active, expiresAtMs);
  for (const { app, instance } of all)
    await logs
      .rotate(app, instance)
      .catch((error: unknown) => notice(`rotating the log of ${instance}`, error));
}

/** The first at once: an agent that comes back may have little left of its leases. */
export const createHeartbeats = (ports: WorkloadPorts) =>
  fromCallback<AgentEvent, { node: string }>(({ input: { node }, sendBack }) => {
    let timer: unknown;
    let isOver = false;
    const run = (): void => {
      beat(ports, node)
        .then(() => {
          if (!isOver) timer = ports.clock.setTimeout(run, HEARTBEAT_MS);
        })
        .catch((error: unknown) => {
          if (!isOver) sendBack({ type: 'heartbeat.failed', message: String(error) });
        });
    };
    run();
    return () => {
      isOver = true;
      ports.clock.clearTimeout(timer);
    };
  });
