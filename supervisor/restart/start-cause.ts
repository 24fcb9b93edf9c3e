import type { Child } from '../child.ts';
import { supervisorError } from '../errors.ts';
import { isAbnormal } from './exit-reason.ts';
import type { ExitReason } from './exit-reason.ts';

/** Why a start failed, also when the child itself ended without an error. */
export function startCause({ path }: Child, reason: ExitReason): unknown {
  if (isAbnormal(reason) && reason.type === 'error') return reason.cause;
  if (reason.type === 'shutdown' && reason.cause !== undefined) return reason.cause;
  return supervisorError(
    'MESH_ERR_SUPERVISOR_ENDED_BEFORE_READY',
    `${path} ended with ${reason.type} before it was ready.`,
    { details: { path, reason: reason.type } },
  );
}

/** The start of a supervisor failed because that of `child` did. */
export const startFailure = ({ path, supervisor }: Child, cause: unknown): ExitReason => ({
  type: 'error',
  cause: supervisorError(
    'MESH_ERR_SUPERVISOR_START_FAILED',
    `Supervisor ${supervisor.path} did not start: its child ${path} failed.`,
    { cause, details: { path: supervisor.path, child: path } },
  ),
});
