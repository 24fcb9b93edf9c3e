/** What a peer must not forget. Adapters: `runtime/adapters/peer-store.sqlite.ts`. */
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';

import type {
  VerifiedItem,
  Settlement,
  SettlementResult,
  PublicPage,
  PublicEnvelopes,
  PeerRecord,
  OpenSession,
  FeedItem,
  OutboxItem,
  OutboxResult,
  DeadLetter,
  PeerStoreCounts,
} from './peer-records.ts';

export type * from './peer-records.ts';

/**
 * A peer's messages, keys, sessions and mail. Every write is one transaction, durable when its promise
 * resolves; a crash leaves all of it or nothing. One program writes. Every method rejects with
 * MESH_ERR_PEER_STORE_UNAVAILABLE when the database cannot be used; MESH_ERR_PEER_STORE_CORRUPT when it
 * is damaged.
 */
export interface PeerStore {
  /**
   * Of these ids, those that are neither stored nor known to have ended, in order. A quarantined message is
   * missing as well: whoever announces it has the key of its author.
   */
  missingOf(ids: readonly string[]): Promise<readonly string[]>;
  /** Of these pairs, the indices of those with a tombstone. */
  tombstonesAmong(
    pairs: readonly { readonly messageId: string; readonly signature: string }[],
  ): Promise<readonly number[]>;
  /**
   * Applies a batch; idempotent. A verified item leaves the quarantine, as does a rejected pair; keys stay. Expired
   * ones are the caller's to leave out. Only public, direct and group messages.
   */
  settle(settlement: Settlement): Promise<SettlementResult>;
  /** Keys by peer id, of those that are known. */
  keysOf(peerIds: readonly string[]): Promise<Readonly<Record<string, string>>>;
  /** Keeps a key that its owner's id was checked against. Idempotent. */
  addKey(peerId: string, publicKey: string): Promise<void>;
  /**
   * Quarantined messages whose author's key is known by now, at most `limit`, oldest first: to be verified
   * and settled, or rejected.
   */
  backfillable(limit: number): Promise<readonly VerifiedItem[]>;

  /**
   * Ids of verified, public messages that live at `nowMs` and were stored or made at `sinceMs` or later, in
   * the order in which they were stored. What is stored while pages are read comes on a later page.
   * MESH_ERR_GOSSIP_CURSOR for a cursor that is not this store's.
   */
  publicSince(query: {
    readonly sinceMs: number;
    readonly cursor: string | null;
    readonly limit: number;
    readonly nowMs: number;
  }): Promise<PublicPage>;
  /** Only verified, public messages that live at `nowMs`; at most `bytesMax` octets when encoded, or one. */
  publicEnvelopes(
    ids: readonly string[],
    options: { readonly nowMs: number; readonly bytesMax: number },
  ): Promise<PublicEnvelopes>;
  /** `[id, created_at]` of all verified, public messages that live at `nowMs`, for reconciliation. */
  publicSet(nowMs: number): Promise<readonly (readonly [id: string, createdAtMs: number])[]>;

  /** Messages of the feed after that row, oldest first, unverified ones as well. */
  feed(afterRow: number, limit: number): Promise<readonly FeedItem[]>;
  /** The newest messages of the feed, at most `limit`, oldest first: where a reader begins. */
  feedTail(limit: number): Promise<readonly FeedItem[]>;
  /**
   * Tells, after its commit, the newest row of the feed; several commits may be told once. Returns how to
   * stop. A listener must not throw.
   */
  onFeed(listener: (row: number) => void): () => void;

  /** Those that were added, in the order of their ids. */
  peers(): Promise<readonly PeerRecord[]>;
  /** Adds a peer with its key, or names it anew. Idempotent. */
  addPeer(peer: {
    readonly peerId: string;
    readonly publicKey: string;
    readonly name: string | null;
  }): Promise<void>;
  /** Its messages and its key stay. Idempotent. */
  removePeer(peerId: string): Promise<void>;
  /** Durable before the first question goes out: `queriedAtMs` and the open session. */
  openSession(peerId: string, session: OpenSession): Promise<void>;
  /**
   * Ends that session, if it is the open one: `done` moves `completedAtMs` to its start, `misbehaved` counts.
   * Idempotent.
   */
  closeSession(peerId: string, sessionId: string, outcome: string): Promise<void>;

  /**
   * Notes ids of messages that were handled, until they expire; gives those that were not noted before, in
   * order.
   */
  markSeen(
    entries: readonly { readonly messageId: string; readonly expiresAtMs: number }[],
  ): Promise<readonly string[]>;

  /** The next number of this peer's own messages; durable, never given twice. */
  nextSeq(): Promise<number>;
  /** Idempotent by message id. MESH_ERR_GOSSIP_OUTBOX_FULL. */
  addOutgoing(envelope: Envelope): Promise<void>;
  /** Due at `nowMs` and alive, at most `limit`, longest due first. */
  dueOutgoing(nowMs: number, limit: number): Promise<readonly OutboxItem[]>;
  /** When the next one is due; null when nothing waits. */
  nextOutgoingAtMs(): Promise<number | null>;
  /** One transaction. */
  settleOutgoing(results: readonly OutboxResult[]): Promise<void>;
  /** Newest first. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  /** Tells, after its commit, that something waits to be sent. Returns how to stop. */
  onOutgoing(listener: () => void): () => void;

  /**
   * Removes what has expired: messages, quarantined ones, tombstones, seen ids, mail; at most `limit` rows.
   * Gives how many; less than `limit` says that nothing expired is left. An id of a removed message is known
   * as ended until no honest clock takes it for alive.
   */
  prune(nowMs: number, limit: number): Promise<number>;
  counts(): Promise<PeerStoreCounts>;
  /** Later calls reject. Idempotent. */
  close(): Promise<void>;
}
