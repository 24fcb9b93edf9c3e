/**
 * Reads certificates of the closed profile, and refuses all others: forge takes the structure apart,
 * OpenSSL, through Node, checks signatures. What is not exactly what `certificate-authority.ts`
 * writes is no certificate of a mesh, whatever else RFC 5280 allows.
 */
import { X509Certificate } from 'node:crypto';
import type forge from 'node-forge';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import {
  OIDS,
  SAN_TAGS,
  basicConstraints,
  extKeyUsage,
  keyIdentifierOf,
  keyUsage,
  readDer,
} from './certificate-form.ts';
import { forgeLibrary } from './forge.ts';
import type { Extension } from './certificate-form.ts';

type Node = forge.asn1.Asn1;

/** Which of the certificates of a mesh. */
export type CertificateKind = 'root' | 'mesh' | 'leaf';

/** What a leaf says, once it is verified. */
export interface VerifiedLeaf {
  readonly spiffeId: string;
  /** DNS names. */
  readonly hosts: readonly string[];
  readonly serialNumber: string;
  readonly notAfterMs: number;
}

/** Bytes of a certificate: the largest leaf of a manifest has about 10 KiB. */
export const CERTIFICATE_BYTES_MAX = 16 * 1024;

const SPIFFE_ID = /^spiffe:\/\/[a-z0-9.-]{1,255}(?:\/[A-Za-z0-9._-]{1,255}){1,8}$/;

interface ExtensionRow {
  readonly id: string;
  readonly isCritical: boolean;
  /** The value, where the profile leaves no choice. */
  readonly value?: Extension['value'];
}

const authorityRows = (pathLength: number): readonly ExtensionRow[] => [
  basicConstraints(pathLength),
  keyUsage('authority'),
  { id: OIDS.subjectKeyIdentifier, isCritical: false },
  { id: OIDS.authorityKeyIdentifier, isCritical: false },
];
const ROWS_OF: Readonly<Record<CertificateKind, () => readonly ExtensionRow[]>> = {
  root: () => authorityRows(1),
  mesh: () => authorityRows(0),
  leaf: () => [
    basicConstraints(undefined),
    keyUsage('leaf'),
    extKeyUsage(),
    { id: OIDS.subjectAltName, isCritical: false },
    { id: OIDS.subjectKeyIdentifier, isCritical: false },
    { id: OIDS.authorityKeyIdentifier, isCritical: false },
  ],
};
const rows = new Map<CertificateKind, readonly ExtensionRow[]>();
function rowsOf(kind: CertificateKind): readonly ExtensionRow[] {
  const made = rows.get(kind) ?? ROWS_OF[kind]();
  rows.set(kind, made);
  return made;
}

/** A certificate of that kind; MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED for anything else. */
export function readCertificate(der: Uint8Array, kind: CertificateKind): X509Certificate {
  try {
    if (der.length > CERTIFICATE_BYTES_MAX) throw new RangeError(`it has ${der.length} bytes`);
    const certificate = new X509Certificate(der);
    checkBody(partsOf(readDer(der), 3), certificate, kind);
    return certificate;
  } catch (cause) {
    throw coordinatorError(
      'MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED',
      `Reading a ${kind} certificate of ${der.length} bytes: it is not of the profile.`,
      { cause },
    );
  }
}

/**
 * Verifies a leaf up to `anchor`, at that time: directly, where the anchor is the mesh certificate, or
 * by the intermediate, where it is the root. MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED.
 */
export function verifyLeaf(
  chain: readonly Uint8Array[],
  anchor: { readonly certificate: Uint8Array; readonly kind: 'root' | 'mesh' },
  nowMs: number,
): VerifiedLeaf {
  const [leafDer, intermediateDer, ...rest] = chain;
  if (leafDer === undefined || rest.length > 0) throw refused('its chain has the wrong length');
  const leaf = readCertificate(leafDer, 'leaf');
  const path = [leaf];
  if (anchor.kind === 'root') {
    if (intermediateDer === undefined) throw refused('the intermediate is missing');
    path.push(readCertificate(intermediateDer, 'mesh'));
  }
  path.push(readCertificate(anchor.certificate, anchor.kind));
  for (const [at, certificate] of path.entries()) {
    const issuer = path[at + 1] ?? certificate;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw refused(`${certificate.subject} is not issued by ${issuer.subject}`);
    if (nowMs < certificate.validFromDate.getTime() || nowMs > certificate.validToDate.getTime())
      throw refused(`${certificate.subject} is not valid at ${new Date(nowMs).toISOString()}`);
  }
  const names = namesIn(leafDer);
  return {
    spiffeId: names.uris[0] ?? '',
    hosts: names.hosts,
    serialNumber: leaf.serialNumber.toLowerCase(),
    notAfterMs: leaf.validToDate.getTime(),
  };
}

