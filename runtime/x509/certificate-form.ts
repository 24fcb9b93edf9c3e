/**
 * X.509 certificates of the mesh's closed profile (RFC 5280): node-forge makes the structures, and
 * OpenSSL, through Node, signs them, as forge can sign with RSA only.
 */
import { createHash, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type forge from 'node-forge';
import { forgeLibrary } from './forge.ts';

const asn1 = (): typeof forge.asn1 => forgeLibrary().asn1;

/** Object identifiers: RFC 5280 §4.2, RFC 5758 §3.2. */
export const OIDS = {
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  commonName: '2.5.4.3',
} as const;

/** One extension: its DER value. */
export interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: forge.asn1.Asn1;
}

/** What a certificate says. */
export interface CertificateForm {
  /** Positive, at most 20 octets. */
  readonly serialNumber: Buffer;
  readonly issuer: string;
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Extension[];
}

type Node = forge.asn1.Asn1;
const sequence = (...parts: Node[]): Node =>
  asn1().create(asn1().Class.UNIVERSAL, asn1().Type.SEQUENCE, true, parts);
const primitive = (type: forge.asn1.Type, bytes: string): Node =>
  asn1().create(asn1().Class.UNIVERSAL, type, false, bytes);
const context = (tag: number, isConstructed: boolean, value: string | Node[]): Node =>
  asn1().create(asn1().Class.CONTEXT_SPECIFIC, tag, isConstructed, value);
const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const oid = (id: string): Node => primitive(asn1().Type.OID, asn1().oidToDer(id).getBytes());

const SIGNATURE_ALGORITHM = (): Node => sequence(oid(OIDS.ecdsaWithSha384));

/** RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime after. */
const time = (date: Date): Node =>
  date.getUTCFullYear() < 2050
    ? primitive(asn1().Type.UTCTIME, asn1().dateToUtcTime(date))
    : primitive(asn1().Type.GENERALIZEDTIME, asn1().dateToGeneralizedTime(date));

/** A name with one common name, UTF8String. */
const name = (commonName: string): Node =>
  sequence(
    asn1().create(asn1().Class.UNIVERSAL, asn1().Type.SET, true, [
      sequence(
        oid(OIDS.commonName),
        primitive(asn1().Type.UTF8, forgeLibrary().util.encodeUtf8(commonName)),
      ),
    ]),
  );

