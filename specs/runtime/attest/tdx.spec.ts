import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TdxTcbStatus } from '../../../machines/coordinator/evidence.ts';
import { parseTdxQuote } from '../../../runtime/attest/tdx/quote.ts';
import { verifyTdxQuote } from '../../../runtime/attest/tdx/verify-quote.ts';
import { NOW_MS, TO_MS } from '../../support/attest/der-kit.ts';
import { published, syntheticIntel, tdxQuote } from '../../support/attest/synthetic-intel.ts';
import type { PublishedOptions, QuoteOptions } from '../../support/attest/synthetic-intel.ts';

const intel = syntheticIntel();
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const refused = (code: string) => expect.objectContaining({ code });
const verify = (quote: QuoteOptions = {}, collateral: PublishedOptions = {}, nowMs = NOW_MS) =>
  verifyTdxQuote(tdxQuote(intel, quote), published(intel, collateral), {
    nowMs,
    roots: intel.roots,
  });

describe('verifyTdxQuote', () => {
  it('reads a sound quote of a platform that is up to date', async () => {
    const reportData = randomBytes(64);
    const verified = await verify({ reportData });
    expect(verified.reportData).toEqual(reportData);
    expect(verified.claims).toMatchObject({
      tcbStatus: 'UpToDate',
      advisories: [],
      fmspc: '00906ed50000',
      tdAttributes: '0000001000000000',
    });
  });

  it.each<[string, PublishedOptions, TdxTcbStatus]>([
    ['the platform', { platformStatus: 'SWHardeningNeeded' }, 'SWHardeningNeeded'],
    ['the platform, and it is revoked', { platformStatus: 'Revoked' }, 'Revoked'],
    ['the enclave', { qeStatus: 'OutOfDate' }, 'OutOfDate'],
    ['the enclave, and it is revoked', { qeStatus: 'Revoked' }, 'Revoked'],
    ['the module', { moduleStatus: 'OutOfDate' }, 'OutOfDate'],
    [
      'the module and the platform',
      { moduleStatus: 'OutOfDate', platformStatus: 'ConfigurationNeeded' },
      'OutOfDateConfigurationNeeded',
    ],
    [
      'the enclave of a platform that is out of date',
      { qeStatus: 'OutOfDate', platformStatus: 'OutOfDate' },
      'OutOfDate',
    ],
  ])('takes the worst of the ratings: %s', async (_, collateral, status) => {
    const { claims } = await verify({}, collateral);
    expect(claims).toMatchObject({ tcbStatus: status, advisories: ['INTEL-SA-00001'] });
  });

  it('compares the components of a module that has no identity', async () => {
    const { claims } = await verify({ moduleVersion: 0 }, { componentSvn: 0 });
    expect(claims.tcbStatus).toBe('UpToDate');
    await expect(verify({ moduleVersion: 0 })).rejects.toEqual(refused('MESH_ERR_ATTEST_TCB'));
  });

  const other = syntheticIntel();
  it.each<[string, QuoteOptions, PublishedOptions, string]>([
    ['whose enclave the PCK did not sign', { pckKey: stranger }, {}, 'MESH_ERR_ATTEST_SIGNATURE'],
    ['that another key signed', { quoteKey: stranger }, {}, 'MESH_ERR_ATTEST_SIGNATURE'],
    ['whose key is not bound', { bound: randomBytes(32) }, {}, 'MESH_ERR_ATTEST_SIGNATURE'],
    ['of an enclave of others', { mrSigner: 'ab'.repeat(32) }, {}, 'MESH_ERR_ATTEST_CHAIN'],
    ['of an unknown module', { moduleVersion: 9 }, {}, 'MESH_ERR_ATTEST_TCB'],
    ['below every level', {}, { componentSvn: 6 }, 'MESH_ERR_ATTEST_TCB'],
    ['of another platform', {}, { fmspc: '0'.repeat(12) }, 'MESH_ERR_ATTEST_COLLATERAL'],
    ['with a revoked PCK', {}, { revokedPcks: [intel.pck] }, 'MESH_ERR_ATTEST_REVOKED'],
    ['under a revoked CA', {}, { revokedByRoot: [intel.intermediate] }, 'MESH_ERR_ATTEST_REVOKED'],
    ['with a revoked signer', {}, { revokedByRoot: [intel.signer] }, 'MESH_ERR_ATTEST_REVOKED'],
    ['with foreign documents', {}, { documentSigner: other.signer }, 'MESH_ERR_ATTEST_SIGNATURE'],
  ])('refuses a quote %s', async (_, quote, collateral, code) => {
    await expect(verify(quote, collateral)).rejects.toEqual(refused(code));
  });

  it('refuses a foreign root, a foreign signer, and everything after its time', async () => {
    const roots = { nowMs: NOW_MS, roots: other.roots };
    await expect(verifyTdxQuote(tdxQuote(intel), published(intel), roots)).rejects.toEqual(
      refused('MESH_ERR_ATTEST_CHAIN'),
    );
    const own = { nowMs: NOW_MS, roots: intel.roots };
    await expect(verifyTdxQuote(tdxQuote(intel), published(other), own)).rejects.toEqual(
      refused('MESH_ERR_ATTEST_CHAIN'),
    );
    await expect(verify({}, {}, TO_MS + 1)).rejects.toEqual(refused('MESH_ERR_ATTEST_EXPIRED'));
    const noDocuments = { ...published(intel), signerChain: '' };
    await expect(verifyTdxQuote(tdxQuote(intel), noDocuments, own)).rejects.toEqual(
      refused('MESH_ERR_ATTEST_CHAIN'),
    );
  });
});

describe('parseTdxQuote', () => {
  it('ignores what follows the declared length, and nothing else', () => {
    const quote = tdxQuote(intel);
    expect(parseTdxQuote(Buffer.concat([quote, Buffer.alloc(70, 1)]))).toEqual(
      parseTdxQuote(quote),
    );
  });

  it('refuses random bytes and every truncation with a code', () => {
    const quote = tdxQuote(intel);
    const inputs = [
      ...Array.from({ length: 300 }, () => randomBytes(5000)),
      ...Array.from({ length: quote.length }, (_, length) => quote.subarray(0, length)),
      Buffer.alloc(64 * 1024),
    ];
    for (const bytes of inputs)
      expect(() => parseTdxQuote(bytes)).toThrow(refused('MESH_ERR_ATTEST_MALFORMED'));
  });
});
