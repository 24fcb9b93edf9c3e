import { describe, expect, it } from 'vitest';
import { appraise } from '../../../machines/coordinator/appraisal.ts';
import type { TdxClaims } from '../../../machines/coordinator/evidence.ts';
import type { ReferenceValues } from '../../../machines/coordinator/mesh-manifest.schema.ts';

const hex = (digits: string, bytes: number): string => digits.repeat(bytes);
const register = hex('11', 48);
const claims: TdxClaims = {
  mrTd: hex('22', 48),
  rtMrs: [register, register, register, register],
  mrSeam: hex('33', 48),
  mrConfigId: hex('44', 32) + hex('00', 16),
  xfam: hex('55', 8),
  tdAttributes: '0000001000000000',
  fmspc: '00906ed50000',
  tcbStatus: 'UpToDate',
  advisories: [],
};
const reference = {
  mrTd: claims.mrTd,
  rtMrs: [register, register, register, register] as [string, string, string, string],
  xfam: claims.xfam,
  tcbStatuses: ['UpToDate' as const],
};
type Reference = NonNullable<ReferenceValues['tdx']>[number];

const appraised = (changed: Partial<TdxClaims>, references: readonly Reference[] = [reference]) =>
  appraise(
    { kind: 'tdx', claims: { ...claims, ...changed } },
    { hardware: 'required', tdx: [...references] },
    0,
  );
const refused = (code: string) => expect.objectContaining({ code });

describe('appraise', () => {
  it('gives the digest in MRCONFIGID as the identity of a trust domain', () => {
    expect(appraised({})).toMatchObject({ identity: hex('44', 32), isHardware: true });
  });

  it('takes the statuses of every reference value that matches', () => {
    const lenient: Reference = { ...reference, tcbStatuses: ['SWHardeningNeeded'] };
    const foreign: Reference = { ...reference, mrTd: hex('00', 48), tcbStatuses: ['OutOfDate'] };
    const all = [reference, lenient, foreign];
    expect(appraised({ tcbStatus: 'SWHardeningNeeded' }, all)).toBeDefined();
    expect(() => appraised({ tcbStatus: 'OutOfDate' }, all)).toThrow(
      refused('MESH_ERR_ATTEST_TCB'),
    );
  });

  it.each<[string, Partial<TdxClaims>, string]>([
    ['is under debug', { tdAttributes: '0100001000000000' }, 'MESH_ERR_ATTEST_GUEST_POLICY'],
    ['has a revoked TCB', { tcbStatus: 'Revoked' }, 'MESH_ERR_ATTEST_REVOKED'],
    ['is another one', { mrTd: register }, 'MESH_ERR_ATTEST_MEASUREMENT'],
    [
      'has another runtime register',
      { rtMrs: [register, register, register, hex('00', 48)] },
      'MESH_ERR_ATTEST_MEASUREMENT',
    ],
    [
      'has more than a digest in MRCONFIGID',
      { mrConfigId: hex('44', 48) },
      'MESH_ERR_ATTEST_MEASUREMENT',
    ],
    ['is out of date', { tcbStatus: 'OutOfDate' }, 'MESH_ERR_ATTEST_TCB'],
  ])('refuses a trust domain that %s', (_, changed, code) => {
    expect(() => appraised(changed)).toThrow(refused(code));
  });

  it('refuses another TDX module where the manifest names one', () => {
    expect(appraised({}, [{ ...reference, mrSeam: claims.mrSeam }])).toBeDefined();
    expect(() => appraised({}, [{ ...reference, mrSeam: register }])).toThrow(
      refused('MESH_ERR_ATTEST_MEASUREMENT'),
    );
  });
});
