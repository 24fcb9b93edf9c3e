import type { AttestedClaims, Evidence } from '../../../machines/coordinator/evidence.ts';
import type { ReferenceValues } from '../../../machines/coordinator/mesh-manifest.schema.ts';

export type { Evidence } from '../../../machines/coordinator/evidence.ts';

/** What sound evidence proves. */
export interface ProvenIdentity {
  /** 64 hex digits, looked up among the manifest's policies. */
  readonly identity: string;
  /** False for evidence of software only. */
  readonly isHardware: boolean;
  /** What the evidence claimed, for the record; JSON. */
  readonly attested?: AttestedClaims;
}

/** The attester's side. */
export interface Issuer {
  /** Object identifier of the evidence that it makes. */
  readonly type: string;
  /**
   * Evidence over 64 bytes of report data, which bind it to key, nonce and session. Each is fresh.
   * Rejects with what the key or the hardware says.
   */
  issue(reportData: Uint8Array, signal: AbortSignal): Promise<Evidence>;
}

/** The verifier's side, for one manifest. */
export interface Validator {
  /**
   * Resolves to what the evidence proves; rejects with MESH_ERR_ATTEST_* where it is malformed,
   * expired, not of a trusted root, short of the reference values, or over other report data. Any
   * bytes at all give one of these, never a crash.
   */
  validate(
    evidence: Evidence,
    reportData: Uint8Array,
    signal: AbortSignal,
  ): Promise<ProvenIdentity>;
}

/** Makes a validator for the manifest of one state. */
export interface ValidatorSource {
  /** Cheap and synchronous, as it is called for each connection. */
  validatorFor(references: ReferenceValues): Validator;
}
