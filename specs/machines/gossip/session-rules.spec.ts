import { describe, expect, it } from 'vitest';
import { verdictOf } from '../../../machines/gossip/outbox-rules.ts';
import { relayBackoffMs, restOfInterval, sinceOf } from '../../../machines/gossip/session-rules.ts';
import {
  CLOCK_SKEW_MS,
  LOOK_BACK_MAX_MS,
  LOOK_BACK_MIN_MS,
  OUTBOX_BACKOFF_MAX_MS,
  QUERY_INTERVAL_MS,
} from '../../../machines/gossip/session-limits.ts';

const NOW = Date.UTC(2026, 0, 30);
const HOUR = 3_600_000;

describe('sinceOf', () => {
  it.each([
    ['never completed: as far as a message lives', null, NOW - LOOK_BACK_MAX_MS],
    ['completed an hour ago: a day', NOW - HOUR, NOW - LOOK_BACK_MIN_MS],
    [
      'completed two days ago: since then, and the skew of clocks',
      NOW - 48 * HOUR,
      NOW - 48 * HOUR - CLOCK_SKEW_MS,
    ],
    ['completed a month ago: as far as a message lives', NOW - 720 * HOUR, NOW - LOOK_BACK_MAX_MS],
    [
      'completed tomorrow, by a clock that was set back: a day',
      NOW + 24 * HOUR,
      NOW - LOOK_BACK_MIN_MS,
    ],
  ])('%s', (_, completedAtMs, expected) => {
    expect(sinceOf(NOW, completedAtMs)).toBe(expected);
  });

  it('is never before the epoch', () => {
    expect(sinceOf(5, null)).toBe(0);
  });
});

describe('restOfInterval', () => {
  it.each([
    ['nothing, before the first query', null, 0],
    ['what is left of it', NOW - 1000, QUERY_INTERVAL_MS - 1000],
    ['nothing, after a clock jumped forward', NOW - HOUR, 0],
    ['the whole and no more, after a clock jumped back', NOW + HOUR, QUERY_INTERVAL_MS],
  ])('%s', (_, queriedAtMs, expected) => {
    expect(restOfInterval(NOW, queriedAtMs)).toBe(expected);
  });
});

describe('relayBackoffMs', () => {
  it('doubles from a second to a minute', () => {
    expect([1, 2, 3, 7, 1000].map(relayBackoffMs)).toEqual([1000, 2000, 4000, 60_000, 60_000]);
  });
});

describe('verdictOf', () => {
  const state = { attempts: 0, nowMs: NOW };
  const refused = { type: 'refused', code: 'MESH_ERR_ENVELOPE_TOO_LARGE', message: 'No.' } as const;

  it('is a dead letter only where the relay refuses for good', () => {
    expect(verdictOf({ ...refused, retryable: false }, state)).toEqual({
      type: 'dead',
      code: refused.code,
      reason: 'No.',
    });
    expect(verdictOf({ ...refused, retryable: true }, state)).toMatchObject({ type: 'retry' });
  });

  it('takes a message that the relay has had before for sent', () => {
    expect(verdictOf({ type: 'duplicate' }, state)).toEqual({ type: 'sent' });
  });

  it('waits twice as long after each failure, up to a quarter of an hour', () => {
    const waits = [0, 1, 2, 40].map((attempts) => {
      const verdict = verdictOf(
        { type: 'unreachable', code: 'MESH_ERR_RELAY_UNAVAILABLE' },
        { attempts, nowMs: 0 },
      );
      return verdict.type === 'retry' ? verdict.dueAtMs : -1;
    });
    expect(waits).toEqual([2000, 4000, 8000, OUTBOX_BACKOFF_MAX_MS]);
  });
});
