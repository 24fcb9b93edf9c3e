import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { basicConstraints, extKeyUsage, signCertificate } from '../x509/certificate-form.ts';

/** A TLS key, and the certificates that are shown for it. */
export interface TlsIdentity {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** PEM, leaf first. */
  readonly certificates: string;
}

/** Before and after now, for clocks that differ; nobody judges this certificate by its time. */
const LIFETIME_MS = 365 * 24 * 3_600_000;

/** One certificate as PEM (RFC 7468). */
export const pemOf = (der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
};

const newKey = (namedCurve: string): KeyObject =>
  generateKeyPairSync('ec', { namedCurve }).privateKey;

/**
 * A certificate for a key, by default a new one of P-256. It says nothing and nobody vouches for it:
 * it carries the key that evidence is bound to, or that an owner proves to hold. Pass a P-384 key that
 * a leaf is to be issued for, or the key of an owner, which may be RSA.
 */
export function createTlsIdentity(
  nowMs: number,
  privateKey: KeyObject = newKey('P-256'),
): TlsIdentity {
  const publicKey = createPublicKey(privateKey);
  const certificate = signCertificate(
    {
      serialNumber: Buffer.concat([Buffer.of(0x40), randomBytes(15)]),
      issuer: 'mycelium-mesh',
      subject: 'mycelium-mesh',
      notBefore: new Date(nowMs - LIFETIME_MS),
      notAfter: new Date(nowMs + LIFETIME_MS),
      publicKey,
      extensions: [basicConstraints(undefined), extKeyUsage()],
    },
    // The profile's signatures are ECDSA; what signs the certificate of another key is thrown away.
    privateKey.asymmetricKeyType === 'ec' ? privateKey : newKey('P-384'),
  );
  return {
    privateKey,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    certificates: pemOf(certificate),
  };
}
