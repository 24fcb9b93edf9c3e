/** What the page of the feed and its server say to each other. All of it is plain JSON. */

/** One message. */
export interface FeedMessage {
  /** Grows with each message that arrives or becomes verified. */
  readonly row: number;
  readonly id: string;
  readonly kind: 'public' | 'direct' | 'group';
  /** Peer id of the author. */
  readonly author: string;
  /** What the owner of this peer calls the author; null for a stranger. */
  readonly authorName: string | null;
  /** Null where the body cannot be read here. */
  readonly text: string | null;
  readonly bytes: number;
  /** RFC 3339, on the author's clock. */
  readonly createdAt: string;
  /** False as long as its author's key is not known here. */
  readonly isVerified: boolean;
  /** Of this very peer. */
  readonly isOwn: boolean;
}

/** Whose feed it is. */
export interface FeedPeer {
  readonly peerId: string;
  /** What others add. */
  readonly publicKey: string;
  readonly meshId: string;
  /** Null where none is configured. */
  readonly relay: { readonly url: string; readonly state: string } | null;
}

/** A message that arrived, or whose author became known. */
export interface FeedNews {
  readonly type: 'NewMessage';
  /** The message's row: where a reader goes on from. */
  readonly seq: number;
  readonly message: FeedMessage;
}
