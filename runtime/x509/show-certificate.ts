/** What a certificate says, as plain data, whoever issued it. */
import { X509Certificate, createHash } from 'node:crypto';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { readCertificate } from './certificate-profile.ts';
import type { CertificateKind } from './certificate-profile.ts';

/** One certificate of a chain. */
export interface ShownCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** `DNS:name`, `IP Address:…`, `URI:…`, as in the certificate. */
  readonly names: readonly string[];
  readonly spiffeId: string | null;
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** RFC 3339. */
  readonly notBefore: string;
  /** RFC 3339. */
  readonly notAfter: string;
  readonly isValidNow: boolean;
  /** `P-384`, `P-256`, `ed25519`, `rsa 2048`. */
  readonly key: string;
  readonly isAuthority: boolean;
  /** What it is in a mesh; null for one that is outside of the closed profile. */
  readonly kind: CertificateKind | null;
  /** SHA-256 of its DER, lower-case hex. */
  readonly fingerprint: string;
  /** Its signature is of the next one in the file, or its own where it is the last. */
  readonly isSignedByNext: boolean | null;
}

/** Certificates of one file; a chain of a mesh has two or three. */
export const CERTIFICATES_MAX = 16;

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Reads PEM, any number of them, or one DER. Rejects what is neither with a plain error. */
export function certificatesIn(bytes: Uint8Array): readonly X509Certificate[] {
  const text = Buffer.from(bytes).toString('latin1');
  const found = text.match(PEM);
  if (found === null) return [new X509Certificate(bytes)];
  return found.slice(0, CERTIFICATES_MAX).map((pem) => new X509Certificate(pem));
}

/** What each of them says at that time, leaf first as in the file. */
export const showCertificates = (
  chain: readonly X509Certificate[],
  nowMs: number,
): readonly ShownCertificate[] =>
  chain.map((certificate, index) => shown(certificate, chain[index + 1], nowMs));

function shown(
  certificate: X509Certificate,
  next: X509Certificate | undefined,
  nowMs: number,
): ShownCertificate {
  const { raw, validFromDate, validToDate, publicKey } = certificate;
  const names = (certificate.subjectAltName ?? '').split(', ').filter(Boolean);
  const uris = names.filter((name) => name.startsWith('URI:spiffe://'));
  const isOwnIssuer = certificate.checkIssued(certificate);
  const issuer = next ?? (isOwnIssuer ? certificate : undefined);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    names,
    spiffeId: uris.length === 1 ? (uris[0] ?? '').slice('URI:'.length) : null,
    serialNumber: certificate.serialNumber.toLowerCase(),
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
    isValidNow: nowMs >= validFromDate.getTime() && nowMs <= validToDate.getTime(),
    key: keyText(publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails),
    isAuthority: certificate.ca,
    kind: kindOf(raw),
    fingerprint: createHash('sha256').update(raw).digest('hex'),
    isSignedByNext: issuer === undefined ? null : certificate.verify(issuer.publicKey),
  };
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384' };

function keyText(
  type: string | undefined,
  details: { readonly namedCurve?: string; readonly modulusLength?: number } | undefined,
): string {
  if (details?.namedCurve !== undefined) return CURVES[details.namedCurve] ?? details.namedCurve;
  return details?.modulusLength === undefined
    ? (type ?? 'unknown')
    : `${type ?? 'rsa'} ${String(details.modulusLength)}`;
}

function kindOf(der: Uint8Array): CertificateKind | null {
  for (const kind of ['leaf', 'mesh', 'root'] as const)
    try {
      readCertificate(der, kind);
      return kind;
    } catch (error) {
      if (codeOf(error) !== 'MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED') throw error;
    }
  return null;
}
