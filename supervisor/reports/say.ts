/** Builds each report only if somebody listens. */
import type { Child } from '../child.ts';
import { shutdownOf } from '../child-spec.ts';
import { causeOf, codedCause, exitReasonJson, isAbnormal } from '../restart/exit-reason.ts';
import type { ExitReason } from '../restart/exit-reason.ts';
import { stackOf } from './reports.ts';
import type { SupervisorReport } from './reports.ts';
import type { Supervisor } from '../supervisor.ts';

const emit = (subject: Child | Supervisor, build: () => ReportBody): void => {
  const { scope } = 'supervisor' in subject ? subject.supervisor : subject;
  if (scope.reports.isEmpty) return;
  const { path, incarnation } = subject;
  scope.reports.emit({ atMs: scope.clock.now(), path, incarnation, ...build() });
};

type BodyOf<Report> = Report extends SupervisorReport
  ? Omit<Report, 'atMs' | 'path' | 'incarnation'>
  : never;
type ReportBody = BodyOf<SupervisorReport>;

/** A child ended by itself. */
export const exited = (child: Child, reason: ExitReason, willRestart: boolean): void =>
  emit(child, () => ({
    type: isAbnormal(reason) ? 'crash' : 'exit',
    reason: exitReasonJson(child.path, reason),
    willRestart,
    ...stackOf(causeOf(reason)),
  }));

/** A child could not be started. */
export const startFailed = (child: Child, cause: unknown): void =>
  emit(child, () => ({ type: 'start_error', cause: codedCause(child.path, cause).toJSON() }));

/** A restart waits. */
export const backoff = (child: Child, delayMs: number): void =>
  emit(child, () => ({ type: 'backoff', delayMs, attempt: child.attempt }));

/** A child that was asked to stop has ended; killing is an error unless it was asked for. */
export const stopped = (child: Child, reason: ExitReason): void => {
  const isMeant =
    reason.type === 'killed' ? shutdownOf(child.spec) === 'brutal_kill' : !isAbnormal(reason);
  emit(child, () => ({
    type: isMeant ? 'shutdown' : 'shutdown_error',
    reason: exitReasonJson(child.path, reason),
  }));
};

/** One restart too many. */
export const intensity = (supervisor: Supervisor, child: Child): void =>
  emit(supervisor, () => ({
    type: 'intensity',
    intensity: supervisor.intensity,
    periodMs: supervisor.periodMs,
    child: child.path,
  }));

/** A significant child ended, and its supervisor with it. */
export const autoShutdown = (supervisor: Supervisor, child: Child): void =>
  emit(supervisor, () => ({ type: 'auto_shutdown', child: child.path }));

/** Only an end with a cause is an escalation. */
export const escalation = (
  supervisor: Supervisor,
  to: string | undefined,
  reason: ExitReason,
): void => {
  const cause = causeOf(reason);
  if (cause === undefined) return;
  emit(supervisor, () => ({
    type: 'escalation',
    to,
    cause: codedCause(supervisor.path, cause).toJSON(),
  }));
};
