/** What an earlier runtime left behind, and nobody in this mesh would look after. */
import type { WorkloadPorts } from '../actors/workload/ports/instance.ts';
import type { Processes } from '../actors/workload/ports/process.ts';
import type { Clock } from '../machines/kernel/clock.ts';
import type { ProcessIdentity } from '../machines/workload/instance-record.ts';
import { KILL_TIMEOUT_MS, TERMINATE_TIMEOUT_MS } from '../machines/workload/instance-rules.ts';
import type { MeshParts } from './compose.ts';

/**
 * Ends processes without a record, forgets and ends instances of nodes that are not part of this
 * mesh, and removes folders without a record. Instances with a record are the agents' to adopt.
 */
export async function sweepRemains({ ports, files, fabric, nodes }: MeshParts): Promise<void> {
  const { processes, homeId } = ports;
  for (const { node } of await fabric.nodes())
    if (!nodes.includes(node)) await fabric.removeNode(node);
  for (const { node, instance } of await fabric.instances())
    if (!nodes.includes(node)) await fabric.forgetInstance(instance);
  const records = await fabric.instances();
  const known = new Set(records.map(({ token }) => token));
  const strays = await processes.strays(homeId, known);
  await Promise.all(strays.map((stray) => endProcess(ports, stray)));
  await files.sweep(new Set(records.map(({ instance }) => instance)));
}

/** SIGTERM, time to comply, SIGKILL, and then what is left of its group. */
async function endProcess(
  { processes, clock, notice }: WorkloadPorts,
  identity: ProcessIdentity,
): Promise<void> {
  const isEnding = await processes.signal(identity, 'SIGTERM');
  if (isEnding && !(await hasEnded(processes, clock, identity, TERMINATE_TIMEOUT_MS))) {
    await processes.signal(identity, 'SIGKILL');
    if (!(await hasEnded(processes, clock, identity, KILL_TIMEOUT_MS)))
      notice(`ending the stray process ${identity.pid}`, 'it does not end');
  }
  await processes.reap(identity);
}

/** Whether it ends within `timeoutMs`. */
function hasEnded(
  processes: Processes,
  clock: Clock,
  identity: ProcessIdentity,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => {
      unwatch();
      resolve(false);
    }, timeoutMs);
    const unwatch = processes.watchExit(identity, () => {
      clock.clearTimeout(timer);
      resolve(true);
    });
  });
}
