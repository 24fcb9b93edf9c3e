import { instancePath } from '../../../actors/workload/paths.ts';
import type { Deployment } from '../../../machines/workload/plan.ts';
import type { AppStatus, InstanceRow } from '../../control/mesh-control.ts';
import type {
  DeploymentLine,
  InstanceLine,
  WorkloadLine,
  WorkloadsView,
} from '../ui/views.types.ts';

/** Deployments of each app; `mesh history` has them all. */
const DEPLOYMENTS_MAX = 10;
/** Apps on one page. */
const APPS_MAX = 500;

/** Apps by name, with what runs of them and how their last deployments ended. */
export const workloadsView = (apps: readonly AppStatus[]): WorkloadsView => ({
  available: true,
  apps: apps
    .toSorted((a, b) => (a.app < b.app ? -1 : 1))
    .slice(0, APPS_MAX)
    .map(lineOf),
});

function lineOf({ app, state, why, plan, slots, instances, deployments }: AppStatus): WorkloadLine {
  const { digest, version, generation, strategy, min, max } = plan;
  return {
    app,
    state,
    why,
    digest,
    version,
    generation,
    strategy,
    min,
    max,
    restarts: slots.reduce((sum, slot) => sum + slot.restarts, 0),
    serving: slots.filter((slot) => slot.state === 'serving').length,
    instances: instances.map(instanceLine),
    deployments: deployments.slice(0, DEPLOYMENTS_MAX).map(deploymentLine),
  };
}

const instanceLine = ({ since, ...row }: InstanceRow): InstanceLine => ({
  ...row,
  sinceMs: Date.parse(since),
  path: instancePath(row.node, row.instance),
});

function deploymentLine({ reason, ...row }: Deployment): DeploymentLine {
  const { generation, digest, version, strategy, outcome, startedAtMs, endedAtMs } = row;
  const why = reason && {
    code: reason.code,
    message: reason.message,
    logTail: reason.logTail ?? [],
  };
  return {
    generation,
    digest,
    version,
    strategy,
    outcome,
    reason: why,
    startedAtMs,
    endedAtMs,
  };
}
