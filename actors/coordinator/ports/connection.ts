import type { CertificateAuthority } from './authority.ts';
import type { ProvenIdentity, Validator } from './attestation.ts';
import type { Secret } from '../secret.ts';

/** What a NewMeshCert client gets. Certificates are DER. */
export interface NewMeshCertResponse {
  readonly meshCaCertificate: CertificateAuthority['meshCertificate'];
  /** Leaf first, then the intermediate. */
  readonly certificateChain: readonly Uint8Array[];
  readonly rootCaCertificate: CertificateAuthority['rootCertificate'];
  /** Absent where the policy names none. */
  readonly workloadSecret?: Secret;
}

/** One client's connection, from the accepted socket on. */
export interface MeshCertConnection {
  /** Unique among open connections. */
  readonly id: string;
  /**
   * The attested handshake with this validator; resolves once the peer has proved itself, with its
   * TLS key (SubjectPublicKeyInfo).
   */
  attest(
    validator: Validator,
    signal: AbortSignal,
  ): Promise<ProvenIdentity & { readonly publicKey: Uint8Array }>;
  /** Resolves when the NewMeshCertRequest is there, whole and well-formed. */
  request(signal: AbortSignal): Promise<void>;
  /** Resolves when the answer has left; the connection then ends. */
  reply(response: NewMeshCertResponse, signal: AbortSignal): Promise<void>;
  /** Ends it with a stable code. Idempotent. */
  close(refusal: string): void;
  /** Calls the listener when the peer closed it. Returns how to stop; idempotent. */
  onClose(listener: () => void): () => void;
}
