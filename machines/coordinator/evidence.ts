/**
 * Evidence and what it claims, in the words of RATS (RFC 9334): an attester makes evidence, a
 * verifier turns it into claims, and appraisal compares the claims with the manifest's reference
 * values. What comes out is the identity that a policy is looked up by.
 */

/** The kinds of evidence this program reads. */
export const EVIDENCE_KINDS = ['process', 'sev-snp', 'tdx'] as const;

export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/**
 * Object identifiers of the formats, below one UUID (ITU-T X.667, arc 2.25), so that no registry
 * needs to be asked and no vendor's arc is borrowed.
 */
export const EVIDENCE_TYPES: Readonly<Record<EvidenceKind, string>> = {
  process: '2.25.97386115462468114486524627899418469231.1',
  'sev-snp': '2.25.97386115462468114486524627899418469231.2',
  tdx: '2.25.97386115462468114486524627899418469231.3',
};

/** Evidence as it crosses a wire: the OID of its format, and bytes that only a verifier reads. */
export interface Evidence {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** Bytes of the report data that evidence is bound to: one SHA-512. */
export const REPORT_DATA_BYTES = 64;

/** Bytes of evidence: a quote of 5 KiB with all its collateral has about 40 KiB in base64. */
export const EVIDENCE_BYTES_MAX = 128 * 1024;

/** What a node key says of a process. Software only: who holds the key can say anything. */
export interface ProcessClaims {
  /** Ed25519 public key that signed, 64 lower-case hex digits. */
  readonly nodeKey: string;
  /** Digest of the spore, 64 lower-case hex digits. */
  readonly spore: string;
  /** SHA-256 of the binary inside, 64 lower-case hex digits. */
  readonly binary: string;
  /** Id of the instance on its node. */
  readonly instance: string;
  readonly issuedAtMs: number;
}

/** Security versions of AMD's firmware, component by component. `fmc` is Turin's alone. */
export interface SnpTcb {
  readonly fmc: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

export type SnpProduct = 'Milan' | 'Genoa' | 'Turin';

/** What the AMD secure processor says of a guest. Hex is lower case. */
export interface SnpClaims {
  readonly product: SnpProduct;
  /** The 64 bits of the guest policy (SEV-SNP ABI, "Guest Policy"), 16 digits. */
  readonly policy: string;
  /** Privilege level that asked for the report; 0 is the most privileged. */
  readonly vmpl: number;
  /** SHA-384 of what was launched, 96 digits. */
  readonly measurement: string;
  /** What the host bound to the launch, 64 digits: here the digest of the guest's policy. */
  readonly hostData: string;
  /** 128 digits; zeros where the key is a VLEK. */
  readonly chipId: string;
  /** The version that the signing key vouches for. */
  readonly reportedTcb: SnpTcb;
  /** The version that the guest was launched with. */
  readonly launchTcb: SnpTcb;
}

/** Verdict of Intel's TCB information, from its own vocabulary. */
export type TdxTcbStatus =
  | 'UpToDate'
  | 'SWHardeningNeeded'
  | 'ConfigurationNeeded'
  | 'ConfigurationAndSWHardeningNeeded'
  | 'OutOfDate'
  | 'OutOfDateConfigurationNeeded'
  | 'Revoked';

/** What Intel's TDX module and quoting enclave say of a trust domain. Hex is lower case. */
export interface TdxClaims {
  readonly mrTd: string;
  readonly rtMrs: readonly [string, string, string, string];
  readonly mrSeam: string;
  readonly mrConfigId: string;
  readonly xfam: string;
  readonly tdAttributes: string;
  readonly fmspc: string;
  readonly tcbStatus: TdxTcbStatus;
  /** Intel's security advisories that apply to this platform. */
  readonly advisories: readonly string[];
}

/** Claims that matched the reference values. */
export type AttestedClaims =
  | { readonly kind: 'process'; readonly claims: ProcessClaims }
  | { readonly kind: 'sev-snp'; readonly claims: SnpClaims }
  | { readonly kind: 'tdx'; readonly claims: TdxClaims };

/** Who the other end has proved to be. */
export interface AttestedIdentity {
  /** What a manifest's policies are keyed by, 64 lower-case hex digits. */
  readonly identity: string;
  /** False: a key said so, no hardware did. Show it wherever the identity is shown. */
  readonly isHardware: boolean;
  readonly attested: AttestedClaims;
}
