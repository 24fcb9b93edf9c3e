/** From a quote and its collateral to claims: everything that the manifest has no say in. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { z } from 'zod';
import { attestError } from '../../../machines/coordinator/attest-errors.ts';
import type { AttestErrorCode } from '../../../machines/coordinator/attest-errors.ts';
import type { TdxClaims } from '../../../machines/coordinator/evidence.ts';
import { parseCertificate, parseChain, verifyChain } from '../certificate-chain.ts';
import { checkNotRevoked } from '../revocation-list.ts';
import { qeIdentitySchema, tcbInfoSchema } from './collateral.schema.ts';
import type { TdxCollateral } from './collateral.schema.ts';
import { tdxPlatformOf } from './platform.ts';
import type { TdxPlatform } from './platform.ts';
import { parseTdxQuote } from './quote.ts';
import type { TdxQuote } from './quote.ts';
import { INTEL_ROOTS } from './roots.ts';
import { rateTdx } from './tcb-status.ts';

/** When and up to which roots a quote is verified. */
export interface TdxVerification {
  /** Time to judge validity at, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** SHA-256 of the DER of pinned roots; default: Intel's. */
  readonly roots?: ReadonlySet<string>;
}

/** A quote whose signatures are sound; how its platform is rated is another question. */
export interface SignedTdxQuote {
  readonly quote: TdxQuote;
  readonly chain: readonly [X509Certificate, X509Certificate, X509Certificate];
  readonly platform: TdxPlatform;
}

/** What a sound quote says, and the report data that it was made for. */
export interface VerifiedTdxQuote {
  readonly claims: TdxClaims;
  readonly reportData: Buffer;
}

/**
 * Verifies a quote's three signatures, its binding of key to enclave, and its chain.
 * MESH_ERR_ATTEST_MALFORMED, _CHAIN, _EXPIRED, _SIGNATURE.
 */
export async function verifyTdxSignatures(
  bytes: Uint8Array,
  { nowMs, roots = INTEL_ROOTS }: TdxVerification,
): Promise<SignedTdxQuote> {
  const quote = parseTdxQuote(bytes);
  const chain = parseChain(quote.pckChain.map(derOfPem), 'a TDX quote');
  verifyChain(chain, { roots, nowMs, what: 'a TDX quote' });
  if (!isSigned(quote.qeSigned, chain[0].publicKey, quote.qeSignature))
    throw quoteError('MESH_ERR_ATTEST_SIGNATURE', 'the PCK did not sign the quoting enclave');
  const bound = createHash('sha256').update(quote.attestationKey).update(quote.qeAuthData).digest();
  if (!quote.qe.reportData.equals(Buffer.concat([bound, Buffer.alloc(32)])))
    throw quoteError('MESH_ERR_ATTEST_SIGNATURE', 'its key is not that of the quoting enclave');
  if (!isSigned(quote.signed, publicKeyOf(quote.attestationKey), quote.signature))
    throw quoteError('MESH_ERR_ATTEST_SIGNATURE', 'the quoting enclave did not sign it');
  return { quote, chain, platform: await tdxPlatformOf(chain[0]) };
}

/**
 * Verifies a quote with what Intel publishes for its platform. As `verifyTdxSignatures`, and
 * MESH_ERR_ATTEST_COLLATERAL, _REVOKED, _TCB.
 */
export async function verifyTdxQuote(
  bytes: Uint8Array,
  collateral: TdxCollateral,
  options: TdxVerification,
): Promise<VerifiedTdxQuote> {
  const { quote, chain, platform } = await verifyTdxSignatures(bytes, options);
  const { nowMs, roots = INTEL_ROOTS } = options;
  const signer = collateral.signerChain.split(/(?<=-----END CERTIFICATE-----)\s*/).filter(Boolean);
  const signerChain = signer.map((pem) =>
    parseCertificate(derOfPem(pem), "the signer of Intel's collateral"),
  );
  verifyChain(signerChain, { roots, nowMs, what: "the signer of Intel's collateral" });
  const [pck, intermediate, root] = chain;
  const rootCrl = Buffer.from(collateral.rootCrl, 'base64');
  await checkNotRevoked(pck, intermediate, Buffer.from(collateral.pckCrl, 'base64'), nowMs);
  await checkNotRevoked(intermediate, root, rootCrl, nowMs);
  if (signerChain[0] !== undefined) await checkNotRevoked(signerChain[0], root, rootCrl, nowMs);
  const documents = documentsOf(collateral, signerChain[0]?.publicKey, nowMs);
  const { fmspc, pceId } = documents.tcbInfo;
  if (fmspc.toLowerCase() !== platform.fmspc || pceId.toLowerCase() !== platform.pceId)
    throw quoteError(
      'MESH_ERR_ATTEST_COLLATERAL',
      `it is of platform ${platform.fmspc}, the TCB information of ${fmspc}`,
    );
  const { status, advisories } = rateTdx({ td: quote.td, qe: quote.qe, platform }, documents);
  const { mrTd, rtMrs, mrSeam, mrConfigId, xfam, tdAttributes } = quote.td;
  return {
    reportData: quote.td.reportData,
    claims: {
      mrTd,
      rtMrs,
      mrSeam,
      mrConfigId,
      xfam,
      tdAttributes,
      fmspc: platform.fmspc,
      tcbStatus: status,
      advisories,
    },
  };
}

function documentsOf(collateral: TdxCollateral, signer: KeyObject | undefined, nowMs: number) {
  const read = <Schema extends z.ZodType<{ issueDate: string; nextUpdate: string }>>(
    what: string,
    schema: Schema,
    text: string,
    signature: string,
  ): z.output<Schema> => {
    if (signer === undefined || !isSigned(Buffer.from(text), signer, Buffer.from(signature, 'hex')))
      throw quoteError('MESH_ERR_ATTEST_SIGNATURE', `Intel did not sign the ${what}`);
    const parsed = schema.safeParse(parseJson(what, text));
    if (!parsed.success)
      throw quoteError('MESH_ERR_ATTEST_MALFORMED', `the ${what} is not what it should be`);
    const { issueDate, nextUpdate } = parsed.data;
    if (nowMs < Date.parse(issueDate) || nowMs > Date.parse(nextUpdate))
      throw quoteError(
        'MESH_ERR_ATTEST_EXPIRED',
        `the ${what} holds from ${issueDate} to ${nextUpdate}`,
      );
    return parsed.data;
  };
  const { tcbInfo, tcbInfoSignature, qeIdentity, qeIdentitySignature } = collateral;
  return {
    tcbInfo: read('TCB information', tcbInfoSchema, tcbInfo, tcbInfoSignature),
    qeIdentity: read('QE identity', qeIdentitySchema, qeIdentity, qeIdentitySignature),
  };
}

function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw quoteError('MESH_ERR_ATTEST_MALFORMED', `the ${what} is not JSON`, cause);
  }
}

const isSigned = (bytes: Buffer, key: KeyObject, signature: Buffer): boolean =>
  verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);

/** Throws for a point that is not on the curve. */
function publicKeyOf(point: Buffer): KeyObject {
  const x = point.subarray(0, 32).toString('base64url');
  const y = point.subarray(32).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
  } catch (cause) {
    throw quoteError('MESH_ERR_ATTEST_MALFORMED', 'its key is no point of P-256', cause);
  }
}

const derOfPem = (pem: string): Buffer =>
  Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');

function quoteError(code: AttestErrorCode, found: string, cause?: unknown): Error {
  return attestError(code, `Verifying a TDX quote: ${found}.`, { cause });
}
