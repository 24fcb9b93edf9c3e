/** What becomes of a message that was posted: gone, due again, or a dead letter. */
import { backoffMs } from './session-rules.ts';
import { OUTBOX_BACKOFF_MAX_MS, OUTBOX_BACKOFF_MIN_MS } from './session-limits.ts';

/** How posting went, for one message. */
export type Attempt =
  | { readonly type: 'accepted' }
  | { readonly type: 'duplicate' }
  | { readonly type: 'unreachable'; readonly code: string }
  | {
      readonly type: 'refused';
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };

/** What the store is to note of it. */
export type Verdict =
  | { readonly type: 'sent' }
  | { readonly type: 'retry'; readonly dueAtMs: number; readonly code: string }
  | { readonly type: 'dead'; readonly code: string; readonly reason: string };

/**
 * Only what the relay refuses for good is a dead letter; everything else is tried until the message expires.
 */
export function verdictOf(
  attempt: Attempt,
  { attempts, nowMs }: { readonly attempts: number; readonly nowMs: number },
): Verdict {
  if (attempt.type === 'accepted' || attempt.type === 'duplicate') return { type: 'sent' };
  if (attempt.type === 'refused' && !attempt.retryable)
    return { type: 'dead', code: attempt.code, reason: attempt.message };
  const waitMs = backoffMs(attempts + 1, OUTBOX_BACKOFF_MIN_MS, OUTBOX_BACKOFF_MAX_MS);
  return { type: 'retry', dueAtMs: nowMs + waitMs, code: attempt.code };
}
