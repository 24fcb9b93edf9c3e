/** DER for synthetic vendors: certificates by the mesh's own writer, lists and values by hand. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { basicConstraints, signCertificate } from '../../../runtime/x509/certificate-form.ts';
import type { Extension } from '../../../runtime/x509/certificate-form.ts';

const { asn1 } = forge;
const { Class, Type } = asn1;

export type Node = forge.asn1.Asn1;

export const sequence = (...parts: Node[]): Node =>
  asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
export const primitive = (type: forge.asn1.Type, bytes: string): Node =>
  asn1.create(Class.UNIVERSAL, type, false, bytes);
export const oid = (id: string): Node => primitive(Type.OID, asn1.oidToDer(id).getBytes());
export const integer = (value: number): Node =>
  primitive(Type.INTEGER, asn1.integerToDer(value).getBytes());
export const octets = (bytes: Uint8Array): Node =>
  primitive(Type.OCTETSTRING, Buffer.from(bytes).toString('latin1'));
export const extension = (id: string, value: Node): Extension => ({
  id,
  isCritical: false,
  value,
});

/** Validity of everything synthetic. */
export const FROM_MS = Date.parse('2026-01-01T00:00:00Z');
export const TO_MS = Date.parse('2027-01-01T00:00:00Z');
/** A time when all of it is valid. */
export const NOW_MS = Date.parse('2026-06-01T00:00:00Z');

export interface Entity {
  readonly name: string;
  readonly key: KeyObject;
  readonly publicKey: KeyObject;
  readonly certificate: Uint8Array;
  readonly serial: Buffer;
}

export interface EntityOptions {
  readonly issuer?: Entity;
  readonly curve?: 'P-256' | 'P-384';
  readonly extensions?: readonly Extension[];
  readonly isLeaf?: boolean;
  readonly toMs?: number;
}

/** A key and its certificate; self-signed without an issuer. */
export function entity(name: string, options: EntityOptions = {}): Entity {
  const curve = options.curve ?? 'P-384';
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const serial = Buffer.concat([Buffer.of(0x40), randomBytes(15)]);
  const certificate = signCertificate(
    {
      serialNumber: serial,
      issuer: options.issuer?.name ?? name,
      subject: name,
      notBefore: new Date(FROM_MS),
      notAfter: new Date(options.toMs ?? TO_MS),
      publicKey,
      extensions: [...(options.isLeaf ? [] : [basicConstraints(1)]), ...(options.extensions ?? [])],
    },
    options.issuer?.key ?? privateKey,
  );
  return { name, key: privateKey, publicKey, certificate, serial };
}

const time = (timeMs: number): Node =>
  primitive(Type.UTCTIME, asn1.dateToUtcTime(new Date(timeMs)));

/** A revocation list of version 2, signed with ECDSA and SHA-384. */
export function revocationList(
  issuer: Entity,
  revoked: readonly Entity[],
  signer: Entity = issuer,
): Buffer {
  const [tbsCertificate] = asn1.fromDer(Buffer.from(issuer.certificate).toString('latin1'))
    .value as Node[];
  const subject = tbsCertificate && (tbsCertificate.value as Node[])[5];
  if (subject === undefined) throw new Error('A certificate has a subject.');
  const algorithm = sequence(oid('1.2.840.10045.4.3.3'));
  const entries = revoked.map(({ serial }) =>
    sequence(primitive(Type.INTEGER, serial.toString('latin1')), time(FROM_MS)),
  );
  const body = sequence(
    integer(1),
    algorithm,
    subject,
    time(FROM_MS),
    time(TO_MS),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
  );
  const der = Buffer.from(asn1.toDer(body).getBytes(), 'latin1');
  const signature = sign('sha384', der, signer.key).toString('latin1');
  const whole = sequence(body, algorithm, primitive(Type.BITSTRING, `\0${signature}`));
  return Buffer.from(asn1.toDer(whole).getBytes(), 'latin1');
}
