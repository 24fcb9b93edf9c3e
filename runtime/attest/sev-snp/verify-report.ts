/** From a report and its certificates to claims: everything that the manifest has no say in. */
import { verify } from 'node:crypto';
import { attestError } from '../../../machines/coordinator/attest-errors.ts';
import type { AttestErrorCode } from '../../../machines/coordinator/attest-errors.ts';
import { isAtLeast } from '../../../machines/coordinator/appraisal.ts';
import type { SnpClaims, SnpProduct, SnpTcb } from '../../../machines/coordinator/evidence.ts';
import { fingerprintOf, parseChain, verifyChain } from '../certificate-chain.ts';
import type { CertificateChain } from '../certificate-chain.ts';
import { checkNotRevoked } from '../revocation-list.ts';
import { parseSnpReport, snpTcbOf } from './report.ts';
import type { SnpReport } from './report.ts';
import { AMD_ROOTS } from './roots.ts';
import { snpKeyFactsOf } from './signing-key.ts';
import type { SnpKeyFacts } from './signing-key.ts';

const WHAT = 'an SEV-SNP signing key';

/** What a report is verified with. */
export interface SnpVerification {
  /** DER: the VCEK or VLEK, AMD's intermediate, AMD's root. */
  readonly chain: readonly Uint8Array[];
  /** Time to judge validity at, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Revocation lists of the roots, DER; without one revocation is not checked. */
  readonly revocationLists?: Partial<Readonly<Record<SnpProduct, Uint8Array>>>;
  /** Pinned roots; default: AMD's. */
  readonly roots?: ReadonlyMap<string, SnpProduct>;
}

/** What a sound report says, and the report data that it was made for. */
export interface VerifiedSnpReport {
  readonly claims: SnpClaims;
  readonly reportData: Buffer;
}

/**
 * Verifies the chain, the report's signature and that both speak of the same chip and firmware.
 * MESH_ERR_ATTEST_MALFORMED, _CHAIN, _EXPIRED, _REVOKED, _SIGNATURE, _TCB.
 */
export async function verifySnpReport(
  bytes: Uint8Array,
  options: SnpVerification,
): Promise<VerifiedSnpReport> {
  const report = parseSnpReport(bytes);
  const chain = parseChain(options.chain, WHAT);
  const product = await verifySnpChain(chain, options);
  const facts = await snpKeyFactsOf(chain[0]);
  const key = { key: chain[0].publicKey, dsaEncoding: 'ieee-p1363' as const };
  if (chain[0].publicKey.asymmetricKeyDetails?.namedCurve !== 'secp384r1')
    throw reportError('MESH_ERR_ATTEST_CHAIN', 'its key is not one of P-384');
  if (!verify('sha384', report.signed, key, report.signature))
    throw reportError('MESH_ERR_ATTEST_SIGNATURE', 'the chip did not sign it');
  const fault = mismatch(report, facts, product);
  if (fault !== undefined) throw reportError('MESH_ERR_ATTEST_CHAIN', fault);
  const reportedTcb = snpTcbOf(report.reportedTcb, product);
  if (!isAtLeast(snpTcbOf(report.committedTcb, product), reportedTcb))
    throw reportError('MESH_ERR_ATTEST_TCB', 'it reports firmware that is not committed');
  return {
    reportData: report.reportData,
    claims: {
      product,
      policy: report.policy,
      vmpl: report.vmpl,
      measurement: report.measurement,
      hostData: report.hostData,
      chipId: report.chipId,
      reportedTcb,
      launchTcb: snpTcbOf(report.launchTcb, product),
    },
  };
}

async function verifySnpChain(
  chain: CertificateChain,
  options: SnpVerification,
): Promise<SnpProduct> {
  const { nowMs, roots = AMD_ROOTS } = options;
  verifyChain(chain, { roots: new Set(roots.keys()), nowMs, what: WHAT });
  const [, intermediate, root] = chain;
  const product = roots.get(fingerprintOf(root));
  if (product === undefined) throw reportError('MESH_ERR_ATTEST_CHAIN', 'its root has no product');
  const list = options.revocationLists?.[product];
  if (list !== undefined) await checkNotRevoked(intermediate, root, list, nowMs);
  return product;
}

/** What differs between report, key and root; `undefined` when they agree. */
function mismatch(report: SnpReport, facts: SnpKeyFacts, product: SnpProduct): string | undefined {
  if (facts.product !== product) return `its key is of ${facts.product}, its root of ${product}`;
  if (report.signingKey !== facts.kind)
    return `it says ${report.signingKey}, its certificate ${facts.kind}`;
  if (!isCpuOf(report, product)) return `its CPU is not of ${product}`;
  if (!isSameTcb(snpTcbOf(report.reportedTcb, product), facts.tcb))
    return 'the reported firmware is not that of its key';
  // A VLEK belongs to a fleet: the chip then says itself which one it is, and may keep silent.
  if (facts.kind === 'vlek') return undefined;
  if (report.isChipIdMasked) return 'the chip id is masked';
  return report.chipId === facts.chipId ? undefined : 'it is of another chip than its key';
}

const isSameTcb = (one: SnpTcb, other: SnpTcb): boolean =>
  isAtLeast(one, other) && isAtLeast(other, one);

/** CPUID families and models of each product (AMD 57230, "Product Name"). */
function isCpuOf({ cpu }: SnpReport, product: SnpProduct): boolean {
  if (cpu === undefined) return true;
  if (product === 'Turin') return cpu.family === 0x1a && cpu.model <= 0x1f;
  if (cpu.family !== 0x19) return false;
  return product === 'Milan' ? cpu.model <= 0x0f : cpu.model >= 0x10;
}

const reportError = (code: AttestErrorCode, found: string): Error =>
  attestError(code, `Verifying an SEV-SNP report: ${found}.`);
