import type { Digest } from '../../../machines/kernel/ids.ts';
import type { Secret } from '../secret.ts';
import type { ProvenIdentity, Validator } from './attestation.ts';

/** Which other Coordinators there are. */
export interface PeerDirectory {
  /**
   * Names of peers that say they are ready, without this one. An empty list is an answer; it rejects
   * when the directory cannot be asked.
   */
  peers(signal: AbortSignal): Promise<readonly string[]>;
}

/** What a peer hands over. */
export interface RecoverResponse {
  readonly seed: Secret;
  readonly salt: Secret;
  /** PKCS #8. */
  readonly meshKey: Secret;
  readonly transition: Digest;
  readonly generation: number;
}

/** How a peer is authorised before it is asked. */
export interface PeerAppraisal {
  /** From the manifest of the unverified state. */
  readonly validator: Validator;
  /** Throws MESH_ERR_COORDINATOR_NOT_AUTHORISED unless the manifest gives it the coordinator role. */
  authorise(proven: ProvenIdentity): void;
}

/** Asks a peer for its state. */
export interface RecoveryTransport {
  /**
   * Attested handshake both ways, `authorise` on what the peer's evidence proved, RecoverRequest,
   * RecoverResponse. Rejects with the peer's or the handshake's coded error; obeys the signal.
   */
  recover(peer: string, appraisal: PeerAppraisal, signal: AbortSignal): Promise<RecoverResponse>;
}
