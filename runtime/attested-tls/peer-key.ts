/** The TLS key of the other end, as SubjectPublicKeyInfo, for a fraction of what parsing it costs. */
import { createPublicKey } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { transportError } from './errors.ts';

/**
 * SubjectPublicKeyInfo up to the key's own bytes (RFC 5480 §2.1, RFC 8410 §4): the kinds of key that
 * leaves are issued for. Comparing these bytes decides the kind, the curve and the point's form.
 */
const KINDS = [
  { start: '3059301306072a8648ce3d020106082a8648ce3d03010703420004', bytes: 91 },
  { start: '3076301006072a8648ce3d020106052b8104002203620004', bytes: 120 },
  { start: '302a300506032b6570032100', bytes: 44 },
].map(({ start, bytes }) => ({ start: Buffer.from(start, 'hex'), bytes }));

/** Fields of TBSCertificate before the key: version, serial, algorithm, issuer, validity, subject. */
const FIELDS_BEFORE_KEY = 6;

const certificates = new WeakMap<TLSSocket, Buffer>();

/**
 * The certificate that the other end showed, DER; `undefined` without one. Ask here and not the
 * socket: after one getPeerX509Certificate() its getters return nothing.
 */
export function peerCertificateOf(socket: TLSSocket): Buffer | undefined {
  const known = certificates.get(socket);
  if (known !== undefined) return known;
  const raw = socket.getPeerX509Certificate()?.raw;
  if (raw !== undefined) certificates.set(socket, raw);
  return raw;
}

/**
 * SubjectPublicKeyInfo of the key that the other end has proved to hold, DER.
 * MESH_ERR_TRANSPORT_CERTIFICATE without a certificate, or with a key of another kind.
 */
export function peerPublicKeyOf(socket: TLSSocket): Buffer {
  const certificate = peerCertificateOf(socket);
  if (certificate === undefined) throw certificateError('showed no certificate');
  const key = publicKeyIn(certificate);
  const isKnown = KINDS.some(
    ({ start, bytes }) => key.length === bytes && key.subarray(0, start.length).equals(start),
  );
  if (isKnown) return key;
  throw certificateError('showed a key that is neither of P-256, P-384 nor Ed25519');
}

/** Bits of an RSA key: below is weak, above is slow enough to harm. */
const RSA_BITS = { least: 2048, most: 8192 };

/**
 * The proved key of a client that attests nothing, which may be an RSA key of 2048 to 8192 bits too:
 * those of seed share owners are. `undefined` without a certificate; MESH_ERR_TRANSPORT_CERTIFICATE.
 */
export function clientPublicKeyOf(socket: TLSSocket): Buffer | undefined {
  const certificate = peerCertificateOf(socket);
  if (certificate === undefined) return undefined;
  const key = publicKeyIn(certificate);
  return isRsaKey(key) ? key : peerPublicKeyOf(socket);
}

/** SEQUENCE { SEQUENCE { OID rsaEncryption (RFC 8017 §A.1) … */
const RSA_OID = Buffer.from('06092a864886f70d010101', 'hex');

function isRsaKey(spki: Buffer): boolean {
  if (!spki.subarray(0, 32).includes(RSA_OID)) return false;
  const key = createPublicKey({ key: spki, type: 'spki', format: 'der' });
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  // One form for one key: a manifest names it by its bytes.
  return (
    bits >= RSA_BITS.least &&
    bits <= RSA_BITS.most &&
    key.export({ type: 'spki', format: 'der' }).equals(spki)
  );
}

/** OpenSSL has read the certificate, so it is DER; only the way to the key is left to go. */
function publicKeyIn(certificate: Buffer): Buffer {
  const body = contentAt(certificate, contentAt(certificate, 0).from);
  let { from } = body;
  for (let field = 0; field < FIELDS_BEFORE_KEY; field++) from = contentAt(certificate, from).to;
  return certificate.subarray(from, contentAt(certificate, from).to);
}

/** Where the content of the element at an offset begins and ends (X.690 §8.1.3). */
function contentAt(der: Buffer, at: number): { readonly from: number; readonly to: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { from: at + 2, to: at + 2 + first };
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4 || at + 2 + octets > der.length)
    throw certificateError('showed a certificate of no known form');
  const from = at + 2 + octets;
  return { from, to: from + der.readUIntBE(at + 2, octets) };
}

const certificateError = (found: string): Error =>
  transportError(
    'MESH_ERR_TRANSPORT_CERTIFICATE',
    `Attesting a connection: the other end ${found}.`,
  );
