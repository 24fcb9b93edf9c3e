/** No report that differs from a signed one in a byte is believed, whichever byte it is. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../machines/coordinator/evidence.ts';
import { EVIDENCE_TYPES } from '../../machines/coordinator/evidence.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { verifySnpReport } from '../../runtime/attest/sev-snp/verify-report.ts';
import { verifyTdxSignatures } from '../../runtime/attest/tdx/verify-quote.ts';
import { createValidator } from '../../runtime/attest/validator.ts';
import { NOW_MS } from '../support/attest/der-kit.ts';
import { snpEvidence, snpReport, syntheticAmd } from '../support/attest/synthetic-amd.ts';
import { hasVectors, snpSample, tdxSampleCollateral, vector } from '../support/attest/vectors.ts';

/** Offsets whose change was not refused with a code of this domain. */
async function believed(
  bytes: Buffer,
  verify: (changed: Buffer) => Promise<unknown>,
  to = bytes.length,
): Promise<number[]> {
  const offsets: number[] = [];
  for (let at = 0; at < to; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    const code = await verify(changed).then(() => 'accepted', codeOf);
    if (code?.startsWith('MESH_ERR_ATTEST_') !== true) offsets.push(at);
  }
  return offsets;
}

describe('SEV-SNP reports', () => {
  it('are refused with any byte flipped (synthetic)', async () => {
    const { chain, roots, ...amd } = syntheticAmd();
    const report = snpReport({ chain, roots, ...amd });
    const options = { chain, roots, nowMs: NOW_MS };
    await verifySnpReport(report, options);
    expect(await believed(report, (changed) => verifySnpReport(changed, options))).toEqual([]);
  });

  it.skipIf(!hasVectors)('are refused with any byte flipped (hardware)', async () => {
    const { report, chain } = snpSample(
      'virtee_report_milan.hex',
      'virtee_vcek_milan.der',
      'virtee_cert_chain_milan.pem',
    );
    const options = { chain, nowMs: Date.parse('2024-01-01') };
    expect(await believed(report, (changed) => verifySnpReport(changed, options))).toEqual([]);
  });
});

describe.skipIf(!hasVectors)('TDX quotes', () => {
  it('are refused with any byte of header, body or signatures flipped', async () => {
    const quote = vector('dcap-qvl/tdx_quote');
    const options = { nowMs: Date.parse('2025-06-25') };
    // Up to the PEM, in which line ends could differ without a change of meaning.
    const to = quote.indexOf('-----BEGIN');
    const flipped = await believed(quote, (one) => verifyTdxSignatures(one, options), to);
    // Reserved header bytes and the id of the provider are signed as well: nothing is left over.
    expect(flipped).toEqual([]);
  });
});

describe('createValidator', () => {
  const amd = syntheticAmd();
  const hex = (bytes: number): string => 'a5'.repeat(bytes);
  const references = {
    hardware: 'optional' as const,
    process: { nodeKeys: [hex(32)] },
    sevSnp: [
      {
        product: 'Milan' as const,
        measurement: hex(48),
        minimumTcb: { bootloader: 0, tee: 0, snp: 0, microcode: 0 },
      },
    ],
    tdx: [
      {
        mrTd: hex(48),
        rtMrs: [hex(48), hex(48), hex(48), hex(48)] as [string, string, string, string],
        xfam: hex(8),
        tcbStatuses: ['UpToDate' as const],
      },
    ],
  };
  const validator = createValidator(references, {
    clock: { now: () => NOW_MS },
    amdRoots: amd.roots,
    ...(hasVectors && { tdxCollateral: tdxSampleCollateral() }),
  });

  it('answers any bytes of any type with a code', async () => {
    const sound = snpEvidence(snpReport(amd), amd.chain);
    const quote = hasVectors ? vector('dcap-qvl/tdx_quote').toString('base64') : 'AAAA';
    const seeds: Evidence[] = [
      sound,
      { type: EVIDENCE_TYPES.tdx, bytes: Buffer.from(JSON.stringify({ quote })) },
      { type: EVIDENCE_TYPES.process, bytes: Buffer.from('{"payload":"","signatures":[]}') },
      { type: EVIDENCE_TYPES.tdx, bytes: randomBytes(6000) },
    ];
    const codes = new Set<string | undefined>();
    for (let round = 0; round < 1500; round++) {
      const { type, bytes } = seeds[round % seeds.length] as Evidence;
      const changed = Buffer.from(bytes.subarray(0, 1 + Math.floor(Math.random() * bytes.length)));
      for (let flips = round % 5; flips > 0; flips--)
        changed[Math.floor(Math.random() * changed.length)] = Math.floor(Math.random() * 256);
      const verdict = validator.validate(
        { type, bytes: changed },
        randomBytes(64),
        AbortSignal.timeout(10_000),
      );
      codes.add(await verdict.then(() => 'accepted', codeOf));
    }
    expect([...codes].filter((code) => code?.startsWith('MESH_ERR_ATTEST_') !== true)).toEqual([]);
  });
});
