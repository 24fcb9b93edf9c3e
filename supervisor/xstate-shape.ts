/**
 * XState's semi-internal shape, as far as the adapter counts on it: an actor's parent is any object
 * with `system` and `_send`; `system._relay`, `_unregister`, `_sendInspectionEvent` and `scheduler`
 * are replaceable; `Actor._stop`, `_error`, `_processingStatus`, `_parent`, `_actorScope`, `mailbox`.
 * A spec pins each of these to XState's behaviour.
 */
import { StateMachine } from 'xstate';
import type { AnyActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate';
import { Cell } from './delivery/cell.ts';
import type { CellDurability, CellHost } from './delivery/cell.ts';
import { supervisorError } from './errors.ts';
import type { TransitionDefinition } from './inspection/inspection.types.ts';

/** Versions whose shape this file was checked against. */
export const XSTATE_SUPPORTED = /^5\.33\./;

/** Where an actor keeps its cell. */
export const CELL = Symbol('cell');
/** XState's own event for stopping at once. */
export const STOP_SIGNAL = { type: 'xstate.stop' };
/** Of `_processingStatus`. */
export const RUNNING = 1;
/** Of `_processingStatus`. */
export const STOPPED = 2;

/** What an actor is, beyond what its type says. */
export interface ActorInternals {
  readonly id: string;
  /** Name of the effect, or the logic itself. */
  readonly src: unknown;
  logic: AnyActorLogic;
  readonly _parent: ActorInternals | ParentPort | undefined;
  readonly _processingStatus: number;
  readonly _actorScope: unknown;
  readonly mailbox: { readonly _current: { readonly value: EventObject } | null };
  _snapshot: Snapshot<unknown>;
  start: () => unknown;
  _stop(): void;
  _send(event: EventObject): void;
  _error(error: unknown): void;
  [CELL]?: Cell;
}

/** What an incarnation is made from. */
export interface SpawnOptions {
  readonly id: string;
  /** Called as the actor is made; what it throws fails the start. */
  readonly input: () => unknown;
  readonly snapshot: Snapshot<unknown> | undefined;
  readonly durability: CellDurability | undefined;
}

/** As much of XState's inspection events as is looked at. */
export interface InspectionSeen {
  readonly type: string;
  readonly actorRef: ActorInternals;
  readonly sourceRef?: ActorInternals;
  readonly event: EventObject;
  readonly snapshot?: Snapshot<unknown>;
  /** Of `@xstate.microstep`. */
  readonly _transitions?: readonly TransitionDefinition[];
}

/** What an actor system is, beyond what its type says. */
export interface SystemInternals {
  get(this: void, id: string): unknown;
  _relay(this: void, source: ActorInternals | undefined, target: Target, event: EventObject): void;
  _register(this: void, sessionId: string, actor: ActorInternals): string;
  _unregister(this: void, actor: ActorInternals): void;
  _sendInspectionEvent(this: void, seen: InspectionSeen): void;
  scheduler: {
    schedule(
      source: ActorInternals,
      target: Target,
      event: EventObject,
      delay: number,
      id?: string,
    ): void;
    cancel(source: ActorInternals, id: string): void;
    cancelAll(source: ActorInternals): void;
  };
}

/** Whatever mail can be addressed to. */
export type Target = ActorInternals | ParentPort | PathRef;

/** The effect of which a machine made the actor; XState makes names of its own for those in place. */
export const srcOf = ({ src }: ActorInternals): string | undefined =>
  typeof src === 'string' && !src.startsWith('xstate.') ? src : undefined;

/** An actor as it is inside. */
export const internals = (actor: unknown): ActorInternals => actor as ActorInternals;

/** What an actor has for a parent: the place of its supervisor, as far as XState looks. */
export class ParentPort {
  readonly id: string;
  readonly sessionId: string;
  readonly system: unknown;

  constructor(id: string, path: string, system: unknown) {
    this.id = id;
    this.sessionId = path;
    this.system = system;
  }

  /** Everything comes through `_relay`, which knows the sender. */
  _send(): void {}
}

/** Who gets mail for a path. */
interface PathMail {
  mail(path: string, event: EventObject, source: undefined): void;
}

/** What `system.get(path)` gives for a path of the tree: whoever has it when the mail arrives. */
export class PathRef {
  readonly id: string;
  readonly sessionId: string;
  readonly #mail: PathMail;

  constructor(path: string, mail: PathMail) {
    this.id = path;
    this.sessionId = path;
    this.#mail = mail;
  }

  send(event: EventObject): void {
    this.#mail.mail(this.id, event, undefined);
  }
}

/** Whether an event tells of the end of a child. */
export const isLifecycle = (event: EventObject): boolean =>
  event.type.startsWith('xstate.error.actor.') || event.type.startsWith('xstate.done.actor.');

/** Whether a machine names the event, or takes any; other logic declares nothing. */
export const declares = (logic: AnyActorLogic, eventType: string): boolean =>
  logic instanceof StateMachine &&
  (logic.events as readonly string[]).some((event) => event === eventType || event === '*');

const stoppable = new WeakMap<AnyActorLogic, boolean>();

/** Whether logic can react to the `stop` command. */
export function reactsToStop(logic: AnyActorLogic): boolean {
  let reacts = stoppable.get(logic);
  if (reacts === undefined) stoppable.set(logic, (reacts = declares(logic, 'stop')));
  return reacts;
}

/** The cell of an actor; a machine's own child gets one when it first needs it. */
export function cellOf(host: CellHost, actor: ActorInternals): Cell {
  let cell = actor[CELL];
  if (!cell) {
    const parent = actor._parent;
    const keeper = parent && !(parent instanceof ParentPort) ? cellOf(host, parent) : undefined;
    cell = new Cell(host, undefined, keeper, keeper?.incarnation ?? 0);
    cell.actor = actor as unknown as AnyActorRef;
    actor[CELL] = cell;
  }
  return cell;
}

/** Whether `source` is the actor itself or one that it owns, however deep. */
export function isOwn(source: unknown, actor: unknown): boolean {
  for (let at = source; at; at = internals(at)._parent) if (at === actor) return true;
  return false;
}

/** The descriptors of the transitions that `event` would take now. */
export function matchedDescriptors(actor: ActorInternals, event: EventObject): readonly string[] {
  const machine = actor.logic as unknown as {
    getTransitionData(snapshot: unknown, event: EventObject): readonly { eventType: string }[];
  };
  return machine.getTransitionData(actor._snapshot, event).map(({ eventType }) => eventType);
}

/**
 * XState runs a callback's clean-up only when it is stopped, not when it fails. Returns what the
 * clean-up threw.
 */
export function cleanUp(actor: ActorInternals): unknown {
  if (actor.logic instanceof StateMachine) return undefined;
  const snapshot = { ...actor._snapshot, status: 'active', error: undefined };
  try {
    actor.logic.transition(snapshot, STOP_SIGNAL, actor._actorScope as never);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Throws `MESH_ERR_SUPERVISOR_XSTATE_UNSUPPORTED` for a version with another shape. */
export function assertXstateVersion(version: string): void {
  if (XSTATE_SUPPORTED.test(version)) return;
  throw supervisorError(
    'MESH_ERR_SUPERVISOR_XSTATE_UNSUPPORTED',
    `The supervisor knows XState 5.33 and found ${version}.`,
    { details: { version } },
  );
}
