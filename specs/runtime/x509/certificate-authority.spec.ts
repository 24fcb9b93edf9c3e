import { X509Certificate, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../actors/coordinator/secret.ts';
import type {
  CertificateAuthority,
  LeafRequest,
} from '../../../actors/coordinator/ports/authority.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import {
  CLOCK_SKEW_MS,
  LEAF_LIFETIME_MS,
  createAuthorities,
} from '../../../runtime/x509/certificate-authority.ts';
import { keyIdentifierOf } from '../../../runtime/x509/certificate-form.ts';
import { scratch } from '../../support/scratch.ts';

const authorities = createAuthorities(systemClock);
const spki = (key: KeyObject): Uint8Array => key.export({ type: 'spki', format: 'der' });
const ofCurve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const pemOf = (der: Uint8Array): string => new X509Certificate(der).toString();

const request = (overrides: Partial<LeafRequest> = {}): LeafRequest => ({
  publicKey: spki(ofCurve('P-256').publicKey),
  commonName: 'hello',
  san: ['localhost', 'hello.mesh.local', '127.0.0.1', '::1', '2001:db8::ff:1', '::ffff:1.2.3.4'],
  spiffeId: 'spiffe://mesh.local/workload/hello',
  ...overrides,
});

const createAuthority = (engine = nodeKeyring.createSeed()): CertificateAuthority =>
  authorities.create(engine, nodeKeyring.createMeshKey());

/** What OpenSSL's own verify says, with the strictest reading of RFC 5280 that it has. */
async function opensslVerify(
  leaf: Uint8Array,
  { anchor, untrusted, at }: { anchor: Uint8Array; untrusted?: Uint8Array; at?: number },
  purpose: 'sslserver' | 'sslclient' = 'sslserver',
): Promise<string> {
  using folder = scratch();
  const write = (name: string, der: Uint8Array): string => {
    writeFileSync(folder.file(name), pemOf(der));
    return folder.file(name);
  };
  const args = ['verify', '-x509_strict', '-purpose', purpose, '-partial_chain'];
  if (at !== undefined) args.push('-attime', String(Math.floor(at / 1000)));
  args.push('-CAfile', write('anchor.pem', anchor));
  if (untrusted) args.push('-untrusted', write('untrusted.pem', untrusted));
  args.push(write('leaf.pem', leaf));
  const { exitCode, stdout, stderr } = await execa('openssl', args, { reject: false });
  return exitCode === 0 ? 'OK' : `${stdout}\n${stderr}`;
}

