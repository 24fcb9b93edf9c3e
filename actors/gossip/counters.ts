/** What happened to messages, counted: each refusal by its code, in all and by the peer that caused it. */

/** Things that are counted beside refusals. */
export type GossipTally =
  | 'sessionsStarted'
  | 'sessionsDone'
  | 'sessionsRefused'
  | 'sessionsTimedOut'
  | 'sessionsMisbehaved'
  | 'messagesStored'
  | 'messagesQuarantined'
  | 'messagesBackfilled'
  | 'messagesServed'
  | 'duplicates'
  | 'replays'
  | 'sent'
  | 'deadLetters'
  | 'pruned';

/** A copy for whoever looks. */
export interface GossipCounts {
  readonly tallies: Readonly<Partial<Record<GossipTally, number>>>;
  /** By MESH_ERR_* code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Refusals by the peer that delivered, those with the most. */
  readonly byPeer: Readonly<Record<string, number>>;
}

/** Peers with a count of their own; one more takes the place of the one with the fewest. */
export const COUNTED_DELIVERERS_MAX = 1024;

/** Counts from the start of this program; only goes up. */
export class GossipCounters {
  readonly #tallies = new Map<GossipTally, number>();
  readonly #refusals = new Map<string, number>();
  readonly #byPeer = new Map<string, number>();

  count(what: GossipTally, by = 1): void {
    if (by > 0) this.#tallies.set(what, (this.#tallies.get(what) ?? 0) + by);
  }

  /** A refusal by its code; `from` is who delivered what was refused, where that is proven. */
  refuse(code: string, from?: string, by = 1): void {
    if (by <= 0) return;
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + by);
    if (from === undefined) return;
    if (!this.#byPeer.has(from) && this.#byPeer.size >= COUNTED_DELIVERERS_MAX) this.#dropFewest();
    this.#byPeer.set(from, (this.#byPeer.get(from) ?? 0) + by);
  }

  counts(): GossipCounts {
    return {
      tallies: Object.fromEntries(this.#tallies),
      refusals: Object.fromEntries(this.#refusals),
      byPeer: Object.fromEntries(this.#byPeer),
    };
  }

  #dropFewest(): void {
    let fewest: [string, number] | undefined;
    for (const entry of this.#byPeer) if (!fewest || entry[1] < fewest[1]) fewest = entry;
    if (fewest) this.#byPeer.delete(fewest[0]);
  }
}
