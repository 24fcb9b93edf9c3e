import { relayError } from '../../machines/gossip/relay-errors.ts';

/** How much of something one peer may do. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
  /** Peers remembered; a forgotten one begins with a full burst. */
  readonly peersMax: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets by peer. */
export class Rates {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** MESH_ERR_RELAY_RATE with how long to wait; `nowMs` is of a clock that never goes backwards. */
  take(peer: string, count: number, nowMs: number): void {
    const { perSecond, burst, peersMax } = this.#rate;
    const known = this.#buckets.get(peer);
    const refilled = known ? known.tokens + ((nowMs - known.atMs) * perSecond) / 1000 : burst;
    const tokens = Math.min(burst, refilled);
    const isAllowed = tokens >= Math.min(count, burst);
    // The map keeps the order of last use.
    this.#buckets.delete(peer);
    this.#buckets.set(peer, { tokens: isAllowed ? tokens - count : tokens, atMs: nowMs });
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size > peersMax && !oldest.done) this.#buckets.delete(oldest.value);
    if (isAllowed) return;
    const retryAfterMs = Math.ceil(((Math.min(count, burst) - tokens) * 1000) / perSecond);
    throw relayError(
      'MESH_ERR_RELAY_RATE',
      `Serving ${peer}: it asks for ${count} at once and has ${Math.floor(tokens)} left, ` +
        `${perSecond} a second.`,
      { retryAfterMs },
    );
  }
}
