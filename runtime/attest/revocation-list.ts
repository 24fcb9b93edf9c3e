/** Certificate revocation lists (RFC 5280 §5), as AMD and Intel publish them. */
import { constants, verify } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { attestError } from '../../machines/coordinator/attest-errors.ts';
import type { AttestErrorCode } from '../../machines/coordinator/attest-errors.ts';
import { DerReader } from './der.ts';
import type { Der } from './der.ts';

/** Bytes of one list; Intel's largest has some 10 KiB. */
const LIST_BYTES_MAX = 256 * 1024;

/** Signature algorithms of the two vendors, by OID. */
const ALGORITHMS: Readonly<Record<string, { readonly hash: string; readonly pss?: true }>> = {
  '1.2.840.10045.4.3.2': { hash: 'sha256' },
  '1.2.840.10045.4.3.3': { hash: 'sha384' },
  '1.2.840.113549.1.1.10': { hash: 'sha384', pss: true },
};
const PSS_SALT_BYTES = 48;

interface RevocationList {
  readonly signed: Buffer;
  readonly algorithm: string;
  readonly signature: Buffer;
  readonly issuer: Buffer;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Lower-case hex without leading zeros. */
  readonly serials: ReadonlySet<string>;
}

/**
 * Refuses `certificate` if its issuer's list has it. The list must be signed by `issuer` and be in
 * force. MESH_ERR_ATTEST_REVOKED, _SIGNATURE, _EXPIRED, _CHAIN (another issuer's list), _MALFORMED.
 */
export async function checkNotRevoked(
  certificate: X509Certificate,
  issuer: X509Certificate,
  list: Uint8Array,
  nowMs: number,
): Promise<void> {
  const parsed = await parseRevocationList(list, issuer);
  if (!isSignedBy(parsed, issuer))
    throw listError('MESH_ERR_ATTEST_SIGNATURE', 'its signature is not of its issuer');
  if (nowMs < parsed.thisUpdateMs || nowMs > parsed.nextUpdateMs)
    throw listError(
      'MESH_ERR_ATTEST_EXPIRED',
      `it holds from ${isoOf(parsed.thisUpdateMs)} to ${isoOf(parsed.nextUpdateMs)}`,
    );
  if (parsed.serials.has(trimmed(certificate.serialNumber)))
    throw listError('MESH_ERR_ATTEST_REVOKED', `it has certificate ${certificate.serialNumber}`);
}

async function parseRevocationList(
  bytes: Uint8Array,
  issuer: X509Certificate,
): Promise<RevocationList> {
  const der: DerReader = await DerReader.load('a revocation list');
  if (bytes.length > LIST_BYTES_MAX) der.fail(`${bytes.length} bytes, at most ${LIST_BYTES_MAX}`);
  const [tbs, algorithm, signature] = der.children(der.parse(bytes));
  const [version, , issuerName, thisUpdate, nextUpdate, ...rest] = der.children(tbs);
  if (der.integer(version) !== 1) der.fail('it is not of version 2');
  const issuerCertificate = der.children(der.children(der.parse(issuer.raw))[0]);
  const subject = issuerCertificate[5];
  if (issuerName === undefined || subject === undefined || tbs === undefined) der.fail('no issuer');
  const list = {
    signed: der.encode(tbs),
    algorithm: der.oid(der.children(algorithm)[0]),
    signature: bitsOf(der, signature),
    issuer: der.encode(issuerName),
    thisUpdateMs: der.timeMs(thisUpdate),
    nextUpdateMs: der.timeMs(nextUpdate),
    serials: new Set(serialsOf(der, rest)),
  };
  if (!list.issuer.equals(der.encode(subject)))
    throw listError('MESH_ERR_ATTEST_CHAIN', 'it is the list of another issuer');
  return list;
}

/** `revokedCertificates` is a bare SEQUENCE and may be left out; `crlExtensions` is tagged. */
function serialsOf(der: DerReader, rest: readonly Der[]): string[] {
  const revoked = rest.find((node) => !der.isTagged(node));
  if (revoked === undefined) return [];
  return der
    .children(revoked)
    .map((entry) => trimmed(der.bytes(der.children(entry)[0]).toString('hex')));
}

/** node-forge may have read into the bits; their own bytes are what counts. */
function bitsOf(der: DerReader, node: Der | undefined): Buffer {
  const contents: unknown =
    node && 'bitStringContents' in node ? node.bitStringContents : undefined;
  const bits = typeof contents === 'string' ? Buffer.from(contents, 'latin1') : der.bytes(node);
  if (bits[0] !== 0) der.fail('its signature is not whole bytes');
  return bits.subarray(1);
}

function isSignedBy(list: RevocationList, issuer: X509Certificate): boolean {
  const algorithm = ALGORITHMS[list.algorithm];
  if (algorithm === undefined) return false;
  const pss = algorithm.pss && {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: PSS_SALT_BYTES,
  };
  const key = { key: issuer.publicKey, ...pss };
  return verify(algorithm.hash, list.signed, key, list.signature);
}

const isoOf = (timeMs: number): string => new Date(timeMs).toISOString();
const trimmed = (hex: string): string => hex.toLowerCase().replace(/^0+(?=.)/, '');

const listError = (code: AttestErrorCode, found: string): Error =>
  attestError(code, `Checking a revocation list: ${found}.`);
