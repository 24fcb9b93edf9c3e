/**
 * Appraisal (RFC 9334 §8.4): claims against the reference values of a manifest. The signatures are
 * checked before; here it is decided whether what is true is also good enough.
 */
import { attestError } from './attest-errors.ts';
import type { AttestErrorCode } from './attest-errors.ts';
import type {
  AttestedClaims,
  AttestedIdentity,
  ProcessClaims,
  SnpClaims,
  SnpTcb,
  TdxClaims,
} from './evidence.ts';
import type { ReferenceValues } from './mesh-manifest.schema.ts';

type SnpReference = NonNullable<ReferenceValues['sevSnp']>[number];
type TdxReference = NonNullable<ReferenceValues['tdx']>[number];

/** Clocks of two machines may differ by this much; evidence is made for one handshake only. */
export const EVIDENCE_SKEW_MS = 5 * 60_000;

/** Bits of an SNP guest policy (SEV-SNP ABI 1.55, table 9). */
const POLICY_RESERVED_ONE = 1n << 17n;
const POLICY_MIGRATE = 1n << 18n;
const POLICY_DEBUG = 1n << 19n;
const POLICY_KNOWN = (1n << 25n) - 1n;

/** TD attributes: the low byte is the "TD under debug" group. */
const TD_DEBUG_GROUP = /^00/;
/** The digest of a policy, filled up to 48 bytes. */
const MR_CONFIG_ID = /^[0-9a-f]{64}0{32}$/;

/**
 * The identity behind claims, if a reference value accepts them. MESH_ERR_ATTEST_SOFTWARE_ONLY,
 * _TYPE, _UNKNOWN_KEY, _EXPIRED, _GUEST_POLICY, _MEASUREMENT, _TCB.
 */
export function appraise(
  attested: AttestedClaims,
  references: ReferenceValues,
  nowMs: number,
): AttestedIdentity {
  switch (attested.kind) {
    case 'process':
      appraiseProcess(attested.claims, references, nowMs);
      return { attested, isHardware: false, identity: attested.claims.spore };
    case 'sev-snp':
      appraiseSnp(attested.claims, references.sevSnp ?? []);
      return { attested, isHardware: true, identity: attested.claims.hostData };
    case 'tdx':
      appraiseTdx(attested.claims, references.tdx ?? []);
      return { attested, isHardware: true, identity: attested.claims.mrConfigId.slice(0, 64) };
  }
}

function appraiseProcess(claims: ProcessClaims, references: ReferenceValues, nowMs: number): void {
  const about = `process evidence of instance ${claims.instance}`;
  if (references.hardware === 'required')
    throw refusal('MESH_ERR_ATTEST_SOFTWARE_ONLY', `${about}: the manifest requires hardware`);
  if (references.process === undefined) throw noReference(about);
  if (!references.process.nodeKeys.includes(claims.nodeKey))
    throw refusal('MESH_ERR_ATTEST_UNKNOWN_KEY', `${about}: node key ${claims.nodeKey} is unknown`);
  const aheadMs = claims.issuedAtMs - nowMs;
  if (Math.abs(aheadMs) > EVIDENCE_SKEW_MS) {
    const when = aheadMs > 0 ? 'in the future' : 'ago';
    const found = `it was issued ${Math.abs(aheadMs)} ms ${when}, at most ${EVIDENCE_SKEW_MS} may be`;
    throw refusal('MESH_ERR_ATTEST_EXPIRED', `${about}: ${found}`);
  }
}

function appraiseSnp(claims: SnpClaims, references: readonly SnpReference[]): void {
  const about = `an SEV-SNP report of ${claims.product}`;
  if (references.length === 0) throw noReference(about);
  const fault = snpPolicyFault(claims);
  if (fault !== undefined) throw refusal('MESH_ERR_ATTEST_GUEST_POLICY', `${about}: ${fault}`);
  const fitting = references.filter((one) => isSnpMatch(claims, one));
  if (fitting.length === 0) {
    const found = `measurement ${claims.measurement} on chip ${claims.chipId.slice(0, 16)}…`;
    throw refusal('MESH_ERR_ATTEST_MEASUREMENT', `${about}: no reference value has ${found}`);
  }
  const isNewEnough = fitting.some(
    ({ minimumTcb }) =>
      isAtLeast(claims.reportedTcb, minimumTcb) && isAtLeast(claims.launchTcb, minimumTcb),
  );
  if (!isNewEnough)
    throw refusal(
      'MESH_ERR_ATTEST_TCB',
      `${about}: reported ${tcbText(claims.reportedTcb)}, launched ${tcbText(claims.launchTcb)}, ` +
        'which is below the minimum',
    );
}

