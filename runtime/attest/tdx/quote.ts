/**
 * TDX quotes (Intel, "TDX DCAP Quoting Library API", appendix A.3: versions 4 and 5):
 *
 *     header    48 bytes: version 2, key type 2 (2: ECDSA P-256), TEE type 4 (0x81), reserved 4,
 *               QE vendor 16, user data 20
 *     body      version 4: TD report 1.0, 584 bytes
 *               version 5: type 2 (2: TD report 1.0, 3: TD report 1.5), size 4, report
 *     length    4 bytes, of the rest:
 *     signature 64 over header and body, attestation key 64, certification data (type 6, size 4):
 *               QE report 384, its signature 64, QE authentication data (size 2), certification
 *               data (type 5, size 4): PCK certificate chain in PEM, leaf first
 *
 * Bytes after the declared length are ignored: quote providers return whole buffers.
 */
import { ByteReader } from '../byte-reader.ts';

/** Bytes of a quote with its trailing buffer. */
export const QUOTE_BYTES_MAX = 32 * 1024;

const KEY_TYPE_ECDSA_P256 = 2;
const TEE_TYPE_TDX = 0x81;
const INTEL_QE_VENDOR = '939a7233f79c4ca9940a0db3957f0607';
const CERTIFICATION_QE_REPORT = 6;
const CERTIFICATION_PCK_CHAIN = 5;
const BODY_BYTES: Readonly<Record<number, number>> = { 2: 584, 3: 648 };
const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,8192}?-----END CERTIFICATE-----/g;

/** What the TDX module reports of a trust domain. Hex is lower case, in the order of the bytes. */
export interface TdReport {
  /** Security versions of the module and of what it rests on, component by component. */
  readonly teeTcbSvn: Buffer;
  readonly mrSeam: string;
  readonly mrSignerSeam: string;
  readonly seamAttributes: string;
  readonly tdAttributes: string;
  readonly xfam: string;
  readonly mrTd: string;
  readonly mrConfigId: string;
  readonly rtMrs: readonly [string, string, string, string];
  readonly reportData: Buffer;
}

/** What SGX reports of the enclave that signs quotes. */
export interface QeReport {
  readonly miscSelect: Buffer;
  readonly attributes: Buffer;
  readonly mrSigner: string;
  readonly isvProdId: number;
  readonly isvSvn: number;
  readonly reportData: Buffer;
}

/** A quote's parts; none of it is true before its signatures were checked. */
export interface TdxQuote {
  readonly td: TdReport;
  readonly signed: Buffer;
  /** r ‖ s, 32 bytes each (IEEE P1363). */
  readonly signature: Buffer;
  /** x ‖ y. */
  readonly attestationKey: Buffer;
  readonly qe: QeReport;
  readonly qeSigned: Buffer;
  readonly qeSignature: Buffer;
  readonly qeAuthData: Buffer;
  /** PEM, leaf first. */
  readonly pckChain: readonly string[];
}

/** Reads a quote; MESH_ERR_ATTEST_MALFORMED with the offset of the first fault. */
export function parseTdxQuote(bytes: Uint8Array): TdxQuote {
  const reader: ByteReader = new ByteReader(bytes, 'a TDX quote');
  if (bytes.length > QUOTE_BYTES_MAX) reader.fail(`it has ${bytes.length} bytes`);
  const version = readHeader(reader);
  const td = readTdReport(reader, version);
  const signed = Buffer.from(bytes.buffer, bytes.byteOffset, reader.offset);
  const declared = reader.u32();
  const rest: ByteReader = new ByteReader(reader.take(declared), "a TDX quote's signature");
  const signature = rest.take(64);
  const attestationKey = rest.take(64);
  expectCertification(rest, CERTIFICATION_QE_REPORT);
  const qeSigned = rest.take(384);
  const qeSignature = rest.take(64);
  const qeAuthData = rest.take(rest.u16());
  expectCertification(rest, CERTIFICATION_PCK_CHAIN);
  const pckChain = rest.take(rest.left).toString('latin1').match(PEM) ?? [];
  return {
    td,
    signed,
    signature,
    attestationKey,
    qe: readQeReport(qeSigned),
    qeSigned,
    qeSignature,
    qeAuthData,
    pckChain,
  };
}

function readHeader(reader: ByteReader): number {
  const version = reader.u16();
  if (version !== 4 && version !== 5) reader.fail(`version ${version} is not known`);
  const keyType = reader.u16();
  if (keyType !== KEY_TYPE_ECDSA_P256) reader.fail(`key type ${keyType} is not known`);
  const teeType = reader.u32();
  if (teeType !== TEE_TYPE_TDX) reader.fail(`TEE type ${teeType} is not TDX`);
  reader.take(4); // reserved, or the security versions of QE and PCE, which the PCK certifies
  const vendor = reader.hex(16);
  if (vendor !== INTEL_QE_VENDOR) reader.fail(`the quoting enclave of ${vendor} is not known`);
  reader.take(20); // user data: an id that quote providers use
  return version;
}

function readTdReport(reader: ByteReader, version: number): TdReport {
  const type = version === 4 ? 2 : reader.u16();
  const due = BODY_BYTES[type] ?? reader.fail(`body type ${type} is not known`);
  const size = version === 4 ? due : reader.u32();
  if (size !== due) reader.fail(`body type ${type} has ${size} bytes, ${due} are due`);
  const from = reader.offset;
  const head = {
    teeTcbSvn: reader.take(16),
    mrSeam: reader.hex(48),
    mrSignerSeam: reader.hex(48),
    seamAttributes: reader.hex(8),
    tdAttributes: reader.hex(8),
    xfam: reader.hex(8),
    mrTd: reader.hex(48),
    mrConfigId: reader.hex(48),
  };
  reader.take(96); // MROWNER and MROWNERCONFIG: nothing here appraises them
  const report: TdReport = {
    ...head,
    rtMrs: [reader.hex(48), reader.hex(48), reader.hex(48), reader.hex(48)],
    reportData: reader.take(64),
  };
  reader.take(size - (reader.offset - from)); // version 1.5: a second TCB, the service domain
  return report;
}

/** Intel, "SGX Developer Reference", REPORTBODY. */
function readQeReport(bytes: Buffer): QeReport {
  return {
    miscSelect: bytes.subarray(16, 20),
    attributes: bytes.subarray(48, 64),
    mrSigner: bytes.subarray(128, 160).toString('hex'),
    isvProdId: bytes.readUInt16LE(256),
    isvSvn: bytes.readUInt16LE(258),
    reportData: bytes.subarray(320, 384),
  };
}

function expectCertification(reader: ByteReader, due: number): void {
  const type = reader.u16();
  if (type !== due) reader.fail(`certification data of type ${type}, ${due} is due`);
  const size = reader.u32();
  if (size !== reader.left) reader.fail(`${size} bytes declared, ${reader.left} are left`);
}
