/**
 * Root → mesh → leaf. The root's key comes from the seed and its certificate says the same on every
 * Coordinator; the mesh key is of one transition, and is certified twice: by the root, for chains,
 * and by itself, for who trusts this transition only.
 */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type {
  Authorities,
  CertificateAuthority,
  IssuedLeaf,
  LeafRequest,
} from '../../actors/coordinator/ports/authority.ts';
import type { SeedEngine } from '../../actors/coordinator/ports/keys.ts';
import type { Secret } from '../../actors/coordinator/secret.ts';
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { isUsableSan } from '../../machines/coordinator/mesh-manifest.schema.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { rootSerialOf } from '../coordinator/seed-engine.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extKeyUsage,
  keyIdentifierOf,
  keyUsage,
  signCertificate,
  subjectAltName,
  subjectKeyIdentifier,
} from './certificate-form.ts';

/** How long a leaf lasts; its holder renews it at half of that. */
export const LEAF_LIFETIME_MS = 24 * 3_600_000;
/** Clocks of the mesh may differ by this. */
export const CLOCK_SKEW_MS = 5 * 60_000;
/** A mesh key is replaced with each manifest; its certificate must not be what ends a quiet mesh. */
export const MESH_LIFETIME_MS = 10 * 365 * 24 * 3_600_000;

/** Before any Coordinator of this program ran, and the same for all. */
const ROOT_NOT_BEFORE = new Date('2025-01-01T00:00:00Z');
/** RFC 5280 §4.1.2.5: there is no well-defined end. */
const ROOT_NOT_AFTER = new Date('9999-12-31T23:59:59Z');
const ROOT_NAME = 'Mycelium Mesh Root CA';
const SERIAL_BYTES = 16;
const COMMON_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9.-]{1,255}(?:\/[A-Za-z0-9._-]{1,255}){1,8}$/;

/** What an authority may be told; milliseconds. */
export interface AuthorityOptions {
  /** How long a leaf lasts. Default 24 hours. */
  readonly leafLifetimeMs?: number;
}

/** Makes authorities that read the time from `clock`. */
export const createAuthorities = (
  clock: Pick<Clock, 'now'>,
  { leafLifetimeMs = LEAF_LIFETIME_MS }: AuthorityOptions = {},
): Authorities => ({
  create: (engine, meshKey) =>
    createAuthority(engine, meshKey, { now: () => clock.now(), leafLifetimeMs }),
});

/** A positive number of 127 bits: never zero, and never a sign bit. */
const randomSerial = (): Buffer => {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
};

const positive = (serial: Buffer): Buffer => {
  const bytes = Buffer.from(serial);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
};

const meshName = (key: KeyObject): string =>
  `Mycelium Mesh CA ${keyIdentifierOf(key).toString('hex').slice(0, 16)}`;

const authorityExtensions = (pathLength: number, key: KeyObject, issuer: KeyObject) => [
  basicConstraints(pathLength),
  keyUsage('authority'),
  subjectKeyIdentifier(key),
  authorityKeyIdentifier(issuer),
];

function createAuthority(
  engine: SeedEngine,
  meshKey: Secret,
  { now, leafLifetimeMs }: { readonly now: () => number; readonly leafLifetimeMs: number },
): CertificateAuthority {
  const rootKey = privateKeyOf(engine.rootKey());
  const signingKey = privateKeyOf(meshKey);
  const publicRoot = createPublicKey(rootKey);
  const publicMesh = createPublicKey(signingKey);
  const issuer = meshName(publicMesh);
  const createdAtMs = now();
  const rootCertificate = signCertificate(
    {
      serialNumber: positive(rootSerialOf(engine)),
      issuer: ROOT_NAME,
      subject: ROOT_NAME,
      notBefore: ROOT_NOT_BEFORE,
      notAfter: ROOT_NOT_AFTER,
      publicKey: publicRoot,
      extensions: authorityExtensions(1, publicRoot, publicRoot),
    },
    rootKey,
  );
  const mesh = {
    subject: issuer,
    notBefore: secondsOf(createdAtMs - CLOCK_SKEW_MS),
    notAfter: secondsOf(createdAtMs + MESH_LIFETIME_MS),
    publicKey: publicMesh,
  };
  const certify = (by: { name: string; key: KeyObject; publicKey: KeyObject }): Uint8Array =>
    signCertificate(
      {
        ...mesh,
        serialNumber: randomSerial(),
        issuer: by.name,
        extensions: authorityExtensions(0, publicMesh, by.publicKey),
      },
      by.key,
    );
  return {
    rootCertificate,
    meshCertificate: certify({ name: issuer, key: signingKey, publicKey: publicMesh }),
    intermediateCertificate: certify({ name: ROOT_NAME, key: rootKey, publicKey: publicRoot }),
    issue: (request) =>
      issueLeaf(request, { issuer, signingKey, publicMesh, leafLifetimeMs }, now()),
  };
}

