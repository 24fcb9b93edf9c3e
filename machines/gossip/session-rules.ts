/** Rules of a session between two peers that its machines, its bindings and its specs share. */
import type { MeshAvailable, MeshDelivery } from './meta-message.schema.ts';
import {
  ANSWERS_MAX,
  CLOCK_SKEW_MS,
  LOOK_BACK_MAX_MS,
  LOOK_BACK_MIN_MS,
  QUERY_INTERVAL_MS,
  RELAY_BACKOFF_MAX_MS,
  RELAY_BACKOFF_MIN_MS,
} from './session-limits.ts';

/** How posting one message went. `lost` leaves open whether it arrived; it is asked again. */
export type Posted =
  | { readonly type: 'posted' }
  | { readonly type: 'lost'; readonly code: string }
  | { readonly type: 'refused'; readonly code: string };

/** How a session of a requester can end; `done` is the only one that moves the look-back. */
export const SESSION_OUTCOMES = ['done', 'refused', 'timedOut', 'misbehaved'] as const;
export type SessionOutcome = (typeof SESSION_OUTCOMES)[number];

/**
 * Where a query begins: a day back, or a little before the last completed session began, whichever is
 * longer; never further than a message lives. Milliseconds since the epoch.
 */
export function sinceOf(nowMs: number, completedAtMs: number | null): number {
  const longest = nowMs - LOOK_BACK_MAX_MS;
  const wanted =
    completedAtMs === null
      ? longest
      : Math.min(nowMs - LOOK_BACK_MIN_MS, completedAtMs - CLOCK_SKEW_MS);
  return Math.max(0, longest, wanted);
}

/**
 * What is left of the query interval after a restart, by two readings of a wall clock that may have jumped:
 * never less than nothing, never more than the whole.
 */
export const restOfInterval = (nowMs: number, queriedAtMs: number | null): number =>
  queriedAtMs === null
    ? 0
    : Math.min(QUERY_INTERVAL_MS, Math.max(0, queriedAtMs + QUERY_INTERVAL_MS - nowMs));

/** Whether a page contradicts itself: it leads back to itself, or is empty and not the last. */
export const isPageAbsurd = (
  page: Pick<MeshAvailable, 'answers' | 'cursor' | 'end' | 'message_ids' | 'reconcile'>,
): boolean =>
  page.reconcile === undefined &&
  !page.end &&
  (page.cursor === null || page.cursor === page.answers || page.message_ids.length === 0);

/** Whether an answer is the one to the question that was asked last. */
export const answersThis = (
  answer: Pick<MeshAvailable, 'session_id' | 'answers'>,
  asked: { readonly session: string; readonly cursor: string | null },
): boolean => answer.session_id === asked.session && answer.answers === asked.cursor;

/** As `answersThis`, of a delivery: each request for messages has a mark of its own. */
export const deliversThis = (
  delivery: Pick<MeshDelivery, 'session_id' | 'cursor'>,
  asked: { readonly session: string; readonly requests: number },
): boolean =>
  delivery.session_id === asked.session && delivery.cursor === requestMark(asked.requests);

/**
 * Mark of a request for messages. A late answer to one that was asked twice is not taken for the answer to the
 * next, which would be asked twice for that, and so on for as long as the session lasts.
 */
export const requestMark = (requests: number): string => `request-${requests}`;

/** Mark of a round of a reconciliation, which stands where the cursor of a page does. */
export const roundMark = (round: number): string => `round-${round}`;

/** Whether a session may have one more answer. */
export const hasAnswersLeft = (answers: number): boolean => answers < ANSWERS_MAX;

/** Doubled with each failure, from the shortest to the longest. */
export const backoffMs = (failures: number, minMs: number, maxMs: number): number =>
  Math.min(maxMs, minMs * 2 ** Math.min(30, Math.max(0, failures - 1)));

/** How long the relay is left alone after so many failures in a row. */
export const relayBackoffMs = (failures: number): number =>
  backoffMs(failures, RELAY_BACKOFF_MIN_MS, RELAY_BACKOFF_MAX_MS);
