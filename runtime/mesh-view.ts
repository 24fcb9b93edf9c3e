/** What a running mesh says of itself: rows and states, read from the fabric and the tree. */
import { instancePath } from '../actors/workload/paths.ts';
import type { AppView } from '../actors/workload/ports/fabric.ts';
import type { InstanceRecord } from '../machines/workload/instance-record.ts';
import { stateText } from '../supervisor/describe.ts';
import type { SlotReport } from '../machines/workload/plan.ts';
import { certificateOf } from './certificates/certificate-view.ts';
import type { MeshParts } from './compose.ts';
import type {
  AppState,
  AppStatus,
  DeploymentProgress,
  InstanceRow,
} from './control/mesh-control.ts';
import { fabricError } from '../machines/workload/fabric-errors.ts';

export const unknownApp = (app: string) =>
  fabricError('MESH_ERR_FABRIC_UNKNOWN_APP', `There is no app ${app}.`, { details: { app } });

/** The innermost state of an instance's machine: `running.up.healthy` is `healthy`. */
function instanceState({ tree }: MeshParts, { node, instance }: InstanceRecord): string {
  const snapshot = tree.snapshotOf(instancePath(node, instance));
  if (snapshot === undefined || !('value' in snapshot)) return 'unattended';
  return stateText(snapshot.value).split('.').at(-1) ?? 'unattended';
}

export async function instanceRows(
  mesh: MeshParts,
  filter: { readonly app?: string } = {},
): Promise<InstanceRow[]> {
  const records = await mesh.fabric.instances(filter);
  const reports = new Map<string, SlotReport>();
  for (const app of new Set(records.map((record) => record.app)))
    for (const report of await mesh.fabric.slotReports(app))
      reports.set(`${app} ${report.node} ${report.ordinal}`, report);
  return records
    .map((record) => ({
      app: record.app,
      node: record.node,
      instance: record.instance,
      role: record.role,
      state: instanceState(mesh, record),
      pid: record.process?.pid ?? null,
      port: record.port,
      digest: record.digest,
      version: record.version,
      restarts: reports.get(`${record.app} ${record.node} ${record.ordinal}`)?.restarts ?? 0,
      since: new Date(record.createdAtMs).toISOString(),
      identity: identityOf(mesh, record),
    }))
    .toSorted((a, b) => rank(a).localeCompare(rank(b)));
}

/** In short: the whole of it is in the list of certificates. */
function identityOf(mesh: MeshParts, record: InstanceRecord): InstanceRow['identity'] {
  const seen = certificateOf(mesh, record);
  return seen && { spiffeId: seen.spiffeId, state: seen.state, notAfter: seen.notAfter };
}

const rank = ({ app, node, role, instance }: InstanceRow): string =>
  `${app} ${node.padStart(80)} ${role} ${instance}`;

interface Verdict {
  readonly state: AppState;
  readonly why: string | null;
}

/** One word for an app, and one sentence where it is not `running`. */
export function verdictOf({ plan, deployments, assignments, reports }: AppView): Verdict {
  const [newest] = deployments;
  const why = newest?.reason?.message ?? null;
  if (newest?.outcome === 'pending')
    return { state: 'deploying', why: `Generation ${plan.generation} is being deployed.` };
  if (plan.intent === 'stop')
    return newest?.outcome === 'failed'
      ? { state: 'failed', why: why ?? 'The first deployment failed.' }
      : { state: 'stopped', why: 'It was stopped.' };
  if (plan.max === 0 && reports.every(({ state }) => state === 'stopped'))
    return { state: 'stopped', why: 'It is scaled to nothing.' };
  const looping = reports.find(({ state }) => state === 'crash_looping');
  if (looping)
    return {
      state: 'crash_looping',
      why: `${looping.node}: ${looping.reason?.message ?? 'it ends again and again.'}`,
    };
  const serving = reports.filter(({ state }) => state === 'serving').length;
  if (serving < assignments.length || assignments.length === 0)
    return {
      state: 'degraded',
      why: `${serving} of ${assignments.length} instances serve.`,
    };
  return { state: 'running', why: null };
}

/** The present view of one app; MESH_ERR_FABRIC_UNKNOWN_APP. */
export function viewOf({ fabric }: MeshParts, app: string): AppView {
  let seen: AppView | null = null;
  fabric.watchApp(app, (view) => (seen = view))();
  if (seen === null) throw unknownApp(app);
  return seen;
}

export async function appStatus(mesh: MeshParts, app: string): Promise<AppStatus> {
  const view = viewOf(mesh, app);
  return {
    app,
    ...verdictOf(view),
    plan: view.plan,
    budget: await mesh.fabric.budget(app),
    slots: view.reports,
    endpoints: await mesh.fabric.endpoints(app),
    instances: await instanceRows(mesh, { app }),
    deployments: view.deployments,
  };
}

/** How far the deployment of that generation is; null where it is not known (any more). */
export async function progressOf(
  mesh: MeshParts,
  view: AppView,
  generation: number,
): Promise<DeploymentProgress | null> {
  const deployment = view.deployments.find((one) => one.generation === generation);
  if (deployment === undefined) return null;
  const { app } = deployment;
  const current = view.reports.filter((report) => report.generation === generation);
  const count = (...states: SlotReport['state'][]): number =>
    current.filter(({ state }) => states.includes(state)).length;
  const [records, endpoints] = await Promise.all([
    mesh.fabric.instances({ app }),
    mesh.fabric.endpoints(app),
  ]);
  const serving = new Set(endpoints.map(({ instance }) => instance));
  const digests = records.filter(({ instance }) => serving.has(instance)).map((one) => one.digest);
  return {
    deployment,
    wanted: view.plan.generation === generation ? view.assignments.length : 0,
    ready: count('candidate_ready', 'serving'),
    serving: count('serving'),
    slots: current,
    servingDigests: [...new Set(digests)],
    reason: deployment.reason,
  };
}