/** What in a guest's policy would let its host look inside; `undefined` when nothing does. */
export function snpPolicyFault(claims: Pick<SnpClaims, 'policy' | 'vmpl'>): string | undefined {
  const policy = BigInt(`0x${claims.policy}`);
  if ((policy & POLICY_RESERVED_ONE) === 0n) return 'bit 17 of its policy is not one';
  if ((policy & ~POLICY_KNOWN) !== 0n) return 'its policy has bits that are not known';
  if ((policy & POLICY_DEBUG) !== 0n) return 'its policy allows debugging';
  if ((policy & POLICY_MIGRATE) !== 0n) return 'its policy allows a migration agent';
  return claims.vmpl === 0 ? undefined : `it was asked for at privilege level ${claims.vmpl}`;
}

const isSnpMatch = (claims: SnpClaims, reference: SnpReference): boolean =>
  reference.product === claims.product &&
  reference.measurement === claims.measurement &&
  (reference.chipIds?.includes(claims.chipId) ?? true);

/** Each component by itself: a newer microcode does not make up for an older firmware. */
export const isAtLeast = (tcb: SnpTcb, minimum: Partial<SnpTcb>): boolean =>
  (['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const).every(
    (part) => tcb[part] >= (minimum[part] ?? 0),
  );

const tcbText = ({ fmc, bootloader, tee, snp, microcode }: SnpTcb): string =>
  `${fmc}/${bootloader}/${tee}/${snp}/${microcode}`;

function appraiseTdx(claims: TdxClaims, references: readonly TdxReference[]): void {
  const about = `a TDX quote of platform ${claims.fmspc}`;
  if (references.length === 0) throw noReference(about);
  if (!TD_DEBUG_GROUP.test(claims.tdAttributes))
    throw refusal('MESH_ERR_ATTEST_GUEST_POLICY', `${about}: the domain is under debug`);
  if (claims.tcbStatus === 'Revoked')
    throw refusal('MESH_ERR_ATTEST_REVOKED', `${about}: its TCB is revoked`);
  const fitting = references.filter((one) => isTdxMatch(claims, one));
  if (fitting.length === 0)
    throw refusal('MESH_ERR_ATTEST_MEASUREMENT', `${about}: no reference value has ${claims.mrTd}`);
  if (!MR_CONFIG_ID.test(claims.mrConfigId))
    throw refusal('MESH_ERR_ATTEST_MEASUREMENT', `${about}: MRCONFIGID holds more than a digest`);
  const accepted = new Set<string>(fitting.flatMap(({ tcbStatuses }) => tcbStatuses));
  if (!accepted.has(claims.tcbStatus)) {
    const advisories = claims.advisories.join(', ') || 'no advisories';
    const found = `its TCB is ${claims.tcbStatus} (${advisories}), accepted: ${[...accepted].join(', ')}`;
    throw refusal('MESH_ERR_ATTEST_TCB', `${about}: ${found}`);
  }
}

const isTdxMatch = (claims: TdxClaims, reference: TdxReference): boolean =>
  reference.mrTd === claims.mrTd &&
  reference.xfam === claims.xfam &&
  reference.rtMrs.every((rtMr, at) => rtMr === claims.rtMrs[at]) &&
  (reference.mrSeam === undefined || reference.mrSeam === claims.mrSeam);

const noReference = (about: string): Error =>
  refusal('MESH_ERR_ATTEST_TYPE', `${about}: the manifest has no reference value of that kind`);

const refusal = (code: AttestErrorCode, found: string): Error =>
  attestError(code, `Appraising ${found}.`);
