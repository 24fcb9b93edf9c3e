/** Mail for a child: taken, held until an incarnation can take it, or lost in a way that shows. */
import type { AnyActorRef, EventObject } from 'xstate';
import type { Child } from '../child.ts';
import { isSupervisorSpec } from '../child-spec.ts';
import type { MailboxOnRestart } from '../child-spec.ts';
import { supervisorError } from '../errors.ts';
import { assertClonable } from '../placement/clonable.ts';
import type { Cell, Letter } from './cell.ts';
import type { DeadLetterReason } from './dead-letters.ts';
import { Fifo } from './fifo.ts';
import { MAIL_HELD_MAX, giveWay } from './mailbox.ts';
import type { Mailbox } from './mailbox.ts';
import { isOwn } from '../xstate-shape.ts';

/** The command that a supervisor sends; the same object each time, so that it is known again. */
export const STOP_COMMAND: EventObject = Object.freeze({ type: 'stop' });

/** Throws `MESH_ERR_SUPERVISOR_EVENT_INVALID` for what is no event, or one of XState's own. */
export function assertEvent(path: string, event: unknown): void {
  const type: unknown = (event as { readonly type?: unknown } | null | undefined)?.type;
  if (typeof type === 'string' && !type.startsWith('xstate.')) return;
  throw supervisorError(
    'MESH_ERR_SUPERVISOR_EVENT_INVALID',
    `An event for ${path} was refused: its type is ${String(type)}.`,
    { details: { path, type: String(type) } },
  );
}

/**
 * Sends to whatever the child is now; false when the event will reach nobody. Throws
 * `MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE` where the event cannot cross to the child's thread.
 */
export function sendToChild(
  child: Child,
  event: EventObject,
  source: AnyActorRef | undefined,
): boolean {
  if (child.isSupervisor) return refuse(child, event, 'supervisor');
  const { cell, mailbox, spec } = child;
  if (!isSupervisorSpec(spec) && spec.placement === 'thread')
    assertClonable('An event for', child.path, event);
  if (cell && !cell.exit) {
    if (mailbox?.isStash && child.status === 'starting') return keep(child, event);
    if (mailbox && !hasRoom(child, mailbox, cell, event)) return false;
    cell.post(source, event);
    return true;
  }
  if (cell || child.status === 'restarting') return hold(child, event);
  return refuse(child, event, 'not_running');
}

/** Takes the unread mail of an incarnation that has ended. Its own self-sends end with it. */
export function collectMail(child: Child): void {
  const { cell, placed } = child;
  if (!cell) return;
  for (const event of placed?.takeUnhandled() ?? []) hold(child, event);
  for (let letter = cell.take(); letter; letter = cell.take())
    if (isForeign(child, letter)) hold(child, letter.event);
}

/** The child will not be started: what was held for it reaches nobody. */
export function discardHeld(child: Child): void {
  const { held } = child;
  child.held = undefined;
  for (let event = held?.shift(); event; event = held?.shift()) refuse(child, event, 'unhandled');
}

/** Gives an incarnation what was held for it. */
export function deliverHeld(child: Child): void {
  const { held, cell } = child;
  const { asks } = child.supervisor.scope;
  child.held = undefined;
  for (let event = held?.shift(); event; event = held?.shift()) {
    asks.held(event, false);
    cell?.post(undefined, event);
  }
}

/** Neither from its supervisor nor from itself or its own children. */
const isForeign = ({ cell }: Child, { source, event }: Letter): boolean =>
  event !== STOP_COMMAND && !event.type.startsWith('xstate.') && !isOwn(source, cell?.actor);

const onRestartOf = ({ mailbox, spec }: Child): MailboxOnRestart => {
  if (mailbox) return mailbox.onRestart;
  return !isSupervisorSpec(spec) && typeof spec.mailbox === 'string' ? spec.mailbox : 'keep';
};

/** Mail for the next incarnation. */
function hold(child: Child, event: EventObject): boolean {
  const policy = onRestartOf(child);
  if (policy === 'dead_letter') return refuse(child, event, 'unhandled');
  return policy === 'drop' ? drop(child, event) : keep(child, event);
}

function keep(child: Child, event: EventObject): boolean {
  const { mailbox } = child;
  const held = (child.held ??= new Fifo());
  const capacity = mailbox && mailbox.capacity < Infinity ? mailbox.capacity : MAIL_HELD_MAX;
  if (held.size >= capacity) {
    if (!mailbox) return refuse(child, event, 'mailbox_full');
    if (!isAdmitted(child, event, mailbox, () => held.shift())) return false;
  }
  held.push(event);
  child.supervisor.scope.asks.held(event, true);
  return true;
}

function hasRoom(child: Child, mailbox: Mailbox, cell: Cell, event: EventObject): boolean {
  const inThread = child.placed?.backlog ?? 0;
  if (cell.size + inThread < mailbox.capacity) return true;
  const dropOldest = () => cell.remove((letter) => isForeign(child, letter))?.event;
  return isAdmitted(child, event, mailbox, dropOldest);
}

/** Whether there is a place for the event in a mailbox that is full. */
function isAdmitted(
  child: Child,
  event: EventObject,
  mailbox: Mailbox,
  dropOldest: () => EventObject | undefined,
): boolean {
  const { given, lost } = giveWay(mailbox, event, dropOldest);
  if (given === 'refused') return refuse(child, lost, 'mailbox_full');
  drop(child, lost);
  return lost !== event;
}

/** Nobody is told but who waits for what becomes of it. */
function drop(child: Child, event: EventObject): false {
  const { asks, ledger } = child.supervisor.scope;
  asks.lost(event);
  ledger?.acknowledgements.refuse(event, 'dropped');
  return false;
}

function refuse(child: Child, event: EventObject, reason: DeadLetterReason): false {
  const { asks, clock, deadLetters } = child.supervisor.scope;
  asks.lost(event);
  deadLetters.add({ path: child.path, event, reason, atMs: clock.now() });
  return false;
}
