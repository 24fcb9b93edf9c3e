/**
 * The attestation report of SEV-SNP, 1184 bytes (SEV-SNP Firmware ABI 1.55+, table "ATTESTATION_REPORT"):
 *
 *     0x000 version (2, 3 or 5)    0x0C0 host data, 32          0x1A0 chip id, 64
 *     0x004 guest SVN              0x0E0 id key digest, 48      0x1E0 committed TCB
 *     0x008 guest policy           0x110 author key digest, 48  0x1E8 current, committed build
 *     0x010 family, image id       0x140 report id, 32          0x1F0 launch TCB
 *     0x030 VMPL                   0x160 migration report id    0x1F8 mitigations (from version 5)
 *     0x034 signature algorithm    0x180 reported TCB           0x2A0 signature: R, S (72 each,
 *     0x038 current TCB            0x188 family, model,               little-endian), zeros
 *     0x040 platform info                stepping (from version 3)
 *     0x048 flags                  0x050 report data, 64        0x090 measurement, 48
 *
 * The signature covers 0x000 to 0x29F: ECDSA P-384 with SHA-384. Reserved bytes of the signature
 * field are not covered by it, and must be zero, so that one report has one form.
 */
import type { SnpProduct, SnpTcb } from '../../../machines/coordinator/evidence.ts';
import { ByteReader } from '../byte-reader.ts';

/** Bytes of a report, whatever its version. */
export const SNP_REPORT_BYTES = 1184;
/** Bytes that the signature covers. */
export const SNP_SIGNED_BYTES = 0x2a0;

const VERSIONS: ReadonlySet<number> = new Set([2, 3, 4, 5]);
const ECDSA_P384_SHA384 = 1;
const SCALAR_FIELD_BYTES = 72;
const SCALAR_BYTES = 48;

/** Which key signed, from bits 2 to 4 of the flags. */
export type SnpSigningKey = 'vcek' | 'vlek' | 'none';
const SIGNING_KEYS: Readonly<Record<number, SnpSigningKey>> = { 0: 'vcek', 1: 'vlek', 7: 'none' };

/** A report's fields; none of it is true before its signature was checked. */
export interface SnpReport {
  readonly version: number;
  readonly policy: string;
  readonly vmpl: number;
  readonly signingKey: SnpSigningKey;
  readonly isChipIdMasked: boolean;
  readonly reportData: Buffer;
  readonly measurement: string;
  readonly hostData: string;
  readonly chipId: string;
  /** CPUID family and model, which reports have from version 3. */
  readonly cpu: { readonly family: number; readonly model: number } | undefined;
  readonly reportedTcb: Buffer;
  readonly committedTcb: Buffer;
  readonly launchTcb: Buffer;
  readonly signed: Buffer;
  /** R ‖ S, 48 bytes each, big-endian (IEEE P1363). */
  readonly signature: Buffer;
}

/** Reads a report; MESH_ERR_ATTEST_MALFORMED with the offset of the first fault. */
export function parseSnpReport(bytes: Uint8Array): SnpReport {
  const reader: ByteReader = new ByteReader(bytes, 'an SEV-SNP report');
  if (bytes.length !== SNP_REPORT_BYTES)
    reader.fail(`it has ${bytes.length} bytes, ${SNP_REPORT_BYTES} are due`);
  const version = reader.u32();
  if (!VERSIONS.has(version)) reader.fail(`version ${version} is not known`);
  reader.take(4); // guest SVN: the guest owner's own count
  const policy = reader.u64Hex();
  reader.take(32); // family and image id: the guest owner's own labels
  const vmpl = reader.u32();
  const algorithm = reader.u32();
  if (algorithm !== ECDSA_P384_SHA384) reader.fail(`signature algorithm ${algorithm} is not known`);
  reader.take(16); // current TCB and platform info: what the key vouches for is the reported TCB
  const flags = reader.u32();
  const signingKey = SIGNING_KEYS[(flags >>> 2) & 7];
  if (signingKey === undefined) reader.fail(`flags ${flags} name no signing key`);
  reader.zeros(4);
  const reportData = reader.take(64);
  const measurement = reader.hex(48);
  const hostData = reader.hex(32);
  reader.take(160); // digests of id and author keys, report ids: nothing here appraises them
  const reportedTcb = reader.take(8);
  const [family, model] = reader.take(24);
  const chipId = reader.hex(64);
  const committedTcb = reader.take(8);
  reader.take(8);
  const launchTcb = reader.take(8);
  reader.take(SNP_SIGNED_BYTES - reader.offset);
  const signature = Buffer.concat([scalar(reader), scalar(reader)]);
  reader.zeros(reader.left);
  return {
    version,
    policy,
    vmpl,
    signingKey,
    isChipIdMasked: (flags & 2) !== 0,
    reportData,
    measurement,
    hostData,
    chipId,
    cpu: version < 3 ? undefined : { family: family ?? 0, model: model ?? 0 },
    reportedTcb,
    committedTcb,
    launchTcb,
    signed: Buffer.from(bytes.buffer, bytes.byteOffset, SNP_SIGNED_BYTES),
    signature,
  };
}

function scalar(reader: ByteReader): Buffer {
  const little = reader.take(SCALAR_BYTES);
  reader.zeros(SCALAR_FIELD_BYTES - SCALAR_BYTES);
  return Buffer.from(little.toReversed());
}

/**
 * The components of a TCB version. Turin counts its FMC in byte 0 and moves the others up (SEV-SNP
 * Firmware ABI, table "TCB_VERSION").
 */
export function snpTcbOf(bytes: Uint8Array, product: SnpProduct): SnpTcb {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, , , b6 = 0, b7 = 0] = bytes;
  return product === 'Turin'
    ? { fmc: b0, bootloader: b1, tee: b2, snp: b3, microcode: b7 }
    : { fmc: 0, bootloader: b0, tee: b1, snp: b6, microcode: b7 };
}
