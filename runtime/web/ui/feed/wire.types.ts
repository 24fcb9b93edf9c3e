/** What the page of the feed and its server say to each other. All of it is plain JSON. */
import type { MessageRow, RelayRow } from '../../../gossip/message-view.ts';

export type { MessageRow };

/** Whose feed it is. */
export interface FeedPeer {
  readonly peerId: string;
  /** What others add. */
  readonly publicKey: string;
  readonly meshId: string;
  readonly relay: RelayRow | null;
}

/** A message that arrived, or whose author became known. */
export interface FeedNews {
  readonly type: 'NewMessage';
  /** The message's row: grows; where a reader goes on from. */
  readonly seq: number;
  readonly message: MessageRow;
}
