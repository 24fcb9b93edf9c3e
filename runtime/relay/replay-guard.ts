import { relayError } from '../../machines/gossip/relay-errors.ts';
import type { RelayLimits } from './limits.ts';
import type { RequestProof } from './request-proof.ts';

type Stamp = Pick<RequestProof, 'key' | 'nonce' | 'timeMs'>;

/** Nonces are kept by the second of their request, so that a whole second is forgotten at once. */
const BUCKET_MS = 1000;
const secondOf = (timeMs: number): number => Math.floor(timeMs / BUCKET_MS);

/**
 * Lets each signed request in once. A request counts while its time is within the window; as long its
 * nonce is remembered. When there is no room for one more, the oldest second is forgotten and requests
 * of that second count no more: a flood makes the window shorter, and never lets a replay in.
 */
export class ReplayGuard {
  readonly #limits: Pick<RelayLimits, 'behindMs' | 'aheadMs' | 'noncesMax'>;
  readonly #buckets = new Map<number, Set<string>>();
  #size = 0;
  /** Requests before this time are refused. */
  #floorMs = 0;

  /**
   * `startedAtMs`: what was signed before this program began may have been let in by the one before
   * it, which took its memory along.
   */
  constructor(
    limits: Pick<RelayLimits, 'behindMs' | 'aheadMs' | 'noncesMax'>,
    startedAtMs: number,
  ) {
    this.#limits = limits;
    this.#floorMs = startedAtMs;
  }

  get size(): number {
    return this.#size;
  }

  /** MESH_ERR_RELAY_CLOCK with the time of the relay for what is not of now. */
  checkTime(timeMs: number, nowMs: number): void {
    const { behindMs, aheadMs } = this.#limits;
    this.#forgetBefore(nowMs - behindMs);
    if (timeMs >= this.#floorMs && timeMs <= nowMs + aheadMs) return;
    throw relayError(
      'MESH_ERR_RELAY_CLOCK',
      `Reading a request: it was signed ${nowMs - timeMs} ms ago; here it is ${nowMs}.`,
      { details: { nowMs } },
    );
  }

  /** MESH_ERR_RELAY_REPLAYED for a request that was here already. */
  refuseReplayed({ key, nonce, timeMs }: Stamp): void {
    if (this.#buckets.get(secondOf(timeMs))?.has(`${key}${nonce}`))
      throw relayError('MESH_ERR_RELAY_REPLAYED', `Reading a request: nonce ${nonce} was used.`);
  }

  /** Notes a proven request; MESH_ERR_RELAY_REPLAYED for one that was here already. */
  admit(stamp: Stamp): void {
    this.refuseReplayed(stamp);
    const second = secondOf(stamp.timeMs);
    const bucket = this.#buckets.get(second) ?? new Set<string>();
    bucket.add(`${stamp.key}${stamp.nonce}`);
    this.#buckets.set(second, bucket);
    this.#size++;
    while (this.#size > this.#limits.noncesMax) this.#forgetOldest();
  }

  #forgetOldest(): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const second of this.#buckets.keys()) oldest = Math.min(oldest, second);
    this.#forgetBefore((oldest + 1) * BUCKET_MS);
  }

  #forgetBefore(timeMs: number): void {
    if (timeMs <= this.#floorMs) return;
    this.#floorMs = timeMs;
    for (const [second, { size }] of this.#buckets) {
      if ((second + 1) * BUCKET_MS > timeMs) continue;
      this.#buckets.delete(second);
      this.#size -= size;
    }
  }
}
