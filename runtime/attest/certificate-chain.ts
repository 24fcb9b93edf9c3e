/** Certificates of a hardware vendor, up to a root that is pinned by the SHA-256 of its DER. */
import { X509Certificate, createHash } from 'node:crypto';
import { attestError } from '../../machines/coordinator/attest-errors.ts';
import type { AttestErrorCode } from '../../machines/coordinator/attest-errors.ts';

/** Leaf, intermediate, root: both vendors have exactly these. */
export type CertificateChain = readonly [X509Certificate, X509Certificate, X509Certificate];

/** SHA-256 of a certificate's DER, lower-case hex. */
export const fingerprintOf = (certificate: X509Certificate): string =>
  createHash('sha256').update(certificate.raw).digest('hex');

/** Reads one certificate; trailing bytes are refused. MESH_ERR_ATTEST_MALFORMED. */
export function parseCertificate(bytes: Uint8Array, what: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(bytes);
  } catch (cause) {
    throw chainError('MESH_ERR_ATTEST_MALFORMED', `${what}: it is no certificate`, cause);
  }
  if (!certificate.raw.equals(bytes))
    throw chainError('MESH_ERR_ATTEST_MALFORMED', `${what}: it is not one certificate in DER`);
  return certificate;
}

/** As `parseCertificate`, for three of them. */
export function parseChain(ders: readonly Uint8Array[], what: string): CertificateChain {
  const [leaf, intermediate, root] = ders.map((der) => parseCertificate(der, what));
  if (leaf === undefined || intermediate === undefined || root === undefined || ders.length !== 3)
    throw chainError(
      'MESH_ERR_ATTEST_MALFORMED',
      `${what}: ${ders.length} certificates, 3 are due`,
    );
  return [leaf, intermediate, root];
}

/**
 * Checks names, signatures, CA flags and validity. MESH_ERR_ATTEST_CHAIN, MESH_ERR_ATTEST_EXPIRED.
 */
export function verifyChain(
  chain: readonly X509Certificate[],
  options: { readonly roots: ReadonlySet<string>; readonly nowMs: number; readonly what: string },
): void {
  const { what, nowMs } = options;
  const root = chain.at(-1);
  if (root === undefined || !options.roots.has(fingerprintOf(root)))
    throw chainError('MESH_ERR_ATTEST_CHAIN', `${what}: its root is not one that is pinned here`);
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? root;
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw chainError(
        'MESH_ERR_ATTEST_CHAIN',
        `${what}: certificate ${index} was not issued by the next one`,
      );
    const isValid =
      certificate.validFromDate.getTime() <= nowMs && nowMs <= certificate.validToDate.getTime();
    if (!isValid)
      throw chainError(
        'MESH_ERR_ATTEST_EXPIRED',
        `${what}: certificate ${index} is valid from ${certificate.validFrom} to ` +
          `${certificate.validTo}, and it is ${new Date(nowMs).toISOString()}`,
      );
  }
}

function chainError(code: AttestErrorCode, found: string, cause?: unknown): Error {
  return attestError(code, `Checking the certificates of ${found}.`, { cause });
}
