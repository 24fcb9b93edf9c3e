/**
 * Changing flags and child specs while their supervisor runs (OTP `code_change`). Nothing is stopped
 * or started by it. A change lasts as long as this incarnation of the supervisor: one that is started
 * anew begins with the spec that it was given.
 */
import type { Child } from './child.ts';
import { checkChildSpec, checkSupervisorSpec } from './check-spec.ts';
import { isSupervisorSpec } from './child-spec.ts';
import type { AnyChildSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
import { invalidSpec } from './invalid-spec.ts';
import type { Refused } from './operations.ts';
import type { Supervisor } from './supervisor.ts';

/** Flags of a supervisor that can change. */
export type ChangedFlags = Partial<
  Pick<SupervisorSpec, 'strategy' | 'intensity' | 'periodMs' | 'autoShutdown' | 'maxChildren'>
>;

/**
 * Fields of a child spec that can change. `restart`, `shutdown` and `significant` count at once, the
 * others when the child starts next; a supervisor has only those three.
 */
export type ChangedChild = Partial<
  Pick<
    ChildSpec,
    | 'logic'
    | 'input'
    | 'restart'
    | 'shutdown'
    | 'significant'
    | 'ready'
    | 'startTimeoutMs'
    | 'backoff'
  >
>;

/** Answers of `changeFlags` and `changeChild`. */
export type ChangeResult = { readonly ok: true } | Refused<'not_found'>;

const OF_SUPERVISORS = ['restart', 'shutdown', 'significant'];
const NOT_FOUND = { ok: false, reason: 'not_found' } as const;

/** Rejects with `MESH_ERR_SUPERVISOR_SPEC_INVALID`, also where the flags and the children disagree. */
export const changeFlags = (supervisor: Supervisor, flags: ChangedFlags): Promise<ChangeResult> =>
  whenFree(supervisor, () => {
    const { path, spec, table, isSimple } = supervisor;
    const changed: SupervisorSpec = { ...spec, ...flags };
    if ((changed.strategy === 'simple_one_for_one') !== isSimple)
      throw invalidSpec(path, 'strategy', flags.strategy, 'as simple as it was');
    const children = isSimple ? spec.children : [...table.values()].map((child) => child.spec);
    checkSupervisorSpec({ ...changed, children: children ?? [] }, above(path));
    supervisor.become(changed);
    return { ok: true };
  });

/**
 * Rejects with `MESH_ERR_SUPERVISOR_SPEC_INVALID`. Under `simple_one_for_one` the id of the template
 * changes the template: those that run stay as they are.
 */
export const changeChild = (
  supervisor: Supervisor,
  id: string,
  fields: ChangedChild,
): Promise<ChangeResult> =>
  whenFree(supervisor, () => {
    const template = supervisor.isSimple ? supervisor.spec.children?.[0] : undefined;
    if (template?.id === id) {
      supervisor.become({ ...supervisor.spec, children: [checked(supervisor, template, fields)] });
      return { ok: true };
    }
    const child = supervisor.table.get(id);
    if (!child) return NOT_FOUND;
    replace(child, checked(supervisor, child.spec, fields));
    return { ok: true };
  });

const replace = (child: Child, spec: AnyChildSpec): void =>
  child.supervisor.table.setSpec(child, spec);

function checked(supervisor: Supervisor, spec: AnyChildSpec, fields: ChangedChild): AnyChildSpec {
  const { path, spec: flags } = supervisor;
  const foreign = Object.keys(fields).find((field) => !OF_SUPERVISORS.includes(field));
  if (isSupervisorSpec(spec) && foreign !== undefined)
    throw invalidSpec(`${path}/${spec.id}`, foreign, 'a change', 'as it was for a supervisor');
  const changed = { ...spec, ...fields } as AnyChildSpec;
  checkChildSpec(changed, path, flags.autoShutdown ?? 'never');
  return changed;
}

const above = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const whenFree = (supervisor: Supervisor, change: () => ChangeResult): Promise<ChangeResult> =>
  new Promise((resolve, reject) => {
    const run = (): void => {
      try {
        resolve(change());
      } catch (error) {
        reject(error);
      }
    };
    supervisor.request(run, () => resolve(NOT_FOUND));
  });