interface MeshIssuer {
  readonly issuer: string;
  readonly signingKey: KeyObject;
  readonly publicMesh: KeyObject;
  readonly leafLifetimeMs: number;
}

function issueLeaf(request: LeafRequest, by: MeshIssuer, nowMs: number): IssuedLeaf {
  const publicKey = checkRequest(request);
  const serialNumber = randomSerial();
  const notAfter = secondsOf(nowMs + by.leafLifetimeMs);
  const certificate = signCertificate(
    {
      serialNumber,
      issuer: by.issuer,
      subject: request.commonName,
      notBefore: secondsOf(nowMs - CLOCK_SKEW_MS),
      notAfter,
      publicKey,
      extensions: [
        basicConstraints(undefined),
        keyUsage('leaf'),
        extKeyUsage(),
        subjectAltName(request.san, request.spiffeId),
        subjectKeyIdentifier(publicKey),
        authorityKeyIdentifier(by.publicMesh),
      ],
    },
    by.signingKey,
  );
  return {
    certificate,
    serialNumber: serialNumber.toString('hex'),
    notAfterMs: notAfter.getTime(),
  };
}

/** X.509 has whole seconds. */
const secondsOf = (atMs: number): Date => new Date(Math.floor(atMs / 1000) * 1000);

function privateKeyOf(pkcs8: Secret): KeyObject {
  const key = tryPrivateKey(pkcs8);
  if (key?.asymmetricKeyDetails?.namedCurve === 'secp384r1') return key;
  // No cause: OpenSSL's message is of no use, and the bytes are nobody's to see.
  throw coordinatorError(
    'MESH_ERR_COORDINATOR_PEER_REFUSED',
    `Reading a mesh key: its ${pkcs8.length} bytes are no P-384 private key.`,
  );
}

function tryPrivateKey(pkcs8: Secret): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8.reveal()), type: 'pkcs8', format: 'der' });
  } catch {
    // Its caller says that it is no key, without a cause that could quote it.
    return undefined;
  }
}

const LEAF_CURVES = ['prime256v1', 'secp384r1'];

function checkRequest({ publicKey, commonName, san, spiffeId }: LeafRequest): KeyObject {
  const refuse = (found: string, cause?: unknown): Error =>
    coordinatorError(
      'MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED',
      `Issuing a certificate for ${spiffeId.slice(0, 300)}: ${found}.`,
      { cause },
    );
  if (!COMMON_NAME.test(commonName)) throw refuse('its common name is no host name');
  if (!SPIFFE_ID.test(spiffeId)) throw refuse('that is no SPIFFE ID');
  if (san.length === 0) throw refuse('it has no host name and no address');
  if (!san.every(isUsableSan)) throw refuse('one of its names is neither a host nor an address');
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), type: 'spki', format: 'der' });
    const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
    if (key.asymmetricKeyType === 'ed25519' || LEAF_CURVES.includes(curve)) return key;
  } catch (cause) {
    throw refuse('its public key cannot be read', cause);
  }
  throw refuse('its public key is neither P-256, P-384 nor Ed25519');
}
