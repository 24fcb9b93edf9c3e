import type { EventObject } from 'xstate';
import type { Child } from '../child.ts';
import { isSupervisorSpec } from '../child-spec.ts';
import { sendToChild } from '../delivery/mail.ts';
import { AWAITED_MAX, eventRefused } from './acknowledgements.ts';
import type { DurableReceipt } from './acknowledgements.ts';
import { resumeOf } from './resume-options.ts';

/** How an event is sent so that it survives. */
export interface SendDurably {
  /** The same event has the same id, however often it is sent: it is applied once. */
  readonly id?: string;
  /** How long to wait for the commit, in milliseconds; default 5000. */
  readonly timeoutMs?: number;
}

/** A commit takes milliseconds; a child that restarts may take seconds. */
export const SEND_TIMEOUT_MS_DEFAULT = 5000;

/** Sends to a durable child; see `Tree.sendDurably`. */
export function sendDurably(
  child: Child | undefined,
  path: string,
  event: EventObject,
  { id, timeoutMs = SEND_TIMEOUT_MS_DEFAULT }: SendDurably,
): Promise<DurableReceipt> {
  const obstacle = obstacleOf(child);
  const ledger = child?.supervisor.scope.ledger;
  if (obstacle !== undefined || !child || !ledger)
    return Promise.reject(eventRefused(path, obstacle ?? 'no_journal'));
  const { acknowledgements, clock } = ledger;
  if (acknowledgements.size >= AWAITED_MAX) return Promise.reject(eventRefused(path, 'too_many'));
  const { promise, resolve, reject } = Promise.withResolvers<DurableReceipt>();
  // Known by its identity on its way, so it is an object of its own.
  const letter = { ...event };
  const deadlineMs = clock.monotonicNow() + timeoutMs;
  acknowledgements.add(letter, { path, id, deadlineMs, resolve, reject });
  if (!sendToChild(child, letter, undefined)) acknowledgements.refuse(letter, 'not_running');
  return promise;
}

function obstacleOf(child: Child | undefined): string | undefined {
  if (!child) return 'not_found';
  const { spec } = child;
  if (isSupervisorSpec(spec)) return 'supervisor';
  if (spec.placement === 'thread') return 'in_thread';
  return resumeOf(spec) ? undefined : 'not_durable';
}
