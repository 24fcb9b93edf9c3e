/**
 * Set reconciliation (capability `negentropy/1`) over all public, verified messages of this peer that are alive.
 * Frames are lower-case hex of at most FRAME_BYTES_MAX octets. No method keeps anything that a later call needs, so
 * either side may be restarted between two rounds; `session` only says what may be cached.
 */
export interface Reconciler {
  /** The first frame of a session. */
  initiate(session: string): Promise<string>;
  /**
   * For the requester: what the answer tells to be missing here, at most FRAME_IDS_MAX ids, and the next frame;
   * null when both sets are known to be equal but for these. MESH_ERR_RECONCILE_FRAME for a malformed frame.
   */
  reconcile(
    session: string,
    frame: string,
  ): Promise<{ readonly need: readonly string[]; readonly next: string | null }>;
  /** For the responder: the answer to a frame. MESH_ERR_RECONCILE_FRAME for a malformed one. */
  respond(session: string, frame: string): Promise<string>;
  /** Drops what is cached for the session. Idempotent. */
  forget(session: string): void;
}
