import type { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Outcome, Plan, Reason } from '../../machines/workload/plan.ts';
import type { DeploymentProgress } from '../control/mesh-control.ts';
import { cliError } from './errors.ts';
import type { CLI_ERRORS } from './errors.ts';
import { counted, shortDigest } from './format.ts';
import type { Output } from './output.ts';
import { paint } from './output.ts';

const CODES: Readonly<Record<Outcome, keyof typeof CLI_ERRORS>> = {
  // A stream that ends without an outcome was cut by a plan that removed the app.
  pending: 'MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN',
  succeeded: 'MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN',
  superseded: 'MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN',
  stopped: 'MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN',
  reverted: 'MESH_ERR_CLI_DEPLOYMENT_REVERTED',
  failed: 'MESH_ERR_CLI_DEPLOYMENT_FAILED',
};

/** The error of a deployment that did not succeed; what led to it is noted on stderr before. */
export function deploymentError(
  out: Output,
  plan: Pick<Plan, 'app' | 'generation'>,
  last: DeploymentProgress | undefined,
): CodedError {
  const outcome = last?.deployment.outcome ?? 'pending';
  const reason = last?.reason ?? last?.deployment.reason ?? null;
  if (!out.json && last !== undefined) for (const line of evidence(last, reason)) out.note(line);
  const why = reason === null ? '' : `: ${reason.message.replace(/\.$/, '')}`;
  const ended = outcome === 'pending' ? 'was given up' : `ended as ${outcome}`;
  return cliError(
    CODES[outcome],
    `The deployment ${plan.app} generation ${String(plan.generation)} ${ended}${why}.`,
    { details: { deployment: last?.deployment, serving: last?.servingDigests ?? [], reason } },
  );
}

/** The last lines of the log, the last probe, and what serves now. */
export function evidence(last: DeploymentProgress, reason: Reason | null): readonly string[] {
  const dim = (text: string): string => paint(process.stderr, 'dim', text);
  const lines: string[] = [];
  const tail = reason?.logTail?.slice(-20) ?? [];
  const where = [reason?.instance, reason?.node].filter((part) => part !== undefined).join(' on ');
  if (tail.length > 0) {
    lines.push(dim(`last ${counted(tail.length, 'line')} of the log of ${where}:`));
    lines.push(...tail.map((line) => `  ${line}`));
  } else if (where !== '') lines.push(dim(`the log of ${where} is empty`));
  lines.push(...endOf(reason).map(dim));
  const serving = last.servingDigests.map(shortDigest).join(', ');
  lines.push(dim(serving === '' ? 'nothing serves now' : `still serving: ${serving}`));
  return lines;
}

function endOf(reason: Reason | null): string[] {
  const lines: string[] = [];
  if (typeof reason?.exitCode === 'number') lines.push(`exit code: ${String(reason.exitCode)}`);
  if (typeof reason?.signal === 'string') lines.push(`ended by: ${reason.signal}`);
  if (typeof reason?.lastProbe === 'string') lines.push(`last probe: ${reason.lastProbe}`);
  return lines;
}
