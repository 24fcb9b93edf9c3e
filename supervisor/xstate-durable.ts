/**
 * XState's shape as far as durable actors need it, beside `xstate-shape.ts`: what of an actor and of
 * all that its machine owns can be written, how it is brought back, and where its effects pass.
 * XState's own persistence leaves out deadlines and mail under way, and turns errors into `{}`.
 */
import { StateMachine } from 'xstate';
import type { EventObject } from 'xstate';
import { CodedError } from '../machines/kernel/coded-error.ts';
import type { Cell, CellHost } from './delivery/cell.ts';
import type { Deadlines } from './durable/deadlines.ts';
import { unserialisable } from './durable/plain-json.ts';
import type { DurableRecord, MachineTag, SavedDeadline, SavedLetter } from './durable/record.ts';
import { isThreadLogic } from './placement/thread-logic.ts';
import { codedCause } from './restart/exit-reason.ts';
import { CELL, PathRef, STOPPED, cellOf, internals, isOwn } from './xstate-shape.ts';
import type { ActorInternals, SystemInternals, Target } from './xstate-shape.ts';

/** Tells a machine that it continues from a snapshot, after its deadlines were armed again. */
export const RESUME_COMMAND: EventObject = Object.freeze({ type: 'resume' });

interface CustomAction {
  readonly type: string;
  readonly info: unknown;
  readonly params: unknown;
  readonly exec: ((info: unknown, params: unknown) => void) | undefined;
}

interface ScopeInternals {
  actionExecutor: (action: CustomAction) => void;
  emit: (event: EventObject) => void;
}

/** How a logic is known again: a machine by its id and version, other logic by its kind. */
export function tagOf(logic: unknown, version: string | undefined): MachineTag {
  if (isThreadLogic(logic)) return { machine: `thread ${logic.thread.export}`, version };
  if (!(logic instanceof StateMachine)) return { machine: 'logic', version };
  const own: unknown = logic.version;
  return { machine: logic.id, version: version ?? (typeof own === 'string' ? own : undefined) };
}

/**
 * Holds the effects of a durable actor that is being constructed, where they are held at all: its
 * custom actions, what it emits, and the start of what is no machine. A machine's start is a change of
 * state; its effects pass here too.
 */
export function holdEffects(cell: Cell, actor: ActorInternals): void {
  const { durability } = cell;
  if (!durability?.holdsEffects) return;
  const scope = actor._actorScope as ScopeInternals;
  const { actionExecutor, emit } = scope;
  scope.emit = (event) => durability.hold(cell, () => emit(event));
  scope.actionExecutor = (action) => {
    const isBuiltIn = action.type.startsWith('xstate.');
    if (isBuiltIn || !action.exec) actionExecutor(action);
    else durability.hold(cell, () => action.exec?.(action.info, action.params));
  };
  if (actor.logic instanceof StateMachine || cell.owner) return;
  const start = actor.start.bind(actor);
  actor.start = () => {
    durability.hold(cell, () => {
      if (actor._processingStatus !== STOPPED) start();
    });
    return actor;
  };
}

/**
 * Whether a turn of the actor changes what is written. A promise's result counts when its machine
 * gets it; before that it is still to come, so whoever continues runs it again.
 */
export const hasState = ({ actor, keeper }: Cell): boolean =>
  !keeper || internals(actor).logic instanceof StateMachine || 'context' in snapshotOf(actor);

const snapshotOf = (actor: unknown): object => internals(actor)._snapshot;

/** What can be written of an actor. */
export interface DurableState extends Pick<DurableRecord, 'snapshot' | 'deadlines' | 'mail'> {
  /** Ids of the actors that its machine owns, however deep. */
  readonly actorIds: ReadonlySet<string>;
}

/** Throws MESH_ERR_JOURNAL_SNAPSHOT_UNSERIALISABLE for what XState itself refuses to persist. */
export function stateOf(
  cell: Cell,
  path: string,
  deadlines: Deadlines,
  nowMs: number,
  unhandled: EventObject | undefined,
): DurableState {
  const root = internals(cell.actor);
  const snapshot = persistedOf(root, path);
  const actorIds = new Set<string>();
  collectIds(snapshot, actorIds);
  const mail = unreadMail(root, path);
  if (unhandled) mail.unshift({ to: [], event: writtenError(unhandled, path) });
  const saved: SavedDeadline[] = [];
  for (const [at, { id, event, target, dueAtMs, delayMs }] of deadlines.all()) {
    const of = addressOf(internals(at.actor), root);
    const to = target instanceof PathRef ? target.id : addressOf(target, root);
    if (!of || !to)
      throw unserialisable(path, 'deadlines', 'a delayed event for an actor outside of it');
    const leftMs = Math.min(delayMs, Math.max(0, dueAtMs - nowMs));
    saved.push({ of, to, ...(id === undefined ? {} : { id }), event, dueAtMs, leftMs });
  }
  return {
    snapshot,
    ...(saved.length > 0 ? { deadlines: saved } : {}),
    ...(mail.length > 0 ? { mail } : {}),
    actorIds,
  };
}

