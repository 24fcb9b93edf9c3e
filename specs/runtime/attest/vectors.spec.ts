/** The verdict on every public sample: reports of real hardware with the vendors' own chains. */
import { X509Certificate, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isAtLeast, snpPolicyFault } from '../../../machines/coordinator/appraisal.ts';
import { fingerprintOf, verifyChain } from '../../../runtime/attest/certificate-chain.ts';
import { checkNotRevoked } from '../../../runtime/attest/revocation-list.ts';
import { AMD_ROOTS } from '../../../runtime/attest/sev-snp/roots.ts';
import { snpKeyFactsOf } from '../../../runtime/attest/sev-snp/signing-key.ts';
import { verifySnpReport } from '../../../runtime/attest/sev-snp/verify-report.ts';
import { qeIdentitySchema, tcbInfoSchema } from '../../../runtime/attest/tdx/collateral.schema.ts';
import { parseTdxQuote } from '../../../runtime/attest/tdx/quote.ts';
import { INTEL_ROOTS } from '../../../runtime/attest/tdx/roots.ts';
import {
  ratePlatform,
  rateModule,
  rateQe,
  rateTdx,
} from '../../../runtime/attest/tdx/tcb-status.ts';
import { verifyTdxQuote, verifyTdxSignatures } from '../../../runtime/attest/tdx/verify-quote.ts';
import {
  hasVectors,
  snpSample,
  tdxSampleCollateral,
  vector,
  vectorCertificates,
} from '../../support/attest/vectors.ts';

const at = (iso: string): number => Date.parse(iso);
const refused = (code: string) => expect.objectContaining({ code });
const SIGNER = "Intel's signer";

describe.skipIf(!hasVectors)('SEV-SNP samples', () => {
  it.each([
    ['ask_ark_milan.pem', 'Milan'],
    ['ask_ark_milan_vlek.pem', 'Milan'],
    ['milan_ask_ark_testcer.pem', 'Milan'],
    ['virtee_cert_chain_milan.pem', 'Milan'],
    ['ask_ark_genoa.pem', 'Genoa'],
    ['ask_ark_genoa_vlek.pem', 'Genoa'],
    ['ask_ark_turin_vcek.pem', 'Turin'],
    ['ask_ark_turin_vlek.pem', 'Turin'],
    ['virtee_cert_chain_turin.pem', 'Turin'],
  ])('%s leads to the pinned root of %s', (name, product) => {
    const chain = vectorCertificates(`sev-snp/${name}`).map((der) => new X509Certificate(der));
    const roots = new Set(AMD_ROOTS.keys());
    verifyChain(chain, { roots, nowMs: at('2026-01-01'), what: name });
    expect(chain).toHaveLength(2);
    expect(AMD_ROOTS.get(fingerprintOf(chain[1] as X509Certificate))).toBe(product);
  });

  it.each(['ask_ark_milan.pem', 'milan_ask_ark_testcer.pem'])(
    'the debug report of Milan is signed (%s), and its policy is refused',
    async (authorities) => {
      const { report, chain } = snpSample(
        'milan_report_go-sev-guest.bin',
        'milan_vcek_go-sev-guest.der',
        authorities,
      );
      const { claims, reportData } = await verifySnpReport(report, {
        chain,
        nowMs: at('2024-01-01'),
      });
      expect(reportData.subarray(0, 6).toString('hex')).toBe('010203040500');
      expect(claims.reportedTcb).toEqual({ fmc: 0, bootloader: 2, tee: 0, snp: 5, microcode: 68 });
      expect(snpPolicyFault(claims)).toBe('its policy allows debugging');
    },
  );

  it('the second report of Milan is accepted, and not a day after its key', async () => {
    const { report, chain } = snpSample(
      'virtee_report_milan.hex',
      'virtee_vcek_milan.der',
      'virtee_cert_chain_milan.pem',
    );
    const { claims } = await verifySnpReport(report, { chain, nowMs: at('2024-01-01') });
    expect(claims.reportedTcb).toEqual({ fmc: 0, bootloader: 3, tee: 0, snp: 8, microcode: 115 });
    expect(claims.policy).toBe('0000000000030000');
    expect(snpPolicyFault(claims)).toBeUndefined();
    await expect(verifySnpReport(report, { chain, nowMs: at('2030-04-04') })).rejects.toEqual(
      refused('MESH_ERR_ATTEST_EXPIRED'),
    );
  });

  it('a report is refused under the key of another chip', async () => {
    const { report } = snpSample(
      'virtee_report_milan.hex',
      'virtee_vcek_milan.der',
      'ask_ark_milan.pem',
    );
    const other = [vector('sev-snp/milan_vcek_go-sev-guest.der')];
    const chain = [...other, ...vectorCertificates('sev-snp/ask_ark_milan.pem')];
    await expect(verifySnpReport(report, { chain, nowMs: at('2024-01-01') })).rejects.toEqual(
      refused('MESH_ERR_ATTEST_SIGNATURE'),
    );
  });

  it('the key of Turin is read, with its short chip id and its own component', async () => {
    const der = vector('sev-snp/virtee_vcek_turin.der');
    const chain = [der, ...vectorCertificates('sev-snp/virtee_cert_chain_turin.pem')].map(
      (one) => new X509Certificate(one),
    );
    verifyChain(chain, {
      roots: new Set(AMD_ROOTS.keys()),
      nowMs: at('2025-01-01'),
      what: 'Turin',
    });
    const facts = await snpKeyFactsOf(new X509Certificate(der));
    expect(facts).toMatchObject({ kind: 'vcek', product: 'Turin' });
    expect(facts.chipId).toMatch(/^[0-9a-f]{16}0{112}$/);
    expect(isAtLeast(facts.tcb, {})).toBe(true);
  });
});

