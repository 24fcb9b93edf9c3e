/** From a published plan to its end: shows how far it is, and says how it ended. */
import type { Plan } from '../../machines/workload/plan.ts';
import type { DeploymentProgress, MeshControl } from '../control/mesh-control.ts';
import type { Invocation } from './command.ts';
import { deploymentError } from './deployment-error.ts';
import { cliError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { duration, shortDigest } from './format.ts';
import { count } from './option-values.ts';
import type { Output } from './output.ts';
import { createProgress } from './progress.ts';
import { onSignals } from './signals.ts';

/** Long enough for a few instances to start one after the other, each within its own deadline. */
const TIMEOUT_S_DEFAULT = 600;
const DAY_S = 86_400;

/**
 * Follows the deployment of `plan` unless `--detach` was given. Rejects with
 * MESH_ERR_CLI_DEPLOYMENT_* where it did not succeed, and with MESH_ERR_CLI_TIMED_OUT; Ctrl-C ends
 * the following alone.
 */
export async function followDeployment(
  invocation: Invocation,
  control: MeshControl,
  plan: Plan,
): Promise<ExitCode> {
  const { options, out } = invocation;
  if (options['detach'] === true) {
    out.data(plan, () => String(plan.generation));
    out.note(`Generation ${String(plan.generation)} is published: mesh status ${plan.app}`);
    return EXIT.ok;
  }
  const timeoutS = count(invocation, 'timeout', { min: 1, max: DAY_S }) ?? TIMEOUT_S_DEFAULT;
  const deadline = AbortSignal.timeout(timeoutS * 1_000);
  const interrupted = onSignals();
  let last: DeploymentProgress | undefined;
  try {
    const signal = AbortSignal.any([deadline, interrupted.signal]);
    last = await watchDeployment(out, control, plan, signal, (step) => {
      if (options['follow'] === true && out.json) out.data(step, () => '');
    });
  } catch (thrown) {
    if (!deadline.aborted && !interrupted.signal.aborted) throw thrown;
  } finally {
    interrupted.release();
  }
  if (interrupted.signal.aborted) return detached(invocation, plan, interrupted.exitCode());
  if (deadline.aborted)
    throw cliError(
      'MESH_ERR_CLI_TIMED_OUT',
      `The deployment ${nameOf(plan)} did not end within ${String(timeoutS)} s.`,
      { details: { app: plan.app, generation: plan.generation } },
    );
  return report(invocation, plan, last);
}

/** Shows each step on stderr, and resolves to the last one; rejects when `signal` aborts. */
export async function watchDeployment(
  out: Output,
  control: MeshControl,
  plan: Pick<Plan, 'app' | 'generation'>,
  signal: AbortSignal,
  onStep: (step: DeploymentProgress) => void = () => undefined,
): Promise<DeploymentProgress | undefined> {
  const progress = createProgress(out);
  let last: DeploymentProgress | undefined;
  try {
    for await (last of control.follow(plan.app, plan.generation, signal)) {
      onStep(last);
      progress.update(stepOf(last), last.wanted === 0 ? 1 : last.serving / last.wanted);
    }
  } finally {
    progress.end();
  }
  signal.throwIfAborted();
  return last;
}

const nameOf = ({ app, generation }: Pick<Plan, 'app' | 'generation'>): string =>
  `${app} generation ${String(generation)}`;

function stepOf({ deployment, wanted, ready, serving }: DeploymentProgress): string {
  const total = String(wanted);
  return (
    `${nameOf(deployment)} (${deployment.version}): ${String(ready)}/${total} ready, ` +
    `${String(serving)}/${total} serving, ${deployment.outcome}`
  );
}

function detached({ out }: Invocation, plan: Plan, exitCode: ExitCode): ExitCode {
  const error = cliError(
    'MESH_ERR_CLI_DETACHED',
    `Detached: the deployment ${nameOf(plan)} goes on.`,
    { hint: `See how it ends with \`mesh status ${plan.app}\`.` },
  );
  if (out.json) out.error(error);
  else out.note(`${error.message} ${error.hint}`);
  return exitCode;
}

function report({ out, options }: Invocation, plan: Plan, last?: DeploymentProgress): ExitCode {
  if (last === undefined || last.deployment.outcome !== 'succeeded')
    throw deploymentError(out, plan, last);
  const { deployment } = last;
  const tookMs = (deployment.endedAtMs ?? deployment.startedAtMs) - deployment.startedAtMs;
  if (options['follow'] !== true || !out.json)
    out.data(
      deployment,
      () => `${nameOf(plan)} succeeded: ${deployment.version} ${shortDigest(deployment.digest)}`,
    );
  out.note(`${String(last.serving)} of ${String(last.wanted)} serve after ${duration(tookMs)}.`);
  return EXIT.ok;
}
