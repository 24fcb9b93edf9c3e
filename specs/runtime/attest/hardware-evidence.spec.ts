import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EVIDENCE_TYPES } from '../../../machines/coordinator/evidence.ts';
import type { Evidence } from '../../../machines/coordinator/evidence.ts';
import type { ReferenceValues } from '../../../machines/coordinator/mesh-manifest.schema.ts';
import { createValidatorSource } from '../../../runtime/attest/validator.ts';
import { NOW_MS } from '../../support/attest/der-kit.ts';
import {
  HOST_DATA,
  MEASUREMENT,
  TCB,
  snpEvidence,
  snpReport,
  syntheticAmd,
  tcbBytes,
} from '../../support/attest/synthetic-amd.ts';
import type { ReportOptions } from '../../support/attest/synthetic-amd.ts';
import { hasVectors, tdxSampleCollateral, vector } from '../../support/attest/vectors.ts';

type SnpReference = NonNullable<ReferenceValues['sevSnp']>[number];

const amd = syntheticAmd();
const { signal } = new AbortController();
const reportData = randomBytes(64);
const reference: SnpReference = {
  product: 'Milan',
  measurement: MEASUREMENT.toString('hex'),
  minimumTcb: { bootloader: 4, tee: 0, snp: 20, microcode: 200 },
};
const refused = (code: string) => expect.objectContaining({ code });

const validate = (
  evidence: Evidence,
  references: ReferenceValues,
  bound: Uint8Array = reportData,
) =>
  createValidatorSource({ clock: { now: () => NOW_MS }, amdRoots: amd.roots })
    .validatorFor(references)
    .validate(evidence, bound, signal);
const appraised = (options: ReportOptions, changes: Partial<SnpReference> = {}) =>
  validate(snpEvidence(snpReport(amd, { reportData, ...options }), amd.chain), {
    hardware: 'required',
    sevSnp: [{ ...reference, ...changes }],
  });

describe('createValidatorSource: sev-snp', () => {
  it('gives the host data as the identity, proved by hardware', async () => {
    await expect(appraised({})).resolves.toMatchObject({
      identity: HOST_DATA.toString('hex'),
      isHardware: true,
      attested: { kind: 'sev-snp', claims: { reportedTcb: TCB } },
    });
  });

  it.each<[string, ReportOptions, Partial<SnpReference>, string]>([
    ['may be debugged', { policy: 0xb0000n }, {}, 'MESH_ERR_ATTEST_GUEST_POLICY'],
    ['may be migrated', { policy: 0x70000n }, {}, 'MESH_ERR_ATTEST_GUEST_POLICY'],
    [
      'has a policy without its fixed bit',
      { policy: 0x10000n },
      {},
      'MESH_ERR_ATTEST_GUEST_POLICY',
    ],
    ['has a policy of unknown bits', { policy: 0x2030000n }, {}, 'MESH_ERR_ATTEST_GUEST_POLICY'],
    ['asks from a lower level', { vmpl: 1 }, {}, 'MESH_ERR_ATTEST_GUEST_POLICY'],
    [
      'was launched otherwise',
      { measurement: Buffer.alloc(48) },
      {},
      'MESH_ERR_ATTEST_MEASUREMENT',
    ],
    ['is on another product', {}, { product: 'Genoa' }, 'MESH_ERR_ATTEST_MEASUREMENT'],
    ['is on another chip', {}, { chipIds: ['00'.repeat(64)] }, 'MESH_ERR_ATTEST_MEASUREMENT'],
    ['has old firmware', {}, { minimumTcb: { ...TCB, snp: 23 } }, 'MESH_ERR_ATTEST_TCB'],
    [
      'was launched on old firmware',
      { launchTcb: tcbBytes({ ...TCB, snp: 19 }) },
      {},
      'MESH_ERR_ATTEST_TCB',
    ],
    ['is of another session', { reportData: Buffer.alloc(64) }, {}, 'MESH_ERR_ATTEST_REPORT_DATA'],
  ])('refuses a guest that %s', async (_, options, changes, code) => {
    await expect(appraised(options, changes)).rejects.toEqual(refused(code));
  });

  it('refuses a report where the manifest has no reference value for it', async () => {
    const evidence = snpEvidence(snpReport(amd, { reportData }), amd.chain);
    await expect(validate(evidence, { hardware: 'required' })).rejects.toEqual(
      refused('MESH_ERR_ATTEST_TYPE'),
    );
  });

  it.each(['', 'x', '[]', '{}', '{"report":"AAAA","x5c":[]}', '{"report":1,"x5c":1}'])(
    'refuses evidence that is %j',
    async (text) => {
      const evidence = { type: EVIDENCE_TYPES['sev-snp'], bytes: Buffer.from(text) };
      const references = { hardware: 'required' as const, sevSnp: [reference] };
      await expect(validate(evidence, references)).rejects.toEqual(
        refused('MESH_ERR_ATTEST_MALFORMED'),
      );
    },
  );
});

describe.skipIf(!hasVectors)('createValidatorSource: tdx', () => {
  const quote = hasVectors ? vector('dcap-qvl/tdx_quote') : Buffer.of();
  const bound = quote.subarray(568, 632);
  const td = (offset: number, length: number): string =>
    quote.subarray(48 + offset, 48 + offset + length).toString('hex');
  const tdx = {
    mrTd: td(136, 48),
    rtMrs: [td(328, 48), td(376, 48), td(424, 48), td(472, 48)] as [string, string, string, string],
    xfam: td(128, 8),
    tcbStatuses: ['UpToDate' as const],
  };
  const evidenceOf = (collateral: object): Evidence => ({
    type: EVIDENCE_TYPES.tdx,
    bytes: Buffer.from(JSON.stringify({ quote: quote.toString('base64'), ...collateral })),
  });
  const validateAt = (evidence: Evidence, references: ReferenceValues) =>
    createValidatorSource({ clock: { now: () => Date.parse('2025-06-25') } })
      .validatorFor(references)
      .validate(evidence, bound, signal);
  const references = (changes: Partial<typeof tdx>): ReferenceValues => ({
    hardware: 'required',
    tdx: [{ ...tdx, ...changes }],
  });

  it('gives the configuration id as the identity, proved by hardware', async () => {
    const evidence = evidenceOf({ collateral: tdxSampleCollateral() });
    await expect(validateAt(evidence, references({}))).resolves.toMatchObject({
      identity: '00'.repeat(32),
      isHardware: true,
      attested: { kind: 'tdx', claims: { tcbStatus: 'UpToDate' } },
    });
  });

  it.each([
    ['another launch', { mrTd: '00'.repeat(48) }, 'MESH_ERR_ATTEST_MEASUREMENT'],
    ['other features', { xfam: '00'.repeat(8) }, 'MESH_ERR_ATTEST_MEASUREMENT'],
    ['no status that counts', { tcbStatuses: [] }, 'MESH_ERR_ATTEST_TCB'],
  ])('refuses a quote where the manifest wants %s', async (_, changes, code) => {
    const evidence = evidenceOf({ collateral: tdxSampleCollateral() });
    await expect(validateAt(evidence, references(changes))).rejects.toEqual(refused(code));
  });

  it('refuses a quote that comes without collateral', async () => {
    await expect(validateAt(evidenceOf({}), references({}))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_COLLATERAL'),
    );
  });
});
