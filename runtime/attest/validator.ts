/** From evidence of any kind to an identity, by the reference values of one manifest. */
import { timingSafeEqual } from 'node:crypto';
import type { Validator, ValidatorSource } from '../../actors/coordinator/ports/attestation.ts';
import { appraise } from '../../machines/coordinator/appraisal.ts';
import { attestError } from '../../machines/coordinator/attest-errors.ts';
import type { AttestErrorCode } from '../../machines/coordinator/attest-errors.ts';
import {
  EVIDENCE_BYTES_MAX,
  EVIDENCE_KINDS,
  EVIDENCE_TYPES,
} from '../../machines/coordinator/evidence.ts';
import type {
  AttestedClaims,
  AttestedIdentity,
  Evidence,
  EvidenceKind,
  SnpProduct,
} from '../../machines/coordinator/evidence.ts';
import type { ReferenceValues } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import {
  parseHardwareEvidence,
  snpEvidenceSchema,
  tdxEvidenceSchema,
} from './hardware-evidence.schema.ts';
import { verifyProcessEvidence } from './process-evidence.ts';
import { verifySnpReport } from './sev-snp/verify-report.ts';
import type { TdxCollateral } from './tdx/collateral.schema.ts';
import { verifyTdxQuote } from './tdx/verify-quote.ts';

/** What verification needs beside the evidence. */
export interface ValidatorOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Pinned roots by fingerprint; defaults: AMD's and Intel's own. */
  readonly amdRoots?: ReadonlyMap<string, SnpProduct>;
  readonly intelRoots?: ReadonlySet<string>;
  /** Revocation list of AMD's root, DER, by product; without it SNP revocation is not checked. */
  readonly amdRevocationLists?: Partial<Readonly<Record<SnpProduct, Uint8Array>>>;
  /** For quotes that come without collateral. */
  readonly tdxCollateral?: TdxCollateral;
}

type Verified = { readonly attested: AttestedClaims; readonly reportData: Buffer };
type Verify = (bytes: Uint8Array, options: ValidatorOptions) => Promise<Verified> | Verified;

const VERIFIERS: Readonly<Record<EvidenceKind, Verify>> = {
  process: (bytes) => {
    const { claims, reportData } = verifyProcessEvidence(bytes);
    return { attested: { kind: 'process', claims }, reportData };
  },
  'sev-snp': verifySnp,
  tdx: verifyTdx,
};

/** Which reference values of a manifest each kind of evidence is compared with. */
const isNamed: Readonly<Record<EvidenceKind, (references: ReferenceValues) => boolean>> = {
  process: ({ process }) => process !== undefined,
  'sev-snp': ({ sevSnp }) => sevSnp !== undefined,
  tdx: ({ tdx }) => tdx !== undefined,
};

const KIND_OF_TYPE: ReadonlyMap<string, EvidenceKind> = new Map(
  EVIDENCE_KINDS.map((kind) => [EVIDENCE_TYPES[kind], kind]),
);

/** Validators for any manifest, with one set of roots and one clock. */
export const createValidatorSource = (options: ValidatorOptions): ValidatorSource => ({
  validatorFor: (references) => createValidator(references, options),
});

/** One manifest's validator; see the port for what it throws. */
export const createValidator = (
  references: ReferenceValues,
  options: ValidatorOptions,
): Validator => ({
  validate: async (evidence, reportData, signal): Promise<AttestedIdentity> => {
    signal.throwIfAborted();
    const kind = acceptedKind(evidence, references);
    try {
      const { attested, reportData: bound } = await VERIFIERS[kind](evidence.bytes, options);
      if (bound.length !== reportData.length || !timingSafeEqual(bound, reportData))
        throw refusal('MESH_ERR_ATTEST_REPORT_DATA', 'it was made for other report data');
      return appraise(attested, references, options.clock.now());
    } catch (error) {
      if (error instanceof CodedError) throw error;
      // Whatever a parser throws at hostile bytes is a refusal of these bytes.
      throw refusal('MESH_ERR_ATTEST_MALFORMED', 'it could not be read', error);
    }
  },
});

/** Refuses what the manifest could never accept before any byte of it is parsed. */
function acceptedKind({ type, bytes }: Evidence, references: ReferenceValues): EvidenceKind {
  const kind = KIND_OF_TYPE.get(type);
  if (kind === undefined)
    throw refusal('MESH_ERR_ATTEST_TYPE', `its type ${type.slice(0, 64)} is not known`);
  if (kind === 'process' && references.hardware === 'required')
    throw refusal('MESH_ERR_ATTEST_SOFTWARE_ONLY', 'it is of software, hardware is required');
  if (!isNamed[kind](references))
    throw refusal('MESH_ERR_ATTEST_TYPE', `the manifest has no reference values for ${kind}`);
  if (bytes.length > EVIDENCE_BYTES_MAX)
    throw refusal('MESH_ERR_ATTEST_MALFORMED', `${bytes.length} bytes, over ${EVIDENCE_BYTES_MAX}`);
  return kind;
}

async function verifySnp(bytes: Uint8Array, options: ValidatorOptions): Promise<Verified> {
  const { report, x5c } = parseHardwareEvidence(snpEvidenceSchema, bytes);
  const { claims, reportData } = await verifySnpReport(Buffer.from(report, 'base64'), {
    chain: x5c.map((der) => Buffer.from(der, 'base64')),
    nowMs: options.clock.now(),
    ...(options.amdRoots && { roots: options.amdRoots }),
    ...(options.amdRevocationLists && { revocationLists: options.amdRevocationLists }),
  });
  return { attested: { kind: 'sev-snp', claims }, reportData };
}

async function verifyTdx(bytes: Uint8Array, options: ValidatorOptions): Promise<Verified> {
  const evidence = parseHardwareEvidence(tdxEvidenceSchema, bytes);
  const collateral = evidence.collateral ?? options.tdxCollateral;
  if (collateral === undefined)
    throw refusal(
      'MESH_ERR_ATTEST_COLLATERAL',
      'a quote came without collateral, and none is here',
    );
  const quote = Buffer.from(evidence.quote, 'base64');
  const { claims, reportData } = await verifyTdxQuote(quote, collateral, {
    nowMs: options.clock.now(),
    ...(options.intelRoots && { roots: options.intelRoots }),
  });
  return { attested: { kind: 'tdx', claims }, reportData };
}

function refusal(code: AttestErrorCode, found: string, cause?: unknown): Error {
  return attestError(code, `Validating evidence: ${found}.`, { cause });
}
