/**
 * The supervision tree of a mesh, as data. Read it top to bottom: that is the order of starting, and
 * upwards the order of stopping.
 *
 *     mesh                       rest_for_one: what stands below needs what stands above
 *     ├─ worker-pool             hashing, verifying, packing in threads
 *     ├─ coordinator             only where the mesh has one of its own; see coordinator/
 *     ├─ edge
 *     │  ├─ targets              one actor per endpoint: ejection of failing ones
 *     │  ├─ certificate          the edge's own; as @certificates, only with a Coordinator
 *     │  └─ listener             the port, and the routes behind it
 *     ├─ agents
 *     │  └─ node-1 …             one per node
 *     │     ├─ @certificates     one actor per mesh certificate of an instance
 *     │     ├─ @instances        one actor per OS process
 *     │     ├─ @agent            follows the node's assignments
 *     │     └─ hello …           one agent/app pair per slot
 *     ├─ rollouts                one actor per pending deployment
 *     └─ planner                 starts rollouts, ends leases
 */
import type { ChildSpec, SupervisorSpec } from '../supervisor/index.ts';
import { CERTIFICATES_ID, INSTANCES_ID, ROOT } from '../actors/workload/paths.ts';

export interface MeshChildren {
  readonly pool: ChildSpec;
  /** Of a mesh that runs a Coordinator itself. */
  readonly coordinator?: SupervisorSpec;
  readonly listener: ChildSpec;
  /** Of a mesh with a Coordinator, whose instances have certificates, too. */
  readonly edgeCertificate?: ChildSpec;
  readonly agents: readonly { readonly node: string; readonly agent: ChildSpec }[];
  readonly planner: ChildSpec;
}

/**
 * Restarts within five seconds that a node's supervisor allows: a dozen apps whose actors each
 * restart a few times over the same outage are no reason to give up the node.
 */
const NODE_INTENSITY = 50;

const supervisorOf = (id: string): SupervisorSpec => ({
  id,
  type: 'supervisor',
  intensity: NODE_INTENSITY,
});

/** What stands below `agents` for one node. */
export const nodeSpec = (
  node: string,
  agent: ChildSpec,
  hasCertificates = false,
): SupervisorSpec => ({
  id: node,
  type: 'supervisor',
  intensity: NODE_INTENSITY,
  children: [
    ...(hasCertificates ? [supervisorOf(CERTIFICATES_ID)] : []),
    supervisorOf(INSTANCES_ID),
    agent,
  ],
});

export const meshTree = ({
  pool,
  coordinator,
  listener,
  edgeCertificate,
  agents,
  planner,
}: MeshChildren): SupervisorSpec => ({
  id: ROOT,
  type: 'supervisor',
  strategy: 'rest_for_one',
  intensity: 5,
  children: [
    pool,
    ...(coordinator ? [coordinator] : []),
    {
      id: 'edge',
      type: 'supervisor',
      intensity: 5,
      children: [supervisorOf('targets'), ...(edgeCertificate ? [edgeCertificate] : []), listener],
    },
    {
      id: 'agents',
      type: 'supervisor',
      intensity: 5,
      children: agents.map(({ node, agent }) =>
        nodeSpec(node, agent, edgeCertificate !== undefined),
      ),
    },
    { id: 'rollouts', type: 'supervisor', intensity: NODE_INTENSITY },
    planner,
  ],
});
