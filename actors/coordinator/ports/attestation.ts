import type { ReferenceValues } from '../../../machines/coordinator/mesh-manifest.schema.ts';

/** Something that proves an identity. */
export interface Evidence {
  /** Object identifier of its kind, dotted. */
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** What sound evidence proves. */
export interface ProvenIdentity {
  /** 64 hex digits, looked up among the manifest's policies. */
  readonly identity: string;
  /** False for evidence of software only. */
  readonly isHardware: boolean;
}

/** The attester's side. */
export interface Issuer {
  /** Object identifier of the evidence that it makes. */
  readonly type: string;
  /** Evidence over 64 bytes of report data, which bind it to key, nonce and session. */
  issue(reportData: Uint8Array, signal: AbortSignal): Promise<Evidence>;
}

/** The verifier's side, for one manifest. */
export interface Validator {
  readonly type: string;
  /**
   * Resolves to what the evidence proves; rejects with a coded error where it is malformed, expired,
   * not of a trusted root, short of the reference values, or over other report data.
   */
  validate(
    evidence: Evidence,
    reportData: Uint8Array,
    signal: AbortSignal,
  ): Promise<ProvenIdentity>;
}

/** Makes the validators that a manifest's reference values call for, none beyond them. */
export type ValidatorsOf = (references: ReferenceValues) => readonly Validator[];
