/** Refuses a spec that cannot be meant, before anything is started. */
import { isSupervisorSpec } from './child-spec.ts';
import type { AnyChildSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
import { invalidSpec as invalid } from './invalid-spec.ts';
import { checkResume } from './durable/check-resume.ts';
import { checkPlacement } from './placement/check-placement.ts';

const STRATEGIES = ['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'];
const RESTARTS = ['permanent', 'transient', 'temporary'];
const AUTO_SHUTDOWNS = ['never', 'any_significant', 'all_significant'];
const MAILBOXES = ['keep', 'drop', 'dead_letter'];
const OVERFLOWS = ['drop_newest', 'drop_oldest', 'refuse'];
const WHILE_STARTING = ['deliver', 'stash'];
/** Supervisors above one another; deeper trees are taken for a mistake. */
const LEVELS_MAX = 100;
/** Longest id: it must stay readable in a path. */
const ID_CHARS_MAX = 200;

/** Checks a supervisor and everything under it; throws `MESH_ERR_SUPERVISOR_SPEC_INVALID`. */
export function checkSupervisorSpec(
  spec: SupervisorSpec,
  parent = '',
  above: readonly SupervisorSpec[] = [],
): void {
  const path = checkId(spec, parent);
  if (above.includes(spec)) throw invalid(path, 'children', 'itself', 'other supervisors');
  if (above.length >= LEVELS_MAX)
    throw invalid(path, 'children', above.length, `at most ${LEVELS_MAX} levels deep`);
  if (spec.type !== 'supervisor') throw invalid(path, 'type', spec.type, "'supervisor'");
  oneOf(path, 'strategy', spec.strategy, STRATEGIES);
  oneOf(path, 'autoShutdown', spec.autoShutdown, AUTO_SHUTDOWNS);
  checkCount(path, 'intensity', spec.intensity, 0);
  checkCount(path, 'maxChildren', spec.maxChildren, 0);
  if (spec.periodMs !== undefined && !(spec.periodMs > 0))
    throw invalid(path, 'periodMs', spec.periodMs, 'a number > 0');
  checkLifecycle(path, spec);
  const isSimple = spec.strategy === 'simple_one_for_one';
  if (isSimple && (spec.autoShutdown ?? 'never') !== 'never')
    throw invalid(path, 'autoShutdown', spec.autoShutdown, "'never' with simple_one_for_one");
  const children: unknown = spec.children ?? [];
  if (!Array.isArray(children)) throw invalid(path, 'children', children, 'an array');
  if (isSimple && children.length !== 1)
    throw invalid(path, 'children', children.length, 'exactly one template');
  checkChildren(path, spec, children as readonly AnyChildSpec[], [...above, spec]);
}

function checkChildren(
  path: string,
  spec: SupervisorSpec,
  children: readonly AnyChildSpec[],
  above: readonly SupervisorSpec[],
): void {
  const ids = new Set<string>();
  for (const child of children) {
    checkChildSpec(child, path, spec.autoShutdown ?? 'never', above);
    if (ids.has(child.id))
      throw invalid(path, 'children', child.id, 'a list in which each id occurs once');
    ids.add(child.id);
  }
}

/** Checks one child of the supervisor at `parent`; throws `MESH_ERR_SUPERVISOR_SPEC_INVALID`. */
export function checkChildSpec(
  spec: AnyChildSpec,
  parent: string,
  autoShutdown: NonNullable<SupervisorSpec['autoShutdown']>,
  above: readonly SupervisorSpec[] = [],
): void {
  if (typeof spec !== 'object' || spec === null)
    throw invalid(`a child of ${parent}`, 'the spec', spec, 'an object');
  if (isSupervisorSpec(spec)) checkSupervisorSpec(spec, parent, above);
  else checkWorker(spec, checkId(spec, parent));
  if (spec.significant && autoShutdown === 'never')
    throw invalid(
      `${parent}/${spec.id}`,
      'significant',
      true,
      "false where the supervisor's autoShutdown is 'never'",
    );
}

function checkWorker(spec: ChildSpec, path: string): void {
  const logic: unknown = spec.logic;
  const isLogic =
    typeof logic === 'object' &&
    logic !== null &&
    'transition' in logic &&
    'getInitialSnapshot' in logic;
  if (!isLogic) throw invalid(path, 'logic', logic, 'XState actor logic');
  oneOf(path, 'type', spec.type, ['worker']);
  checkMailbox(path, spec);
  checkResume(path, spec);
  const ready: unknown = spec.ready;
  if (ready !== undefined && typeof ready !== 'function')
    throw invalid(path, 'ready', ready, 'a function of the snapshot');
  checkNumber(path, 'startTimeoutMs', spec.startTimeoutMs, 0, 'milliseconds ≥ 0');
  checkLifecycle(path, spec);
  checkBackoff(path, spec);
  checkPlacement(path, spec);
}

function checkMailbox(path: string, { mailbox, ready }: ChildSpec): void {
  if (typeof mailbox !== 'object' || mailbox === null) {
    oneOf(path, 'mailbox', mailbox, MAILBOXES);
    return;
  }
  checkCount(path, 'mailbox.capacity', mailbox.capacity, 1);
  oneOf(path, 'mailbox.overflow', mailbox.overflow, OVERFLOWS);
  oneOf(path, 'mailbox.onRestart', mailbox.onRestart, MAILBOXES);
  oneOf(path, 'mailbox.whileStarting', mailbox.whileStarting, WHILE_STARTING);
  if (mailbox.whileStarting === 'stash' && ready === undefined)
    throw invalid(path, 'mailbox.whileStarting', 'stash', "'deliver' without `ready`");
}

function checkBackoff(path: string, { backoff }: ChildSpec): void {
  if (backoff === undefined) return;
  checkNumber(path, 'backoff.minMs', backoff.minMs, 0, 'milliseconds ≥ 0', true);
  checkNumber(path, 'backoff.maxMs', backoff.maxMs, backoff.minMs, 'at least minMs', true);
  checkNumber(path, 'backoff.factor', backoff.factor, 1, 'a number ≥ 1', true);
  checkNumber(path, 'backoff.jitter', backoff.jitter, 0, 'a number from 0 to 1', true);
  if (backoff.jitter > 1)
    throw invalid(path, 'backoff.jitter', backoff.jitter, 'a number from 0 to 1');
  checkNumber(path, 'backoff.resetAfterMs', backoff.resetAfterMs, 0, 'milliseconds ≥ 0', true);
}

function checkLifecycle(path: string, spec: AnyChildSpec): void {
  oneOf(path, 'restart', spec.restart, RESTARTS);
  const { shutdown } = spec;
  if (typeof shutdown === 'number')
    checkNumber(path, 'shutdown', shutdown, 0, "milliseconds ≥ 0, 'brutal_kill' or 'infinity'");
  else oneOf(path, 'shutdown', shutdown, ['brutal_kill', 'infinity']);
  if (spec.significant && (spec.restart ?? 'permanent') === 'permanent')
    throw invalid(path, 'significant', true, 'false where restart is permanent');
}

function checkId(spec: { readonly id: string }, parent: string): string {
  const id: unknown = spec.id;
  const at = parent === '' ? 'the root' : `a child of ${parent}`;
  if (typeof id !== 'string' || id === '') throw invalid(at, 'id', id, 'a non-empty string');
  if (id.includes('/')) throw invalid(at, 'id', id, 'a string without a slash');
  if (id.length > ID_CHARS_MAX)
    throw invalid(at, 'id', id.length, `at most ${ID_CHARS_MAX} characters long`);
  return parent === '' ? id : `${parent}/${id}`;
}

function oneOf(path: string, field: string, found: unknown, allowed: readonly string[]): void {
  if (found === undefined || (typeof found === 'string' && allowed.includes(found))) return;
  throw invalid(path, field, found, `one of ${allowed.join(', ')}`);
}

/** A whole number, or no limit. */
function checkCount(path: string, field: string, found: number | undefined, min: number): void {
  checkNumber(path, field, found, min, `a whole number ≥ ${min}`);
  if (found !== undefined && found !== Infinity && !Number.isInteger(found))
    throw invalid(path, field, found, `a whole number ≥ ${min}`);
}

function checkNumber(
  path: string,
  field: string,
  found: unknown,
  min: number,
  wanted: string,
  isRequired = false,
): void {
  if (found === undefined && !isRequired) return;
  if (typeof found !== 'number' || !(found >= min)) throw invalid(path, field, found, wanted);
}
