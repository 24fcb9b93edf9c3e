/** Public attestation samples beside the checkout; specs that need them are skipped without. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TdxCollateral } from '../../../runtime/attest/tdx/collateral.schema.ts';

const FOLDER = new URL('../../../../shared/vectors/attest/', import.meta.url);

/** Whether the samples are on this machine. */
export const hasVectors = existsSync(fileURLToPath(FOLDER));

/** The bytes of one sample. */
export const vector = (name: string): Buffer => readFileSync(new URL(name, FOLDER));

/** The certificates of a PEM sample, DER. */
export const vectorCertificates = (name: string): Buffer[] =>
  (
    vector(name)
      .toString('utf8')
      .match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g) ?? []
  ).map((pem) => new X509Certificate(pem).raw);

/** A report with the VCEK and the two CA certificates that go with it. */
export const snpSample = (report: string, vcek: string, authorities: string) => {
  const bytes = vector(`sev-snp/${report}`);
  return {
    report: report.endsWith('.hex') ? Buffer.from(bytes.toString('utf8').trim(), 'hex') : bytes,
    chain: [vector(`sev-snp/${vcek}`), ...vectorCertificates(`sev-snp/${authorities}`)],
  };
};

/** The collateral of the sample quote, in our form. */
export function tdxSampleCollateral(): TdxCollateral {
  const sample = JSON.parse(
    vector('dcap-qvl/tdx_quote_collateral.json').toString('utf8'),
  ) as Record<string, string>;
  const field = (name: string): string => sample[name] ?? '';
  const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
  return {
    tcbInfo: field('tcb_info'),
    tcbInfoSignature: field('tcb_info_signature'),
    qeIdentity: field('qe_identity'),
    qeIdentitySignature: field('qe_identity_signature'),
    signerChain: field('tcb_info_issuer_chain'),
    pckCrl: base64(field('pck_crl')),
    rootCrl: base64(field('root_ca_crl')),
  };
}