/** A crashed actor's last state is the one before the crash; XState keeps it beside the error. */
function persistedOf(actor: ActorInternals, path: string): unknown {
  const { _snapshot: last, logic } = actor;
  const snapshot = last.status === 'error' ? { ...last, status: 'active', error: undefined } : last;
  try {
    return logic.getPersistedSnapshot(snapshot);
  } catch (cause) {
    const found = cause instanceof RangeError ? 'part of a cycle' : 'or holds what XState refuses';
    throw unserialisable(path, cause instanceof RangeError ? 'context' : '', found, cause);
  }
}

interface PersistedChildren {
  children?: Readonly<Record<string, { snapshot: PersistedChildren & { error?: unknown } }>>;
}

/** Collects the ids, and writes the errors of failed children as JSON that has its code. */
function collectIds(snapshot: unknown, ids: Set<string>): void {
  const { children } = snapshot as PersistedChildren;
  for (const id in children) {
    const child = children[id];
    if (!child) continue;
    ids.add(id);
    if (child.snapshot.error !== undefined) {
      const error = codedCause(id, child.snapshot.error).toJSON();
      child.snapshot = { ...child.snapshot, error };
    }
    collectIds(child.snapshot, ids);
  }
}

/** Ids from `root` down to `actor`; undefined when it is not part of it. */
function addressOf(actor: unknown, root: ActorInternals): string[] | undefined {
  const address: string[] = [];
  for (let at = actor; at; at = internals(at)._parent) {
    if (at === root) return address.toReversed();
    address.push(internals(at).id);
  }
  return undefined;
}

const childrenOf = (actor: ActorInternals): Readonly<Record<string, unknown>> =>
  (actor._snapshot as { children?: Readonly<Record<string, unknown>> }).children ?? {};

const actorAt = (root: ActorInternals, address: readonly string[]): ActorInternals | undefined =>
  address.reduce<ActorInternals | undefined>(
    (at, id) => at && (childrenOf(at)[id] as ActorInternals | undefined),
    root,
  );

/** Letters between the actor and what it owns; a promise's own result is not one: it runs again. */
function unreadMail(root: ActorInternals, path: string): SavedLetter[] {
  const mail: SavedLetter[] = [];
  const collect = (actor: ActorInternals, to: readonly string[]): void => {
    for (const { source, event } of actor[CELL]?.unread() ?? [])
      if (isOwn(source, root)) mail.push({ to, event: writtenError(event, path) });
    const children = childrenOf(actor);
    for (const id in children) {
      const child = internals(children[id]);
      if (child.logic instanceof StateMachine) collect(child, [...to, id]);
    }
  };
  if (root.logic instanceof StateMachine) collect(root, []);
  return mail;
}

interface ErrorEvent extends EventObject {
  readonly error: unknown;
}

const isErrorEvent = (event: EventObject): event is ErrorEvent =>
  event.type.startsWith('xstate.error.') && 'error' in event;

function writtenError(event: EventObject, path: string): EventObject {
  if (!isErrorEvent(event)) return event;
  const written: ErrorEvent = { ...event, error: codedCause(path, event.error).toJSON() };
  return written;
}

function readError(event: EventObject): EventObject {
  if (!isErrorEvent(event)) return event;
  const read: ErrorEvent = { ...event, error: CodedError.fromJSON(event.error) };
  return read;
}

/** Milliseconds until a deadline, 0 when overdue; never longer than was left when it was written. */
export const waitMsOf = (
  { dueAtMs, leftMs }: Pick<SavedDeadline, 'dueAtMs' | 'leftMs'>,
  nowMs: number,
): number => Math.max(0, Math.min(leftMs, dueAtMs - nowMs));

/**
 * Arms the deadlines of a record again and hands out its mail. What was due meanwhile is due now. A
 * wall clock that was set back makes no wait longer than it was.
 */
export function restoreFamily(
  host: CellHost & { readonly system: unknown },
  cell: Cell,
  { deadlines = [], mail = [] }: DurableRecord,
  nowMs: number,
): void {
  const root = internals(cell.actor);
  const system = host.system as SystemInternals;
  for (const deadline of deadlines) {
    const { of, to, id, event } = deadline;
    const source = actorAt(root, of);
    const target =
      typeof to === 'string' ? (system.get(to) as Target | undefined) : actorAt(root, to);
    const waitMs = waitMsOf(deadline, nowMs);
    if (source && target) system.scheduler.schedule(source, target, event, waitMs, id);
  }
  for (const { to, event } of mail) {
    const target = actorAt(root, to);
    if (target) cellOf(host, target).post(cell.actor, readError(event));
  }
}