describe.skipIf(!hasVectors)('TDX samples', () => {
  it('the quote with its collateral is up to date, without advisories', async () => {
    const options = { nowMs: at('2025-06-25') };
    const quote = vector('dcap-qvl/tdx_quote');
    const { claims } = await verifyTdxQuote(quote, tdxSampleCollateral(), options);
    expect(claims).toMatchObject({ tcbStatus: 'UpToDate', advisories: [], fmspc: 'b0c06f000000' });
    expect(claims.mrTd).toMatch(/^91eb2b44d141d4ece09f0c75c2c53d24/);
  });

  it.each([
    ['before its collateral', '2025-06-01'],
    ['after its collateral', '2025-07-20'],
    ['before its certificates', '2024-01-01'],
  ])('the quote is refused %s', async (_, iso) => {
    const verdict = verifyTdxQuote(vector('dcap-qvl/tdx_quote'), tdxSampleCollateral(), {
      nowMs: at(iso),
    });
    await expect(verdict).rejects.toEqual(refused('MESH_ERR_ATTEST_EXPIRED'));
  });

  it.each([
    ['tcbInfo', 'MESH_ERR_ATTEST_SIGNATURE'],
    ['qeIdentity', 'MESH_ERR_ATTEST_SIGNATURE'],
  ] as const)('the quote is refused when a digit of %s differs', async (field, code) => {
    const collateral = tdxSampleCollateral();
    const changed = {
      ...collateral,
      [field]: collateral[field].replace('"isvsvn":', '"isvsvn": '),
    };
    const verdict = verifyTdxQuote(vector('dcap-qvl/tdx_quote'), changed, {
      nowMs: at('2025-06-25'),
    });
    await expect(verdict).rejects.toEqual(refused(code));
  });

  it.each([
    ['version 5', 'tdx/quote_v5_sample.dat', '2026-02-03', '90c06f000000'],
    ['version 4', 'tdx/tdx_prod_quote_SPR_E4.dat', '2023-07-01', '50806f000000'],
  ])('the quote of %s has sound signatures', async (_, name, iso, fmspc) => {
    const { platform } = await verifyTdxSignatures(vector(name), { nowMs: at(iso) });
    expect(platform.fmspc).toBe(fmspc);
  });

  it('a quote is refused with the collateral of another platform', async () => {
    const quote = vector('tdx/tdx_prod_quote_SPR_E4.dat');
    const verdict = verifyTdxQuote(quote, tdxSampleCollateral(), { nowMs: at('2025-06-25') });
    await expect(verdict).rejects.toEqual(refused('MESH_ERR_ATTEST_COLLATERAL'));
  });

  it('Intel signed the separate documents, and they rate the quotes they are for', async () => {
    const v5 = signedDocument('tdx/sample_tcbinfo_response_v5', 'tcbInfo');
    const { quote, platform } = await verifyTdxSignatures(vector('tdx/quote_v5_sample.dat'), {
      nowMs: at('2026-02-03'),
    });
    const tcbInfo = tcbInfoSchema.parse(v5);
    expect(ratePlatform(quote.td, platform, tcbInfo).status).toBe('UpToDate');
    expect(rateModule(quote.td, tcbInfo).status).toBe('UpToDate');
    const qeIdentity = qeIdentitySchema.parse(
      signedDocument('tdx/sample_qeIdentity_response', 'enclaveIdentity'),
    );
    expect(rateQe(quote.qe, qeIdentity).status).toBe('UpToDate');

    const first = await verifyTdxSignatures(vector('tdx/tdx_prod_quote_SPR_E4.dat'), {
      nowMs: at('2023-07-01'),
    });
    const parts = { td: first.quote.td, qe: first.quote.qe, platform: first.platform };
    const documents = {
      tcbInfo: tcbInfoSchema.parse(signedDocument('tdx/sample_tcbInfo_response', 'tcbInfo')),
      qeIdentity,
    };
    // An engineering platform below every level that Intel supports.
    expect(() => rateTdx(parts, documents)).toThrow(refused('MESH_ERR_ATTEST_TCB'));
  });

  it('the revocation lists are those of their issuers, and have none of the sample keys', async () => {
    const { chain } = await verifyTdxSignatures(vector('tdx/tdx_prod_quote_SPR_E4.dat'), {
      nowMs: at('2023-07-01'),
    });
    const [pck, intermediate, root] = chain;
    const nowMs = at('2023-07-01');
    await checkNotRevoked(pck, intermediate, vector('tdx/pckcrl'), nowMs);
    await checkNotRevoked(intermediate, root, vector('tdx/rootcrl.der'), nowMs);
    await expect(checkNotRevoked(intermediate, root, vector('tdx/pckcrl'), nowMs)).rejects.toEqual(
      refused('MESH_ERR_ATTEST_CHAIN'),
    );
    await expect(
      checkNotRevoked(pck, intermediate, vector('tdx/pckcrl'), at('2023-08-01')),
    ).rejects.toEqual(refused('MESH_ERR_ATTEST_EXPIRED'));
  });

  it('the root is the one that is pinned', () => {
    const [der] = vectorCertificates('tdx/intel_sgx_root_ca.pem');
    expect(INTEL_ROOTS).toContain(fingerprintOf(new X509Certificate(der as Buffer)));
  });

  it('a report that never left its platform is no quote', () => {
    expect(() => parseTdxQuote(vector('tdx/report.dat'))).toThrow(
      refused('MESH_ERR_ATTEST_MALFORMED'),
    );
  });
});

/** The document inside a response, if its exact text is signed. */
function signedDocument(name: string, field: string): unknown {
  const text = vector(name).toString('utf8').trim();
  const { signature } = JSON.parse(text) as { signature: string };
  const document = text.slice(`{"${field}":`.length, text.lastIndexOf(',"signature"'));
  const [pem = ''] = tdxSampleCollateral().signerChain.split(/(?<=-----END CERTIFICATE-----)/);
  const key = { key: new X509Certificate(pem).publicKey, dsaEncoding: 'ieee-p1363' as const };
  const isSigned = verify('sha256', Buffer.from(document), key, Buffer.from(signature, 'hex'));
  if (!isSigned) throw new Error(`${SIGNER} did not sign ${name}.`);
  return JSON.parse(document);
}
