/** How much mail a child takes, and what becomes of the rest. */
import type { EventObject } from 'xstate';
import type { BoundedMailbox, ChildSpec, MailboxOnRestart, Overflow } from '../child-spec.ts';

/** Letters held for one child while it restarts, unless its mailbox says otherwise. */
export const MAIL_HELD_MAX = 1000;

/** What is seen of a mailbox from outside. */
export interface MailboxInfo {
  /** Letters that wait now. */
  readonly waiting: number;
  /** Letters that may wait; undefined: no bound while the child runs. */
  readonly capacity: number | undefined;
  /** Letters that were dropped because it was full, over all incarnations. */
  readonly dropped: number;
  /** Letters that were refused because it was full: dead letters. */
  readonly refused: number;
}

/** The mailbox of a child whose spec gives it one; it stays when incarnations come and go. */
export class Mailbox {
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly onRestart: MailboxOnRestart;
  /** Mail waits until the child is ready. */
  readonly isStash: boolean;
  dropped = 0;
  refused = 0;

  constructor({ capacity, overflow, onRestart, whileStarting }: BoundedMailbox) {
    this.capacity = capacity ?? Infinity;
    this.overflow = overflow ?? 'refuse';
    this.onRestart = onRestart ?? 'keep';
    this.isStash = whileStarting === 'stash';
  }

  info(waiting: number): MailboxInfo {
    const { capacity, dropped, refused } = this;
    return { waiting, capacity: capacity === Infinity ? undefined : capacity, dropped, refused };
  }
}

/** The mailbox that a spec gives. Most give none, and then there is nothing to keep or to count. */
export const mailboxOf = ({ mailbox }: ChildSpec): Mailbox | undefined =>
  typeof mailbox === 'object' ? new Mailbox(mailbox) : undefined;

/** What a full mailbox gives up, and how. */
export interface Overflowed {
  readonly given: 'refused' | 'dropped';
  /** Either the letter that came or one that had waited. */
  readonly lost: EventObject;
}

/** Decides what gives way to, or instead of, a letter for a mailbox that is full; counts it. */
export function giveWay(
  mailbox: Mailbox,
  event: EventObject,
  dropOldest: () => EventObject | undefined,
): Overflowed {
  if (mailbox.overflow === 'refuse') {
    mailbox.refused++;
    return { given: 'refused', lost: event };
  }
  mailbox.dropped++;
  const oldest = mailbox.overflow === 'drop_oldest' ? dropOldest() : undefined;
  return { given: 'dropped', lost: oldest ?? event };
}
