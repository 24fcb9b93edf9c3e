/** What becomes of a child's mail while no incarnation can take it. */
import type { AnyActorRef, EventObject } from 'xstate';
import type { Child } from '../child.ts';
import { isSupervisorSpec } from '../child-spec.ts';
import { assertClonable } from '../placement/clonable.ts';
import type { DeadLetterReason } from './dead-letters.ts';
import { isOwn } from '../xstate-shape.ts';

/** Letters held for one child while it restarts; further ones are dead letters. */
export const MAIL_HELD_MAX = 1000;

/** The command that a supervisor sends; the same object each time, so that it is known again. */
export const STOP_COMMAND: EventObject = Object.freeze({ type: 'stop' });

const policyOf = (child: Child): 'keep' | 'drop' | 'dead_letter' =>
  isSupervisorSpec(child.spec) ? 'drop' : (child.spec.mailbox ?? 'keep');

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
  const { cell, spec } = child;
  if (!isSupervisorSpec(spec) && spec.placement === 'thread')
    assertClonable('An event for', child.path, event);
  if (cell && !cell.exit) {
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
    if (letter.event !== STOP_COMMAND && !isOwn(letter.source, cell.actor))
      hold(child, letter.event);
}

/** The child will not be started: what was held for it reaches nobody. */
export function discardHeld(child: Child): void {
  const { held } = child;
  child.held = undefined;
  for (const event of held ?? []) refuse(child, event, 'unhandled');
}

/** Gives a new incarnation what was held for it. */
export function deliverHeld(child: Child): void {
  const { held, cell } = child;
  child.held = undefined;
  for (const event of held ?? []) cell?.post(undefined, event);
}

function hold(child: Child, event: EventObject): boolean {
  const policy = policyOf(child);
  if (policy === 'drop') {
    child.supervisor.scope.ledger?.acknowledgements.refuse(event, 'dropped');
    return false;
  }
  if (policy === 'dead_letter') return refuse(child, event, 'unhandled');
  const held = (child.held ??= []);
  if (held.length >= MAIL_HELD_MAX) return refuse(child, event, 'mailbox_full');
  held.push(event);
  return true;
}

function refuse(child: Child, event: EventObject, reason: DeadLetterReason): false {
  const { clock, deadLetters } = child.supervisor.scope;
  deadLetters.add({ path: child.path, event, reason, atMs: clock.now() });
  return false;
}
