import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseSnpReport } from '../../../runtime/attest/sev-snp/report.ts';
import { verifySnpReport } from '../../../runtime/attest/sev-snp/verify-report.ts';
import type { SnpVerification } from '../../../runtime/attest/sev-snp/verify-report.ts';
import { NOW_MS, TO_MS, entity, revocationList } from '../../support/attest/der-kit.ts';
import {
  HOST_DATA,
  MEASUREMENT,
  TCB,
  snpReport,
  syntheticAmd,
  tcbBytes,
} from '../../support/attest/synthetic-amd.ts';
import type { SyntheticAmd } from '../../support/attest/synthetic-amd.ts';

const amd = syntheticAmd();
const verifyWith = async (
  report: Uint8Array,
  maker: SyntheticAmd = amd,
  options: Partial<SnpVerification> = {},
) => verifySnpReport(report, { chain: maker.chain, roots: maker.roots, nowMs: NOW_MS, ...options });
const refused = (code: string) => expect.objectContaining({ code });

describe('verifySnpReport', () => {
  it('reads a sound report', async () => {
    const reportData = randomBytes(64);
    const verified = await verifyWith(snpReport(amd, { reportData }));
    expect(verified).toEqual({
      reportData,
      claims: {
        product: 'Milan',
        policy: '0000000000030000',
        vmpl: 0,
        measurement: MEASUREMENT.toString('hex'),
        hostData: HOST_DATA.toString('hex'),
        chipId: amd.chipId.toString('hex'),
        reportedTcb: TCB,
        launchTcb: TCB,
      },
    });
  });

  it('moves the components of Turin, and fills up its short chip id', async () => {
    const tcb = { ...TCB, fmc: 3 };
    const turin = syntheticAmd({ product: 'Turin', tcb });
    const report = snpReport(turin, {
      version: 5,
      cpu: [0x1a, 0x02],
      tcb: tcbBytes(tcb, 'Turin'),
    });
    const { claims } = await verifyWith(report, turin);
    expect(claims.reportedTcb).toEqual(tcb);
    expect(claims.chipId).toBe(turin.chipId.toString('hex').padEnd(128, '0'));
  });

  it('reads a report that a VLEK signed', async () => {
    const fleet = syntheticAmd({ product: 'Genoa', kind: 'VLEK' });
    const report = snpReport(fleet, { flags: 1 << 2, chipId: Buffer.alloc(64) });
    await expect(verifyWith(report, fleet)).resolves.toMatchObject({
      claims: { product: 'Genoa', chipId: '0'.repeat(128) },
    });
  });

  const other = syntheticAmd();
  it.each([
    ['of another signer', snpReport(amd, { signer: other.chip }), 'MESH_ERR_ATTEST_SIGNATURE'],
    ['of another chip', snpReport(amd, { chipId: other.chipId }), 'MESH_ERR_ATTEST_CHAIN'],
    [
      'with a masked chip id',
      snpReport(amd, { flags: 2, chipId: Buffer.alloc(64) }),
      'MESH_ERR_ATTEST_CHAIN',
    ],
    ['that names another key', snpReport(amd, { flags: 1 << 2 }), 'MESH_ERR_ATTEST_CHAIN'],
    ['that names no key', snpReport(amd, { flags: 7 << 2 }), 'MESH_ERR_ATTEST_CHAIN'],
    ['of an unknown key', snpReport(amd, { flags: 5 << 2 }), 'MESH_ERR_ATTEST_MALFORMED'],
    [
      'of other firmware',
      snpReport(amd, { tcb: tcbBytes({ ...TCB, snp: 23 }) }),
      'MESH_ERR_ATTEST_CHAIN',
    ],
    [
      'of uncommitted firmware',
      snpReport(amd, { committedTcb: Buffer.alloc(8) }),
      'MESH_ERR_ATTEST_TCB',
    ],
    ['of another CPU', snpReport(amd, { version: 3, cpu: [0x19, 0x11] }), 'MESH_ERR_ATTEST_CHAIN'],
    ['of an unknown version', snpReport(amd, { version: 9 }), 'MESH_ERR_ATTEST_MALFORMED'],
    ['that is short', snpReport(amd).subarray(1), 'MESH_ERR_ATTEST_MALFORMED'],
    ['that is long', Buffer.concat([snpReport(amd), Buffer.of(0)]), 'MESH_ERR_ATTEST_MALFORMED'],
  ])('refuses a report %s', async (_, report, code) => {
    await expect(verifyWith(report)).rejects.toEqual(refused(code));
  });

  it.each([
    [
      'to another root',
      { chain: [...amd.chain.slice(0, 2), other.root.certificate] },
      'MESH_ERR_ATTEST_CHAIN',
    ],
    ['to a root that is not pinned', { chain: other.chain }, 'MESH_ERR_ATTEST_CHAIN'],
    ['over a foreign intermediate', { chain: chainOver(other) }, 'MESH_ERR_ATTEST_CHAIN'],
    ['of two certificates', { chain: amd.chain.slice(1) }, 'MESH_ERR_ATTEST_MALFORMED'],
    ['with bytes after one', { chain: withTail(amd.chain) }, 'MESH_ERR_ATTEST_MALFORMED'],
    ['of noise', { chain: amd.chain.map(() => Buffer.from('noise')) }, 'MESH_ERR_ATTEST_MALFORMED'],
    ['after its time', { nowMs: TO_MS + 1 }, 'MESH_ERR_ATTEST_EXPIRED'],
    ['before its time', { nowMs: 0 }, 'MESH_ERR_ATTEST_EXPIRED'],
  ] as const)('refuses a chain %s', async (_, options, code) => {
    await expect(verifyWith(snpReport(amd), amd, options)).rejects.toEqual(refused(code));
  });

  it('refuses a key whose product is not that of its root, or is none', async () => {
    const liar = syntheticAmd({ named: 'Genoa-B1' });
    await expect(verifyWith(snpReport(liar), liar)).rejects.toEqual(
      refused('MESH_ERR_ATTEST_CHAIN'),
    );
    const stranger = syntheticAmd({ named: 'Milano' });
    await expect(verifyWith(snpReport(stranger), stranger)).rejects.toEqual(
      refused('MESH_ERR_ATTEST_MALFORMED'),
    );
  });

  it('heeds the revocation list of the root', async () => {
    const lists = (list: Buffer) => ({ revocationLists: { Milan: list } });
    const verify = async (list: Buffer) => verifyWith(snpReport(amd), amd, lists(list));
    await expect(verify(revocationList(amd.root, []))).resolves.toBeDefined();
    const listed = revocationList(amd.root, [entity('SEV-Other'), amd.intermediate]);
    await expect(verify(listed)).rejects.toEqual(refused('MESH_ERR_ATTEST_REVOKED'));
    await expect(verify(revocationList(amd.root, [], other.root))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_SIGNATURE'),
    );
    await expect(verify(revocationList(other.chip, []))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_CHAIN'),
    );
    await expect(verify(Buffer.from('noise'))).rejects.toEqual(
      refused('MESH_ERR_ATTEST_MALFORMED'),
    );
  });
});

describe('parseSnpReport', () => {
  it('refuses random bytes and every truncation with a code', () => {
    const report = snpReport(amd);
    const inputs = [
      ...Array.from({ length: 500 }, () => randomBytes(1184)),
      ...Array.from({ length: 1184 }, (_, length) => report.subarray(0, length)),
    ];
    for (const bytes of inputs)
      expect(() => parseSnpReport(bytes)).toThrow(refused('MESH_ERR_ATTEST_MALFORMED'));
  });
});

function chainOver(maker: SyntheticAmd): Uint8Array[] {
  const [leaf, , root] = amd.chain;
  return [leaf, maker.intermediate.certificate, root].filter((one) => one !== undefined);
}

function withTail([leaf, ...rest]: readonly Uint8Array[]): Uint8Array[] {
  return [Buffer.concat([leaf ?? Buffer.of(), Buffer.of(0)]), ...rest];
}
