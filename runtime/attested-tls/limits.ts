import { EVIDENCE_BYTES_MAX } from '../../machines/coordinator/evidence.ts';

/** Application protocol (RFC 7301) of a connection whose ends attest each other first. */
export const ATTESTED_PROTOCOL = 'mycelium-mesh-attested/1';
/** Application protocol of one that does not: HTTP/2 at once. */
export const PLAIN_PROTOCOL = 'h2';

/** Bytes of each end's nonce: as many as a SHA-256 has, so that no two ever meet. */
export const NONCE_BYTES = 32;
/** Bytes of a dotted OID; the longest in use has 43. */
export const OID_BYTES_MAX = 64;
/** Bytes of the longest frame's payload: evidence, its type, and the length of that. */
export const FRAME_BYTES_MAX = EVIDENCE_BYTES_MAX + OID_BYTES_MAX + 1;
/** Bytes of an error code. */
export const CODE_BYTES_MAX = 64;

/** How much a listener takes on. */
export interface ListenerLimits {
  /** From the accepted socket to the end of attestation, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Connections that are not attested yet; one more closes the one that waits longest. */
  readonly pendingMax: number;
  /** Connections in all; more are not accepted. */
  readonly connectionsMax: number;
}

/**
 * Ten round trips around the world and a slow verifier; sockets and TLS state of 256 half-open
 * connections take some 20 MiB.
 */
export const LISTENER_LIMITS: ListenerLimits = {
  handshakeTimeoutMs: 10_000,
  pendingMax: 256,
  connectionsMax: 4096,
};
