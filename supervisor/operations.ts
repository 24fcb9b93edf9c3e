/** The calls of OTP's `supervisor` on a running one, with its answers as typed results. */
import type { Child, ChildStatus } from './child.ts';
import { checkChildSpec } from './check-spec.ts';
import { isSupervisorSpec, restartOf } from './child-spec.ts';
import type { AnyChildSpec, ChildSpec, RestartType, TemplateChild } from './child-spec.ts';
import { supervisorError } from './errors.ts';
import { beginStop, disarm, launch } from './lifecycle.ts';
import { discardHeld } from './delivery/mail.ts';
import type { Supervisor } from './supervisor.ts';

/** The child is ready. */
export interface ChildStarted {
  readonly ok: true;
  readonly path: string;
  readonly incarnation: number;
}

/** The operation changed nothing. */
export interface Refused<Reason extends string> {
  readonly ok: false;
  readonly reason: Reason;
  /** With `start_error`: what the child met. */
  readonly cause?: unknown;
}

/** Answers of `startChild`. */
export type StartChildResult =
  | ChildStarted
  | Refused<'already_started' | 'already_present' | 'max_children' | 'not_found' | 'start_error'>;
/** Answers of `terminateChild`. */
export type TerminateChildResult = { readonly ok: true } | Refused<'not_found'>;
/** Answers of `restartChild`. */
export type RestartChildResult =
  | ChildStarted
  | Refused<'not_found' | 'running' | 'restarting' | 'start_error'>;
/** Answers of `deleteChild`. */
export type DeleteChildResult =
  | { readonly ok: true }
  | Refused<'not_found' | 'running' | 'restarting'>;

/** A child as it is at this moment. */
export interface ChildInfo {
  readonly id: string;
  readonly path: string;
  readonly type: 'worker' | 'supervisor';
  readonly restart: RestartType;
  readonly significant: boolean;
  readonly status: ChildStatus;
  readonly incarnation: number;
  /** Restarts since it was added. */
  readonly restarts: number;
  /** When it took its status, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** As OTP's `count_children`: the last two count specs, whether alive or not. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

const refused = <Reason extends string>(reason: Reason): Refused<Reason> => ({ ok: false, reason });

/**
 * Adds a child and starts it; resolves when it is ready. Under `simple_one_for_one` the spec is
 * `{ id?, input? }`, the rest comes from the template. Rejects with `MESH_ERR_SUPERVISOR_SPEC_INVALID`.
 */
export async function startChild(
  supervisor: Supervisor,
  given: AnyChildSpec | TemplateChild,
): Promise<StartChildResult> {
  const spec = supervisor.isSimple ? fromTemplate(supervisor, given) : (given as AnyChildSpec);
  checkChildSpec(spec, supervisor.path, supervisor.spec.autoShutdown ?? 'never');
  return new Promise((resolve) => {
    supervisor.request(
      () => {
        const present = supervisor.table.get(spec.id);
        if (present) resolve(refused(present.isAlive ? 'already_started' : 'already_present'));
        else if (supervisor.table.size >= (supervisor.spec.maxChildren ?? Infinity))
          resolve(refused('max_children'));
        else {
          const child = supervisor.table.add(spec);
          begin(child, (result) => {
            // As in OTP, the spec of a child that never started is not kept.
            if (!result.ok && child.status === 'stopped') supervisor.remove(child, true);
            resolve(result);
          });
        }
      },
      () => resolve(refused('not_found')),
    );
  });
}

/** Stops a child and keeps its spec, unless it is temporary; resolves when it is gone. */
export const terminateChild = (supervisor: Supervisor, id: string): Promise<TerminateChildResult> =>
  new Promise((resolve) => {
    supervisor.request(
      () => {
        const child = supervisor.table.get(id);
        if (!child) resolve(refused('not_found'));
        else terminate(child, () => resolve({ ok: true }));
      },
      () => resolve(refused('not_found')),
    );
  });

/** Starts a child that was terminated or has ended; resolves when it is ready. */
export const restartChild = (supervisor: Supervisor, id: string): Promise<RestartChildResult> =>
  new Promise((resolve) => {
    supervisor.request(
      () => {
        const child = supervisor.table.get(id);
        if (!child) resolve(refused('not_found'));
        else if (child.isAlive) resolve(refused('running'));
        else if (child.status === 'restarting') resolve(refused('restarting'));
        else begin(child, resolve);
      },
      () => resolve(refused('not_found')),
    );
  });

/** Forgets a child that is not running. */
export const deleteChild = (supervisor: Supervisor, id: string): Promise<DeleteChildResult> =>
  new Promise((resolve) => {
    supervisor.request(
      () => {
        const child = supervisor.table.get(id);
        if (!child) resolve(refused('not_found'));
        else if (child.isAlive) resolve(refused('running'));
        else if (child.status === 'restarting') resolve(refused('restarting'));
        else {
          supervisor.remove(child);
          resolve({ ok: true });
        }
      },
      () => resolve(refused('not_found')),
    );
  });

/** All children in start order, as they are at this moment. */
export const whichChildren = (supervisor: Supervisor): ChildInfo[] =>
  [...supervisor.table.values()].map((child) => ({
    id: child.id,
    path: child.path,
    type: child.isSupervisor ? 'supervisor' : 'worker',
    restart: restartOf(child.spec),
    significant: child.spec.significant ?? false,
    status: child.status,
    incarnation: child.incarnation,
    restarts: child.restarts,
    sinceMs: child.sinceMs,
  }));

/** Counts, kept up to date rather than taken. */
export const countChildren = ({ table }: Supervisor): ChildCounts => ({
  specs: table.size,
  active: table.active,
  supervisors: table.supervisors,
  workers: table.size - table.supervisors,
});

function begin(
  child: Child,
  answer: (result: ChildStarted | Refused<'start_error'>) => void,
): void {
  (child.waiters ??= []).push((outcome) => {
    if (outcome.type === 'ready')
      answer({ ok: true, path: child.path, incarnation: child.incarnation });
    else {
      const cause = outcome.type === 'failed' ? outcome.cause : aborted(child.path);
      answer({ ok: false, reason: 'start_error', cause });
    }
  });
  child.isRestart = false;
  launch(child);
}

function terminate(child: Child, done: () => void): void {
  const { supervisor } = child;
  if (!child.isAlive) {
    disarm(child);
    child.undecided = undefined;
    discardHeld(child);
    if (child.status !== 'stopped') supervisor.table.setStatus(child, 'stopped');
    if (child.restart === 'temporary' || supervisor.isSimple) supervisor.remove(child);
    done();
    return;
  }
  const { waiters } = child;
  child.waiters = [...(waiters ?? []), done];
  if (child.status !== 'stopping') beginStop(child);
}

const aborted = (path: string): Error =>
  supervisorError(
    'MESH_ERR_SUPERVISOR_START_ABORTED',
    `${path} was asked to stop before it was ready.`,
    { details: { path } },
  );

function fromTemplate(supervisor: Supervisor, given: TemplateChild): AnyChildSpec {
  const template = supervisor.spec.children?.[0] as AnyChildSpec;
  const id = given.id ?? supervisor.table.nextTemplateId(template.id);
  if (isSupervisorSpec(template)) return { ...template, id };
  const spec: ChildSpec = { ...template, id };
  return given.input === undefined ? spec : { ...spec, input: given.input };
}
