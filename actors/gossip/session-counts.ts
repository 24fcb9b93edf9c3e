/** How many sessions each peer has begun of late: an honest one begins one in a query interval. */
import type { Clock } from '../../machines/kernel/clock.ts';
import {
  COUNTED_PEERS_MAX,
  QUERY_INTERVAL_MS,
  SESSIONS_PER_INTERVAL_MAX,
} from '../../machines/gossip/session-limits.ts';

interface Window {
  readonly beganAtMs: number;
  readonly sessions: Set<string>;
}

/** Held in memory: a restart forgives, and costs a peer that was refused nothing. */
export class SessionCounts {
  readonly #clock: Pick<Clock, 'monotonicNow'>;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Pick<Clock, 'monotonicNow'>) {
    this.#clock = clock;
  }

  /** True for a session that is known, and for a new one where there is room for it. */
  admit(peer: string, session: string): boolean {
    const nowMs = this.#clock.monotonicNow();
    let window = this.#windows.get(peer);
    if (window === undefined || nowMs - window.beganAtMs >= QUERY_INTERVAL_MS) {
      this.#windows.delete(peer);
      window = { beganAtMs: nowMs, sessions: new Set() };
      this.#windows.set(peer, window);
      this.#forgetOldest();
    }
    if (window.sessions.has(session)) return true;
    if (window.sessions.size >= SESSIONS_PER_INTERVAL_MAX) return false;
    window.sessions.add(session);
    return true;
  }

  /** Peers that are counted. */
  get size(): number {
    return this.#windows.size;
  }

  #forgetOldest(): void {
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > COUNTED_PEERS_MAX && oldest !== undefined)
      this.#windows.delete(oldest);
  }
}
