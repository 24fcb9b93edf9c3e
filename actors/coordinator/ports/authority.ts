import type { Secret } from '../secret.ts';
import type { SeedEngine } from './keys.ts';

/** What a leaf certifies. */
export interface LeafRequest {
  /** SubjectPublicKeyInfo of the client's TLS key. */
  readonly publicKey: Uint8Array;
  readonly commonName: string;
  /** Hosts and addresses. */
  readonly san: readonly string[];
  /** The one URI name. */
  readonly spiffeId: string;
}

/** A certificate and what leads up to the root. DER. */
export interface IssuedLeaf {
  readonly certificate: Uint8Array;
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly notAfterMs: number;
}

/**
 * The certification authority of one state: root, from the seed; mesh, from this transition's key.
 * All certificates are DER and of the closed profile (RFC 5280).
 */
export interface CertificateAuthority {
  /** Self-signed by the seed's root key: the same key and name for the life of the mesh. */
  readonly rootCertificate: Uint8Array;
  /** The mesh key, self-signed: trusting it trusts what was issued under this transition only. */
  readonly meshCertificate: Uint8Array;
  /** The mesh key, signed by the root: second in each leaf's chain. */
  readonly intermediateCertificate: Uint8Array;
  /**
   * A leaf of 24 hours; renew at half of that. MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED for a key or
   * a name outside of the profile.
   */
  issue(request: LeafRequest): IssuedLeaf;
}

/** Makes the authority of a state. */
export interface Authorities {
  /** MESH_ERR_COORDINATOR_PEER_REFUSED for a mesh key that is no P-384 key. */
  create(engine: SeedEngine, meshKey: Secret): CertificateAuthority;
}