describe('createAuthorities', () => {
  it.each([
    ['P-256', () => ofCurve('P-256').publicKey],
    ['P-384', () => ofCurve('P-384').publicKey],
    ['Ed25519', () => generateKeyPairSync('ed25519').publicKey],
  ])('issues leaves for %s that openssl verifies, to the root and to the mesh', async (_, make) => {
    const ca = createAuthority();
    const { certificate } = ca.issue(request({ publicKey: spki(make()) }));
    const root = { anchor: ca.rootCertificate, untrusted: ca.intermediateCertificate };
    for (const purpose of ['sslserver', 'sslclient'] as const) {
      expect(await opensslVerify(certificate, root, purpose)).toBe('OK');
      const mesh = { anchor: ca.meshCertificate };
      expect(await opensslVerify(certificate, mesh, purpose)).toBe('OK');
    }
    const stranger = createAuthority();
    expect(await opensslVerify(certificate, { anchor: stranger.rootCertificate })).not.toBe('OK');
    expect(await opensslVerify(certificate, { anchor: stranger.meshCertificate })).not.toBe('OK');
  });

  it('has every extension of the closed profile, and no other', async () => {
    using folder = scratch();
    const ca = createAuthority();
    const { certificate } = ca.issue(request());
    const extensionsOf = async (der: Uint8Array): Promise<string[]> => {
      writeFileSync(folder.file('one.pem'), pemOf(der));
      const args = ['x509', '-in', folder.file('one.pem'), '-noout', '-text'];
      const { stdout } = await execa('openssl', args);
      return [...stdout.matchAll(/X509v3 (.+): ?(critical)?/g)]
        .filter(([, name]) => name !== 'extensions')
        .map(([, name, critical]) => `${name}${critical ? '!' : ''}`);
    };
    const authority = [
      'Basic Constraints!',
      'Key Usage!',
      'Subject Key Identifier',
      'Authority Key Identifier',
    ];
    for (const der of [ca.rootCertificate, ca.meshCertificate, ca.intermediateCertificate])
      expect(await extensionsOf(der)).toEqual(authority);
    expect(await extensionsOf(certificate)).toEqual([
      'Basic Constraints!',
      'Key Usage!',
      'Extended Key Usage',
      'Subject Alternative Name',
      'Subject Key Identifier',
      'Authority Key Identifier',
    ]);
    const leaf = new X509Certificate(certificate);
    expect(leaf.subjectAltName?.split(', ').filter((one) => one.startsWith('URI:'))).toEqual([
      'URI:spiffe://mesh.local/workload/hello',
    ]);
    expect([leaf.ca, leaf.keyUsage]).toEqual([false, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']]);
    for (const host of ['localhost', 'hello.mesh.local']) expect(leaf.checkHost(host)).toBe(host);
    for (const ip of ['127.0.0.1', '::1', '2001:db8::ff:1', '::ffff:1.2.3.4'])
      expect(leaf.checkIP(ip)).toBe(ip);
    expect(leaf.checkHost('other.mesh.local')).toBeUndefined();
  });

  it('gives leaves of 24 hours, valid neither before nor after', async () => {
    const ca = createAuthority();
    const nowMs = Date.now();
    const { certificate, notAfterMs, serialNumber } = ca.issue(request());
    const leaf = new X509Certificate(certificate);
    expect(leaf.serialNumber.toLowerCase()).toBe(serialNumber);
    expect(leaf.validToDate.getTime()).toBe(notAfterMs);
    expect(Math.abs(notAfterMs - nowMs - LEAF_LIFETIME_MS)).toBeLessThan(5_000);
    const at = (at: number) => opensslVerify(certificate, { anchor: ca.meshCertificate, at });
    expect(await at(notAfterMs - 1_000)).toBe('OK');
    expect(await at(notAfterMs + 1_000)).toContain('expired');
    const anchor = ca.rootCertificate;
    const early = nowMs - CLOCK_SKEW_MS - 60_000;
    const root = { anchor, untrusted: ca.intermediateCertificate, at: early };
    expect(await opensslVerify(certificate, root)).toContain('not yet valid');
  });

  it('says the same of the root on every Coordinator of a seed', () => {
    const engine = nodeKeyring.createSeed();
    const roots = [1, 2].map(() => new X509Certificate(createAuthority(engine).rootCertificate));
    const facts = roots.map(({ serialNumber, subject, validFrom, validTo, publicKey }) => [
      serialNumber,
      subject,
      validFrom,
      validTo,
      spki(publicKey),
    ]);
    expect(facts[0]).toEqual(facts[1]);
    expect(roots[0]?.validTo).toBe('Dec 31 23:59:59 9999 GMT');
  });

  it('links leaves of one Coordinator to the root that another made of the same seed', async () => {
    const engine = nodeKeyring.createSeed();
    const meshKey = nodeKeyring.createMeshKey();
    const [one, two] = [authorities.create(engine, meshKey), authorities.create(engine, meshKey)];
    const { certificate } = one.issue(request());
    const root = { anchor: two.rootCertificate, untrusted: one.intermediateCertificate };
    expect(await opensslVerify(certificate, root)).toBe('OK');
    expect(await opensslVerify(certificate, { anchor: two.meshCertificate })).toBe('OK');
  });

  it('certifies the very key, whatever its bits look like', () => {
    for (let round = 0; round < 150; round++) {
      const ca = createAuthority();
      const key = ofCurve(round % 2 ? 'P-256' : 'P-384').publicKey;
      const leaf = new X509Certificate(ca.issue(request({ publicKey: spki(key) })).certificate);
      const [intermediate, root] = [ca.intermediateCertificate, ca.rootCertificate].map(
        (der) => new X509Certificate(der),
      );
      expect(leaf.publicKey.equals(key)).toBe(true);
      expect(leaf.verify(intermediate!.publicKey) && leaf.checkIssued(intermediate!)).toBe(true);
      expect(intermediate!.verify(root!.publicKey) && intermediate!.checkIssued(root!)).toBe(true);
      expect(keyIdentifierOf(key)).toHaveLength(20);
    }
  });

  it.each<[string, Partial<LeafRequest>]>([
    [
      'an RSA key',
      { publicKey: spki(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey) },
    ],
    ['a key on another curve', { publicKey: spki(ofCurve('secp256k1').publicKey) }],
    ['an X25519 key', { publicKey: spki(generateKeyPairSync('x25519').publicKey) }],
    ['bytes that are no key', { publicKey: randomBytes(91) }],
    ['no names', { san: [] }],
    ['a wildcard', { san: ['*.mesh.local'] }],
    ['a URI among the names', { san: ['a', 'spiffe://mesh.local/root'] }],
    ['a name with a NUL', { san: ['a\0.b'] }],
    ['a common name that is none', { commonName: 'a, CN=b' }],
    ['an ID that is not SPIFFE', { spiffeId: 'https://mesh.local/a' }],
    ['an ID without a path', { spiffeId: 'spiffe://mesh.local' }],
    ['an ID with a query', { spiffeId: 'spiffe://mesh.local/a?b' }],
  ])('refuses %s', (_, overrides) => {
    expect(() => createAuthority().issue(request(overrides))).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED' }),
    );
  });

  it('refuses a mesh key that is no P-384 key, without quoting it', () => {
    const other = ofCurve('P-256').privateKey.export({ type: 'pkcs8', format: 'der' });
    for (const bytes of [other, new Uint8Array(), randomBytes(185)])
      expect(() => authorities.create(nodeKeyring.createSeed(), new Secret(bytes))).toThrow(
        expect.objectContaining({
          code: 'MESH_ERR_COORDINATOR_PEER_REFUSED',
          message: `Reading a mesh key: its ${bytes.length} bytes are no P-384 private key.`,
        }),
      );
  });
});

describe('a leaf in TLS', () => {
  const createEnd = (ca: CertificateAuthority) => {
    const { publicKey, privateKey } = ofCurve('P-256');
    const { certificate } = ca.issue(request({ publicKey: spki(publicKey) }));
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: pemOf(certificate) + pemOf(ca.intermediateCertificate),
    };
  };

  /** One mTLS 1.3 handshake, both ends trusting `anchor` only; what went wrong, or the protocol. */
  async function handshake(ca: CertificateAuthority, anchor: Uint8Array): Promise<string> {
    const options = { minVersion: 'TLSv1.3', ca: pemOf(anchor) } as const;
    const server = createServer({ ...options, ...createEnd(ca), requestCert: true }, (socket) =>
      socket.end('welcome'),
    );
    server.on('tlsClientError', () => {
      // The client is told by its own end.
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const socket = connect({ ...options, ...createEnd(ca), port, host: '127.0.0.1' });
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(socket, 'end');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return `${Buffer.concat(chunks).toString()} ${serialNumber ? 'authenticated' : ''}`;
    } catch (error) {
      return String((error as { code?: string }).code);
    } finally {
      server.close();
    }
  }

  it('authenticates client and server, to the root and to the mesh certificate', async () => {
    const ca = createAuthority();
    expect(await handshake(ca, ca.rootCertificate)).toBe('welcome authenticated');
    expect(await handshake(ca, ca.meshCertificate)).toBe('welcome authenticated');
  });

  it('authenticates nobody to another mesh', async () => {
    const other = createAuthority();
    expect(await handshake(createAuthority(), other.rootCertificate)).toMatch(
      /UNABLE_TO_GET_ISSUER_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY/,
    );
  });
});