/** DER integers are signed: a leading one bit takes a zero octet in front. */
const integer = (bytes: Buffer): Node =>
  primitive(
    asn1().Type.INTEGER,
    binary((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes),
  );

/**
 * Forge would read the bits of a key as DER of their own where they happen to look like it, as those
 * of one key in 270 do, and then they are no bytes any more. Its types do not know the options.
 */
type FromDer = (bytes: string, options: object) => Node;
/** The structure of strict DER, with nothing after it; throws forge's own error for anything else. */
export const readDer = (der: Uint8Array): forge.asn1.Asn1 =>
  (asn1().fromDer as unknown as FromDer)(binary(der), {
    strict: true,
    parseAllBytes: true,
    decodeBitStrings: false,
  });

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** RFC 5280 §4.2.1.2, method 1: SHA-1 of the key's bits. It names a key and protects nothing. */
export function keyIdentifierOf(key: KeyObject): Buffer {
  const spki = readDer(spkiOf(key));
  const [, bits] = spki.value as Node[];
  if (typeof bits?.value !== 'string') throw new TypeError('A key without bits has no identifier.');
  // The first octet counts unused bits, of which keys have none.
  const content = Buffer.from(bits.value, 'latin1').subarray(1);
  return createHash('sha1').update(content).digest();
}

/** `undefined` for a leaf. */
export const basicConstraints = (pathLength: number | undefined): Extension => ({
  id: OIDS.basicConstraints,
  isCritical: true,
  value:
    pathLength === undefined
      ? sequence()
      : sequence(primitive(asn1().Type.BOOLEAN, '\xff'), integer(Buffer.of(pathLength))),
});

/** Bit 0 digitalSignature, 5 keyCertSign, 6 cRLSign (RFC 5280 §4.2.1.3). */
const KEY_USAGE = { leaf: '\x07\x80', authority: '\x01\x06' } as const;

export const keyUsage = (of: keyof typeof KEY_USAGE): Extension => ({
  id: OIDS.keyUsage,
  isCritical: true,
  value: primitive(asn1().Type.BITSTRING, KEY_USAGE[of]),
});

export const extKeyUsage = (): Extension => ({
  id: OIDS.extKeyUsage,
  isCritical: false,
  value: sequence(oid(OIDS.serverAuth), oid(OIDS.clientAuth)),
});

export const subjectKeyIdentifier = (key: KeyObject): Extension => ({
  id: OIDS.subjectKeyIdentifier,
  isCritical: false,
  value: primitive(asn1().Type.OCTETSTRING, binary(keyIdentifierOf(key))),
});

export const authorityKeyIdentifier = (issuer: KeyObject): Extension => ({
  id: OIDS.authorityKeyIdentifier,
  isCritical: false,
  value: sequence(context(0, false, binary(keyIdentifierOf(issuer)))),
});

/** GeneralName tags (RFC 5280 §4.2.1.6). */
export const SAN_TAGS = { dns: 2, uri: 6, ip: 7 } as const;

/** Hosts, addresses, and the one SPIFFE ID (SPIFFE X.509-SVID §2: exactly one URI). */
export const subjectAltName = (san: readonly string[], spiffeId: string): Extension => ({
  id: OIDS.subjectAltName,
  isCritical: false,
  value: sequence(
    ...san.map((one) => {
      const address = addressBytes(one);
      return address === undefined
        ? context(SAN_TAGS.dns, false, one)
        : context(SAN_TAGS.ip, false, binary(address));
    }),
    context(SAN_TAGS.uri, false, spiffeId),
  ),
});

function addressBytes(text: string): Buffer | undefined {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  if (!isIPv6(text)) return undefined;
  // The parser of the platform gives the canonical form, without an embedded IPv4 address.
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return Buffer.from(groupsOf(address).flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(address: string): number[] {
  const parse = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [Number.parseInt(group, 16)];
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
          return [(a << 8) | b, (c << 8) | d];
        });
  const [head = '', tail] = address.split('::');
  const [left, right] = [parse(head), tail === undefined ? [] : parse(tail)];
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

/** Signs a certificate with its issuer's P-384 key. DER. */
export function signCertificate(form: CertificateForm, issuerKey: KeyObject): Uint8Array {
  const body = bodyOf(form);
  const der = Buffer.from(asn1().toDer(body).getBytes(), 'latin1');
  const signature = sign('sha384', der, issuerKey);
  const bits = primitive(asn1().Type.BITSTRING, `\0${binary(signature)}`);
  const whole = sequence(body, SIGNATURE_ALGORITHM(), bits);
  return Uint8Array.from(Buffer.from(asn1().toDer(whole).getBytes(), 'latin1'));
}

/** TBSCertificate, version 3 (RFC 5280 §4.1). */
function bodyOf(form: CertificateForm): Node {
  const extensions = form.extensions.map(({ id, isCritical, value }) =>
    sequence(
      oid(id),
      // DER leaves out a default, and FALSE is one.
      ...(isCritical ? [primitive(asn1().Type.BOOLEAN, '\xff')] : []),
      primitive(asn1().Type.OCTETSTRING, asn1().toDer(value).getBytes()),
    ),
  );
  return sequence(
    context(0, true, [integer(Buffer.of(2))]),
    integer(form.serialNumber),
    SIGNATURE_ALGORITHM(),
    name(form.issuer),
    sequence(time(form.notBefore), time(form.notAfter)),
    name(form.subject),
    readDer(spkiOf(form.publicKey)),
    context(3, true, [sequence(...extensions)]),
  );
}
