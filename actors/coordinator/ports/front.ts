import type { FrontAddress } from '../../../machines/coordinator/coordinator-front.machine.ts';
import type { GuardStatus } from '../../../machines/coordinator/stateguard.machine.ts';

/** An open front: it accepts connections and hands them on. */
export interface OpenFront extends FrontAddress {
  /** SubjectPublicKeyInfo of its TLS key. */
  readonly publicKey: Uint8Array;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** From the next connection on it shows these certificates for its key: DER, leaf first. */
  show(chain: readonly Uint8Array[]): void;
  /** Takes no more connections, lets calls in flight end for that long, and closes. Idempotent. */
  drain(deadlineMs: number): Promise<void>;
}

/** Opens fronts. */
export interface Front {
  /** On the wanted address, or on the port that an earlier one was given. MESH_ERR_TRANSPORT_LISTEN. */
  open(): Promise<OpenFront>;
}

/** What a Coordinator says of itself to those that share its history. */
export interface Announcement extends FrontAddress {
  readonly state: GuardStatus;
}

/** Where peers look for each other. */
export interface PeerRegister {
  /** Replaces what this Coordinator said before; it counts for `ANNOUNCEMENT_LIFETIME_MS`. */
  announce(announcement: Announcement): Promise<void>;
  /** It is not to be asked any more. Idempotent. */
  withdraw(): Promise<void>;
}

/** An announcement that is not renewed for so long is of one that is gone. */
export const ANNOUNCEMENT_LIFETIME_MS = 6_000;
/** Two may be lost, or late. */
export const ANNOUNCE_EVERY_MS = 2_000;