const refused = (found: string): Error =>
  coordinatorError('MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED', `Verifying a leaf: ${found}.`);

function partsOf(node: Node | undefined, count?: number): readonly Node[] {
  const value = node?.value;
  if (!Array.isArray(value)) throw new TypeError('a structure is not constructed');
  if (count !== undefined && value.length !== count)
    throw new TypeError(`a structure has ${value.length} parts, ${count} are due`);
  return value;
}

function textOf(node: Node | undefined): string {
  if (typeof node?.value !== 'string') throw new TypeError('a value is not primitive');
  return node.value;
}

const derOf = (node: Node): string => forgeLibrary().asn1.toDer(node).getBytes();
const oidOf = (node: Node | undefined): string =>
  forgeLibrary().asn1.derToOid(forgeLibrary().util.createBuffer(textOf(node)));

/** Version, serial number, algorithm, names, validity, key and extensions, and nothing else. */
function checkBody(
  [body, algorithm]: readonly Node[],
  certificate: X509Certificate,
  kind: CertificateKind,
): void {
  const parts = partsOf(body, 8);
  if (textOf(partsOf(parts[0], 1)[0]) !== '\x02') throw new TypeError('it is not version 3');
  for (const one of [algorithm, parts[2]])
    if (oidOf(partsOf(one, 1)[0]) !== OIDS.ecdsaWithSha384)
      throw new TypeError('its signature is not ECDSA with SHA-384');
  const due = rowsOf(kind);
  const extensions = partsOf(partsOf(parts[7], 1)[0], due.length);
  for (const [at, row] of due.entries()) checkExtension(extensions[at], row, certificate);
}

function checkExtension(
  extension: Node | undefined,
  row: ExtensionRow,
  certificate: X509Certificate,
): void {
  const parts = partsOf(extension, row.isCritical ? 3 : 2);
  if (oidOf(parts[0]) !== row.id) throw new TypeError(`${oidOf(parts[0])} stands for ${row.id}`);
  if (row.isCritical && textOf(parts[1]) !== '\xff') throw new TypeError('it is not critical');
  const value = textOf(parts.at(-1));
  if (row.value !== undefined && value !== derOf(row.value))
    throw new TypeError(`${row.id} has another value`);
  if (row.id === OIDS.subjectKeyIdentifier) {
    const own = keyIdentifierOf(certificate.publicKey).toString('latin1');
    if (value !== `\x04\x14${own}`) throw new TypeError("its identifier is not its key's");
  }
  if (row.id === OIDS.authorityKeyIdentifier && !isKeyIdentifier(value))
    throw new TypeError("the issuer's identifier has another form");
  if (row.id === OIDS.subjectAltName) checkNames(namesOf(value));
}

/** SEQUENCE of a [0] of 20 octets (RFC 5280 §4.2.1.1). */
const isKeyIdentifier = (value: string): boolean =>
  value.startsWith('0\x16\x80\x14') && value.length === 24;

interface Names {
  readonly hosts: readonly string[];
  readonly uris: readonly string[];
  readonly count: number;
}

function namesOf(value: string): Names {
  const names = partsOf(readDer(Buffer.from(value, 'latin1')));
  const withTag = (tag: forge.asn1.Type): string[] =>
    names.filter(({ type }) => type === tag).map((one) => textOf(one));
  const [hosts, uris] = [withTag(SAN_TAGS.dns), withTag(SAN_TAGS.uri)];
  if (hosts.length + uris.length + withTag(SAN_TAGS.ip).length !== names.length)
    throw new TypeError('it has a name of another form');
  return { hosts, uris, count: names.length };
}

function checkNames({ uris, count }: Names): void {
  const [uri = '', ...more] = uris;
  if (more.length > 0 || !SPIFFE_ID.test(uri)) throw new TypeError('it has not one SPIFFE ID');
  if (count < 2) throw new TypeError('it has no host name and no address');
}

function namesIn(leaf: Uint8Array): Names {
  const extensions = partsOf(partsOf(partsOf(partsOf(readDer(leaf))[0])[7])[0]);
  return namesOf(textOf(partsOf(extensions[3]).at(-1)));
}
