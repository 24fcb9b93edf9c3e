/** A small AMD: a root, an intermediate, a chip, and reports that the chip signs. */
import { X509Certificate, randomBytes, sign } from 'node:crypto';
import forge from 'node-forge';
import type { SnpProduct, SnpTcb } from '../../../machines/coordinator/evidence.ts';
import { EVIDENCE_TYPES } from '../../../machines/coordinator/evidence.ts';
import type { Evidence } from '../../../machines/coordinator/evidence.ts';
import { fingerprintOf } from '../../../runtime/attest/certificate-chain.ts';
import { entity, extension, integer, octets, primitive } from './der-kit.ts';
import type { Entity } from './der-kit.ts';

const AMD = '1.3.6.1.4.1.3704.1';

export interface SyntheticAmd {
  readonly root: Entity;
  readonly intermediate: Entity;
  readonly chip: Entity;
  readonly chipId: Buffer;
  readonly roots: ReadonlyMap<string, SnpProduct>;
  /** Leaf first. */
  readonly chain: readonly Uint8Array[];
}

export interface ChipOptions {
  readonly product?: SnpProduct;
  readonly tcb?: Partial<SnpTcb>;
  readonly kind?: 'VCEK' | 'VLEK';
  /** The product that the chip's own certificate names. */
  readonly named?: string;
  readonly toMs?: number;
}

export const TCB: SnpTcb = { fmc: 0, bootloader: 4, tee: 1, snp: 22, microcode: 213 };

export function syntheticAmd(options: ChipOptions = {}): SyntheticAmd {
  const { product = 'Milan', kind = 'VCEK' } = options;
  const tcb = { ...TCB, ...options.tcb };
  const chipId = randomBytes(product === 'Turin' ? 8 : 64);
  const root = entity(`ARK-${product}`);
  const intermediate = entity(`SEV-${product}`, { issuer: root });
  const svn = (at: number, value: number) => extension(`${AMD}.3.${at}`, integer(value));
  const chip = entity(`SEV-${kind}`, {
    issuer: intermediate,
    isLeaf: true,
    ...(options.toMs === undefined ? {} : { toMs: options.toMs }),
    extensions: [
      extension(`${AMD}.2`, primitive(forge.asn1.Type.IA5STRING, options.named ?? `${product}-B0`)),
      svn(1, tcb.bootloader),
      svn(2, tcb.tee),
      svn(3, tcb.snp),
      svn(8, tcb.microcode),
      ...(product === 'Turin' ? [svn(9, tcb.fmc)] : []),
      ...(kind === 'VCEK' ? [extension(`${AMD}.4`, octets(chipId))] : []),
    ],
  });
  const fingerprint = fingerprintOf(new X509Certificate(root.certificate));
  return {
    root,
    intermediate,
    chip,
    chipId,
    roots: new Map([[fingerprint, product]]),
    chain: [chip.certificate, intermediate.certificate, root.certificate],
  };
}

export interface ReportOptions {
  readonly version?: number;
  readonly policy?: bigint;
  readonly vmpl?: number;
  readonly flags?: number;
  readonly reportData?: Uint8Array;
  readonly measurement?: Uint8Array;
  readonly hostData?: Uint8Array;
  readonly tcb?: Buffer;
  readonly launchTcb?: Buffer;
  readonly committedTcb?: Buffer;
  readonly chipId?: Buffer;
  readonly cpu?: readonly [family: number, model: number];
  readonly signer?: Entity;
}

/** As the firmware lays them out. */
export const tcbBytes = (tcb: SnpTcb, product: SnpProduct = 'Milan'): Buffer =>
  product === 'Turin'
    ? Buffer.of(tcb.fmc, tcb.bootloader, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode)
    : Buffer.of(tcb.bootloader, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode);

export const MEASUREMENT = Buffer.alloc(48, 0xa5);
export const HOST_DATA = Buffer.alloc(32, 0x5a);

/** A signed report; each field can be said otherwise before it is signed. */
export function snpReport(amd: SyntheticAmd, options: ReportOptions = {}): Buffer {
  const report = Buffer.alloc(1184);
  const tcb = options.tcb ?? tcbBytes(TCB);
  report.writeUInt32LE(options.version ?? 2, 0);
  report.writeBigUInt64LE(options.policy ?? 0x30000n, 8);
  report.writeUInt32LE(options.vmpl ?? 0, 0x30);
  report.writeUInt32LE(1, 0x34);
  report.set(tcb, 0x38);
  report.writeUInt32LE(options.flags ?? 0, 0x48);
  report.set(options.reportData ?? Buffer.alloc(64, 7), 0x50);
  report.set(options.measurement ?? MEASUREMENT, 0x90);
  report.set(options.hostData ?? HOST_DATA, 0xc0);
  report.set(tcb, 0x180);
  report.set(options.cpu ?? [], 0x188);
  report.set(options.chipId ?? amd.chipId, 0x1a0);
  report.set(options.committedTcb ?? tcb, 0x1e0);
  report.set(options.launchTcb ?? tcb, 0x1f0);
  const key = { key: (options.signer ?? amd.chip).key, dsaEncoding: 'ieee-p1363' as const };
  const signature = sign('sha384', report.subarray(0, 0x2a0), key);
  report.set(signature.subarray(0, 48).toReversed(), 0x2a0);
  report.set(signature.subarray(48).toReversed(), 0x2a0 + 72);
  return report;
}

/** As it crosses a wire. */
export function snpEvidence(report: Uint8Array, chain: readonly Uint8Array[]): Evidence {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const json = JSON.stringify({ report: base64(report), x5c: chain.map(base64) });
  return { type: EVIDENCE_TYPES['sev-snp'], bytes: Buffer.from(json) };
}
