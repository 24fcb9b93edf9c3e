/** What a peer's store is given and gives back. */
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';

/** Why a message is not stored as verified; `duplicate` is no fault. */
export type ItemResult =
  /** Now in the store, verified. */
  | 'stored'
  /** It was already; nothing changed. */
  | 'duplicate'
  /** Kept apart until its author's key arrives. */
  | 'quarantined'
  /** The quarantine has no room for one more of this author, or of anybody. */
  | 'quarantineFull';

/** A proven envelope that is to be stored. The caller has checked id, lifetime, key and signature. */
export interface VerifiedItem {
  readonly envelope: Envelope;
  /** Who delivered it; this peer's own id for its own. */
  readonly from: string;
}

/** A pair that was proven bad: the id does not cover the signature, so only the pair is refused. */
export interface Tombstone {
  readonly messageId: string;
  /** As in the envelope. */
  readonly signature: string;
  /** Who delivered it. */
  readonly from: string;
  /** Wall clock, at the end of the message's life. */
  readonly expiresAtMs: number;
}

/** All that one batch of envelopes comes to: one transaction. */
export interface Settlement {
  readonly nowMs: number;
  /** Self-authenticating: the caller has checked that each key hashes to its peer id. */
  readonly keys: Readonly<Record<string, string>>;
  readonly verified: readonly VerifiedItem[];
  /** Authors without a key. */
  readonly quarantined: readonly VerifiedItem[];
  readonly rejected: readonly Tombstone[];
}

/** One result per item of the settlement, in order. */
export interface SettlementResult {
  readonly verified: readonly ItemResult[];
  readonly quarantined: readonly ItemResult[];
}

/** One page of what may be told to others. */
export interface PublicPage {
  readonly ids: readonly string[];
  /** Where the next page begins; null at the end. */
  readonly next: string | null;
}

/** Messages for a delivery. */
export interface PublicEnvelopes {
  /** In the order of the ids. */
  readonly envelopes: readonly Envelope[];
  /** Keys of their authors, by peer id. */
  readonly senderKeys: Readonly<Record<string, string>>;
  /** Not held, expired, not public, or not verified. */
  readonly gone: readonly string[];
  /** Those that did not fit. */
  readonly left: readonly string[];
}

/** What the sync loop knows of a peer. */
export interface PeerRecord {
  readonly peerId: string;
  /** What its owner calls it. */
  readonly name: string | null;
  /** Wall clock of the last query; null before the first. */
  readonly queriedAtMs: number | null;
  /** Wall clock of the START of the last session that came to its end; null before the first. */
  readonly completedAtMs: number | null;
  /** The session that has begun and not ended; null when there is none. */
  readonly open: OpenSession | null;
  /** How the last session ended: `done`, or the name of another final state, or a code. */
  readonly outcome: string | null;
  /** Sessions that ended in `misbehaved` since it was added. */
  readonly misbehaved: number;
}

/** A session of this peer as requester. */
export interface OpenSession {
  readonly sessionId: string;
  readonly startedAtMs: number;
  readonly sinceMs: number;
}

/** A message of the feed. */
export interface FeedItem {
  /** Grows by at least one with each message that becomes visible or verified; never used again. */
  readonly row: number;
  readonly envelope: Envelope;
  readonly isVerified: boolean;
  readonly storedAtMs: number;
}

/** Something to send that waits. */
export interface OutboxItem {
  readonly envelope: Envelope;
  readonly attempts: number;
  readonly dueAtMs: number;
}

/** What became of an attempt. */
export type OutboxResult =
  | { readonly messageId: string; readonly type: 'sent' }
  | {
      readonly messageId: string;
      readonly type: 'retry';
      readonly dueAtMs: number;
      readonly code: string;
    }
  | {
      readonly messageId: string;
      readonly type: 'dead';
      readonly code: string;
      readonly reason: string;
    };

/** A message that no attempt will deliver, and why; visible until it expires. */
export interface DeadLetter {
  readonly envelope: Envelope;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
}

/** Rows of each table, for the operator and for bounds. */
export interface PeerStoreCounts {
  readonly messages: number;
  readonly quarantined: number;
  readonly tombstones: number;
  readonly seen: number;
  readonly keys: number;
  readonly peers: number;
  readonly outbox: number;
  readonly deadLetters: number;
}
