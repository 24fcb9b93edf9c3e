/** What a running mesh can be told to do. Everything is a plan; agents bring it about. */
import { isDigest, isName } from '../machines/kernel/ids.ts';
import { certificateError } from '../machines/workload/certificate-errors.ts';
import { fabricError } from '../machines/workload/fabric-errors.ts';
import type { Budget, Deployment, Plan, PlanRequest } from '../machines/workload/plan.ts';
import type { MeshParts } from './compose.ts';
import type { DeploymentProgress, RunRequest, ScaleRequest } from './control/mesh-control.ts';
import { progressOf, unknownApp, viewOf } from './mesh-view.ts';

/** Instances have five minutes to leave; a little more before giving up on them. */
const REMOVE_TIMEOUT_MS = 330_000;
const REMOVE_POLL_MS = 20;

const NO_LIMITS: Omit<Budget, 'app'> = { maxInstances: 0, cpuMilli: 0, memoryMb: 0 };

async function planOf({ fabric }: MeshParts, app: string): Promise<Plan> {
  const plan = await fabric.plan(app);
  if (plan === null) throw unknownApp(app);
  return plan;
}

/** Publishes what a stored spore needs; its manifest says version and nutrients. */
async function publish(
  { fabric, repo, ports, coordinator }: MeshParts,
  request: Omit<PlanRequest, 'version' | 'nutrients'>,
): Promise<Plan> {
  const { version, nutrients, identity } = await repo.manifest(request.digest);
  if (identity === 'required' && ports.certificates === undefined)
    throw noCoordinator(request.app, request.digest);
  if (identity !== 'none') await coordinator?.admit({ app: request.app, digest: request.digest });
  return fabric.publishPlan({
    ...request,
    version,
    nutrients: { cpuMilli: nutrients.cpu_milli, memoryMb: nutrients.memory_mb },
  });
}

const noCoordinator = (app: string, digest: string): Error =>
  certificateError(
    'MESH_ERR_CERTIFICATE_NO_COORDINATOR',
    `Running ${app}: the spore requires a mesh certificate, and this mesh has no Coordinator.`,
    { details: { app, digest } },
  );

export async function runApp(mesh: MeshParts, request: RunRequest): Promise<Plan> {
  const { app, digest, min = 1, strategy = 'blue_green' } = request;
  if (!isName(app) || !isDigest(digest))
    throw fabricError(
      'MESH_ERR_FABRIC_INVALID',
      `Running ${app}: an app is named in lower-case letters, digits and dashes, and a digest is 64 hex digits.`,
      { details: { app, digest } },
    );
  const max = request.max ?? Math.max(min, mesh.nodes.length);
  const { name } = await mesh.repo.manifest(digest);
  if (name !== app && request.anyName !== true) throw nameMismatch(app, digest, name);
  const { app: _, ...before } = (await mesh.fabric.budget(app)) ?? { app, ...NO_LIMITS };
  const budget = { ...before, ...request.budget };
  return publish(mesh, { app, digest, min, max, strategy, budget });
}

const nameMismatch = (app: string, digest: string, name: string): Error =>
  fabricError(
    'MESH_ERR_FABRIC_NAME_MISMATCH',
    `Running ${app}: the spore ${digest} is called ${name}.`,
    { details: { app, digest, name } },
  );

export async function scaleApp(mesh: MeshParts, { app, min, max }: ScaleRequest): Promise<Plan> {
  const { digest, strategy } = await planOf(mesh, app);
  return publish(mesh, { app, digest, min, max, strategy });
}

export async function restartApp(mesh: MeshParts, app: string): Promise<Plan> {
  const { digest, strategy, min, max } = await planOf(mesh, app);
  return publish(mesh, { app, digest, min, max, strategy, restart: true });
}

/** The one asked for, or the newest that succeeded with another digest than the present one. */
function rollbackTarget(
  history: readonly Deployment[],
  plan: Plan,
  generation: number | undefined,
): Deployment | undefined {
  if (generation !== undefined)
    return history.find((one) => one.generation === generation && one.outcome === 'succeeded');
  return history.find((one) => one.outcome === 'succeeded' && one.digest !== plan.digest);
}

export async function rollbackApp(
  mesh: MeshParts,
  app: string,
  generation?: number,
): Promise<Plan> {
  const plan = await planOf(mesh, app);
  const target = rollbackTarget(await mesh.fabric.history(app), plan, generation);
  if (target === undefined)
    throw fabricError(
      'MESH_ERR_FABRIC_NO_ROLLBACK',
      generation === undefined
        ? `Rolling back ${app}: no earlier deployment of another digest succeeded.`
        : `Rolling back ${app}: generation ${generation} did not succeed, or is not known.`,
      { details: { app, generation } },
    );
  const { min, max, strategy } = plan;
  return publish(mesh, { app, digest: target.digest, min, max, strategy });
}

/** Stops, waits until nothing of it runs, and forgets it with its logs. */
export async function removeApp({ fabric, clock, ports }: MeshParts, app: string): Promise<void> {
  const plan = await fabric.plan(app);
  if (plan === null) throw unknownApp(app);
  if (plan.intent === 'run') await fabric.stopApp(app);
  const deadline = clock.monotonicNow() + REMOVE_TIMEOUT_MS;
  while ((await fabric.instances({ app })).length > 0 && clock.monotonicNow() < deadline)
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, REMOVE_POLL_MS);
    });
  await fabric.removeApp(app);
  await ports.logs.discard(app);
}

/** Current, then each change, until that deployment has ended; intermediate states may be missed. */
export async function* followDeployment(
  mesh: MeshParts,
  app: string,
  generation: number,
  signal?: AbortSignal,
): AsyncGenerator<DeploymentProgress> {
  viewOf(mesh, app);
  let wake = Promise.withResolvers<void>();
  const stop = mesh.fabric.watchApp(app, () => wake.resolve());
  const abort = (): void => wake.resolve();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    while (signal?.aborted !== true) {
      wake = Promise.withResolvers<void>();
      const progress = await progressOf(mesh, viewOf(mesh, app), generation);
      if (progress === null) return;
      yield progress;
      if (progress.deployment.outcome !== 'pending') return;
      await wake.promise;
    }
  } finally {
    stop();
    signal?.removeEventListener('abort', abort);
  }
}
