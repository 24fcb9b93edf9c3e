/** Why an incarnation ended, and what that means for each restart type (OTP `supervisor`). */
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { RestartType } from '../child-spec.ts';
import { supervisorError } from '../errors.ts';

/** Why an incarnation ended. */
export type ExitReason =
  /** It reached a final state. */
  | { readonly type: 'normal'; readonly output?: unknown }
  /** Its supervisor stopped it, or a supervisor gave up; then `cause` says over what. */
  | { readonly type: 'shutdown'; readonly cause?: unknown }
  /** It did not stop in time, or was to be killed at once. */
  | { readonly type: 'killed' }
  /** It threw, rejected, or did not become ready. */
  | { readonly type: 'error'; readonly cause: unknown };

/** An exit reason as plain JSON, for reports and watchers. */
export interface ExitReasonJson {
  readonly type: ExitReason['type'];
  readonly cause?: ErrorJson;
}

/** Whether a child that ended by itself is started again. */
export function isRestarted(restart: RestartType, reason: ExitReason): boolean {
  if (restart === 'permanent') return true;
  return restart === 'transient' && isAbnormal(reason);
}

/** Abnormal: neither `normal` nor `shutdown`. */
export const isAbnormal = (reason: ExitReason): boolean =>
  reason.type === 'error' || reason.type === 'killed';

/** What was thrown, or what a supervisor gave up over. */
export const causeOf = (reason: ExitReason): unknown =>
  reason.type === 'error' || reason.type === 'shutdown' ? reason.cause : undefined;

/** What was thrown, as an error with a code. */
export function codedCause(path: string, thrown: unknown): CodedError {
  if (thrown instanceof CodedError) return thrown;
  const found = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return supervisorError('MESH_ERR_SUPERVISOR_CHILD_CRASHED', `${path} crashed with ${found}.`, {
    cause: thrown,
    details: { path },
  });
}

/** The reason as it goes into reports. */
export function exitReasonJson(path: string, reason: ExitReason): ExitReasonJson {
  const cause = causeOf(reason);
  return cause === undefined
    ? { type: reason.type }
    : { type: reason.type, cause: codedCause(path, cause).toJSON() };
}
