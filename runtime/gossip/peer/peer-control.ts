/** What can be asked of a peer: in its process directly, from the shell over its control socket. */
import type { DeadLetterRow, MessageRow, PeerInfo, PeerRow } from '../message-view.ts';

/** A public message. */
export interface PostRequest {
  readonly text: string;
  /** Default: the longest, seven days. */
  readonly ttlSeconds?: number;
  /** Id of the message that it answers. */
  readonly replyTo?: string;
}

/** A message that only its recipient, or a group, can read. */
export interface SendRequest extends PostRequest {
  /** Name, id, or the beginning of an id of a peer that was added. */
  readonly to: string;
  /** Name of a group's key in the folder `groups`: sealed with it, for each member to open. */
  readonly group?: string;
}

/** Which messages. */
export interface MessageQuery {
  /** Those after this row, oldest first; without it the newest ones. */
  readonly after?: number;
  /** At most so many. Default 50. */
  readonly limit?: number;
}

/** How far asking other peers is. */
export interface SyncStep {
  /** Peers that are asked in this round. */
  readonly peers: readonly SyncPeer[];
  /** Whether the round is over. */
  readonly isEnded: boolean;
}

/** One peer in such a round. */
export interface SyncPeer {
  readonly peerId: string;
  readonly name: string | null;
  /** State of the requester's machine; `waiting` before it begins, `ended` after. */
  readonly state: string;
  /** How it ended: `done`, `refused`, `timedOut`, `misbehaved`, `interval` where it was asked recently. */
  readonly outcome: string | null;
  /** Messages stored by this session. */
  readonly stored: number;
  /** Known to be missing now. */
  readonly missing: number;
  readonly refused: number;
}

/** What a peer can do while no program runs it. */
export interface PeerDesk {
  info(): Promise<PeerInfo>;
  peers(): Promise<readonly PeerRow[]>;
  /** By the raw public key in hex. MESH_ERR_PEER_KEY. Idempotent; names it anew. */
  addPeer(peer: { readonly publicKey: string; readonly name?: string }): Promise<PeerRow>;
  /** By name, id or the beginning of an id; its messages stay. MESH_ERR_PEER_UNKNOWN. */
  removePeer(who: string): Promise<PeerRow>;
  /** Durable when it resolves; others get it when they ask. MESH_ERR_PEER_MESSAGE. */
  post(request: PostRequest): Promise<{ readonly id: string }>;
  /** Durable when it resolves; sent when the relay takes it. MESH_ERR_PEER_UNKNOWN, MESH_ERR_SEALED_*. */
  send(request: SendRequest): Promise<{ readonly id: string }>;
  messages(query?: MessageQuery): Promise<readonly MessageRow[]>;
  /** Newest first. */
  deadLetters(): Promise<readonly DeadLetterRow[]>;
}

/** A peer that runs. */
export interface PeerControl extends PeerDesk {
  /** Messages after that row as they arrive, oldest first, until the signal aborts. */
  tail(after: number, signal?: AbortSignal): AsyncIterable<MessageRow>;
  /**
   * Asks peers now, each at most once in its interval. Steps until all sessions have ended.
   * MESH_ERR_PEER_RELAY without a relay, MESH_ERR_PEER_UNKNOWN.
   */
  sync(request: { readonly peer?: string }, signal?: AbortSignal): AsyncIterable<SyncStep>;
}

/** An address that works once. */
export interface FeedInvitation {
  readonly url: string;
}

/** A peer that runs, with its feed. */
export interface RunningPeer extends PeerControl {
  /** Opens the feed's page where it is not, and gives an address of it. MESH_ERR_INSPECT_PORT. */
  feed(options?: { readonly port?: number }): Promise<FeedInvitation>;
}
