/** What an earlier runtime left behind, and nobody in this mesh would look after. */
import { endProcess } from '../actors/workload/process-end.ts';
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
