import type { Envelope, EnvelopeKind } from '../../../machines/gossip/envelope.schema.ts';

/** What the author decides of a message; the rest of its header follows from this. */
export interface EnvelopeDraft {
  readonly kind: EnvelopeKind;
  /** A peer id, or `*` for a public message. */
  readonly recipientId: string;
  /** As it travels: already sealed, where the kind says so. */
  readonly body: Uint8Array;
  readonly createdAtMs: number;
  readonly seq: number;
  readonly ttlSeconds: number;
  readonly replyTo?: string;
}

/** This peer's own key, and nothing else that can sign. */
export interface Signer {
  readonly meshId: string;
  /** SHA-256 of `publicKey`, lower-case hex. */
  readonly peerId: string;
  /** Raw Ed25519 public key, lower-case hex. */
  readonly publicKey: string;
  /** Signs; equal drafts give equal envelopes. Throws MESH_ERR_ENVELOPE_TOO_LARGE. */
  sign(draft: EnvelopeDraft): Envelope;
}

/** One item of a batch: an envelope of the right form, id and lifetime, or why it is none. */
export type Opened =
  | { readonly ok: true; readonly envelope: Envelope }
  | { readonly ok: false; readonly code: string; readonly messageId?: string };

/** One signature to check. */
export interface EnvelopeCheck {
  readonly envelope: Envelope;
  /** Raw Ed25519 public key, lower-case hex. */
  readonly publicKey: string;
}

/** Decides what an envelope is worth; pure but for its CPU time, which it spends off the main thread. */
export interface EnvelopeVerifier {
  /**
   * Form, sizes, body hash, id computed again, mesh and lifetime at `nowMs`; not the signature. One
   * result per item, in order; a bad item never touches another. The code is one of MESH_ERR_ENVELOPE_*.
   */
  open(items: readonly unknown[], nowMs: number): Promise<readonly Opened[]>;
  /**
   * The peer id of a key that counts: 32 octets, canonical, not of small order; undefined for others.
   */
  peerIdOf(publicKey: string): string | undefined;
  /**
   * One verdict per check, in order. A key that is not the sender's, or does not count, is false. Rejects
   * with MESH_ERR_POOL_* when nothing can be decided now.
   */
  verify(checks: readonly EnvelopeCheck[], signal?: AbortSignal): Promise<readonly boolean[]>;
}

/** Posts in this peer's name: what the node itself, the page and the shell use. */
export interface Voice {
  /**
   * Signs a public message, stores it as verified, and resolves with its id when that is durable. Others
   * get it when they ask. Throws MESH_ERR_ENVELOPE_TOO_LARGE.
   */
  post(body: Uint8Array, options?: VoiceOptions): Promise<string>;
}

/** What else an author may say of a post. */
export interface VoiceOptions {
  /** Default: the longest, seven days. */
  readonly ttlSeconds?: number;
  /** Id of the message that it answers. */
  readonly replyTo?: string;
}
