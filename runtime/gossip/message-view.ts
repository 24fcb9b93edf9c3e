/**
 * What a peer shows of its messages, of other peers and of its relay: plain JSON, for the command
 * line, the feed and the inspector.
 */

/** One message of the feed. */
export interface MessageRow {
  /** Grows with each message that arrives or becomes verified; where a reader goes on from. */
  readonly row: number;
  /** 64 hex digits. */
  readonly id: string;
  readonly kind: 'public' | 'direct' | 'group';
  /** Peer id of the author. */
  readonly author: string;
  /** What the owner of this peer calls the author; null for a stranger. */
  readonly authorName: string | null;
  /** Peer id; null for a public message. */
  readonly recipient: string | null;
  /** Null where the body is no UTF-8, or is sealed and does not open here. */
  readonly text: string | null;
  /** Of the body as it travelled. */
  readonly bytes: number;
  /** RFC 3339, on the author's clock. */
  readonly createdAt: string;
  readonly expiresAt: string;
  /** RFC 3339, when it came here. */
  readonly storedAt: string;
  /** False as long as its author's key is not known here: anybody may have written it. */
  readonly isVerified: boolean;
  /** Of this very peer. */
  readonly isOwn: boolean;
  readonly replyTo: string | null;
}

/** A peer that this one asks. */
export interface PeerRow {
  readonly peerId: string;
  readonly name: string | null;
  /** The requester's state where one is at work, else `idle`. */
  readonly state: string;
  /** How the last session ended: `done`, `refused`, `timedOut`, `misbehaved`; null before the first. */
  readonly outcome: string | null;
  /** RFC 3339; null before the first. */
  readonly queriedAt: string | null;
  /** RFC 3339: the start of the last session that was completed. */
  readonly completedAt: string | null;
  readonly misbehaved: number;
}

/** This peer's relay, as the last attempt found it. */
export interface RelayRow {
  readonly url: string;
  /** `unknown` before the first answer. */
  readonly state: 'reachable' | 'unreachable' | 'unknown';
  /** RFC 3339: since when it is so. */
  readonly since: string | null;
}

/** A message that no attempt will deliver. */
export interface DeadLetterRow {
  readonly id: string;
  readonly recipient: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly createdAt: string;
}

/** A peer of itself. */
export interface PeerInfo {
  readonly peerId: string;
  /** Raw Ed25519 public key, 64 hex digits: what others add. */
  readonly publicKey: string;
  readonly meshId: string;
  readonly home: string;
  /** Null where no program runs the peer just now. */
  readonly pid: number | null;
  /** Null where none is configured: then nothing is exchanged. */
  readonly relay: RelayRow | null;
  /** Rows of each table of the store. */
  readonly counts: Readonly<Record<string, number>>;
  /** What happened since the program began; empty where none runs. */
  readonly tallies: Readonly<Record<string, number>>;
  /** Refusals by code, since the program began. */
  readonly refusals: Readonly<Record<string, number>>;
}
