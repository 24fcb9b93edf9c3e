import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';

/** What the relay did with one envelope of a batch. */
export type PostResult =
  /** Durably in the recipient's inbox. */
  | { readonly type: 'accepted' }
  /** It has had this (recipient, id) before; as good as accepted. */
  | { readonly type: 'duplicate' }
  /** Not taken. Another attempt helps only where `retryable`. */
  | {
      readonly type: 'refused';
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };

/** One leased message: until it is acknowledged it comes back when the lease has ended. */
export interface InboxItem {
  /** To acknowledge it with. */
  readonly lease: string;
  /** As the relay gave it; nothing of it is proven. */
  readonly envelope: unknown;
  /**
   * Raw public key of the sender in lower-case hex, where the relay knows it; worth only as much as its hash
   * says.
   */
  readonly senderKey?: string;
}

/**
 * This peer's way to its relay. The relay is not trusted: it may lose, repeat, reorder and invent. Every method
 * obeys its signal and rejects with MESH_ERR_RELAY_UNAVAILABLE (retryable) when the relay cannot be reached or
 * does not answer in time; then a post may have been taken or not.
 */
export interface RelayClient {
  /** One result per envelope, in order. Idempotent by (recipient, id). */
  post(envelopes: readonly Envelope[], signal: AbortSignal): Promise<readonly PostResult[]>;
  /** Oldest first, at most `max`; empty when there is nothing. */
  lease(max: number, signal: AbortSignal): Promise<readonly InboxItem[]>;
  /** Idempotent; an ended lease is no error. */
  ack(leases: readonly string[], signal: AbortSignal): Promise<void>;
  /** Tells that something may be in the inbox. Not reliable: poll as well. Returns how to stop. */
  onWake(listener: () => void): () => void;
}
