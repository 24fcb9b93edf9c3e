/**
 * When each peer may be asked again. The interval is measured on the monotonic clock; the store has the wall
 * clock's time of the last query, which counts only for peers that this program has not asked yet.
 */
import type { Clock } from '../../machines/kernel/clock.ts';
import { restOfInterval } from '../../machines/gossip/session-rules.ts';
import { QUERY_INTERVAL_MS } from '../../machines/gossip/session-limits.ts';
import type { PeerRecord } from './ports/peer-store.ts';

export class QueryPacer {
  readonly #clock: Pick<Clock, 'now' | 'monotonicNow'>;
  readonly #dueAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now' | 'monotonicNow'>) {
    this.#clock = clock;
  }

  /** Milliseconds until that peer may be asked; 0 when it may be now. */
  dueInMs({ peerId, queriedAtMs }: Pick<PeerRecord, 'peerId' | 'queriedAtMs'>): number {
    const nowMs = this.#clock.monotonicNow();
    let dueAtMs = this.#dueAtMs.get(peerId);
    if (dueAtMs === undefined) {
      dueAtMs = nowMs + restOfInterval(this.#clock.now(), queriedAtMs);
      this.#dueAtMs.set(peerId, dueAtMs);
    }
    return Math.max(0, dueAtMs - nowMs);
  }

  /** It is asked now. */
  asked(peerId: string): void {
    this.#dueAtMs.set(peerId, this.#clock.monotonicNow() + QUERY_INTERVAL_MS);
  }

  /** Forgets peers that are not among these. */
  keepOnly(peerIds: ReadonlySet<string>): void {
    for (const peerId of this.#dueAtMs.keys())
      if (!peerIds.has(peerId)) this.#dueAtMs.delete(peerId);
  }
}
