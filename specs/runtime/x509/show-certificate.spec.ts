import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createTlsIdentity, pemOf } from '../../../runtime/attested-tls/tls-identity.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import { createAuthorities } from '../../../runtime/x509/certificate-authority.ts';
import { certificatesIn, showCertificates } from '../../../runtime/x509/show-certificate.ts';
import { programOnPath } from '../../benches/harness.ts';
import { scratch } from '../../support/scratch.ts';

const authority = createAuthorities(systemClock).create(
  nodeKeyring.createSeed(),
  nodeKeyring.createMeshKey(),
);
const leaf = authority.issue({
  publicKey: createTlsIdentity(Date.now()).publicKey,
  commonName: 'hello',
  san: ['hello.mesh.local', '127.0.0.1'],
  spiffeId: 'spiffe://mesh.local/workload/hello',
});
const chain = [leaf.certificate, authority.intermediateCertificate, authority.rootCertificate];
const show = (text: string | Uint8Array, nowMs = Date.now()) =>
  showCertificates(certificatesIn(Buffer.from(text as string)), nowMs);

describe('showCertificates', () => {
  it('shows each certificate of a chain, and that the next one signed it', () => {
    const shown = show(chain.map(pemOf).join('some text between\n'));
    expect(shown.map(({ kind, isSignedByNext }) => [kind, isSignedByNext])).toEqual([
      ['leaf', true],
      ['mesh', true],
      ['root', true],
    ]);
    expect(shown[0]).toMatchObject({
      subject: 'CN=hello',
      names: [
        'DNS:hello.mesh.local',
        'IP Address:127.0.0.1',
        'URI:spiffe://mesh.local/workload/hello',
      ],
      spiffeId: 'spiffe://mesh.local/workload/hello',
      serialNumber: leaf.serialNumber,
      key: 'P-256',
      isAuthority: false,
      isValidNow: true,
    });
    expect(shown[1]).toMatchObject({ key: 'P-384', isAuthority: true, spiffeId: null });
  });

  it('says when one is not valid, and when the next one did not sign it', () => {
    const [first] = show(pemOf(leaf.certificate), leaf.notAfterMs + 1);
    expect(first).toMatchObject({ isValidNow: false, isSignedByNext: null });
    const shown = show([leaf.certificate, authority.rootCertificate].map(pemOf).join(''));
    expect(shown[0]?.isSignedByNext).toBe(false);
  });

  it('reads one in DER, and refuses what is none', () => {
    expect(show(leaf.certificate)).toHaveLength(1);
    expect(() => show('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toThrow();
    expect(() => show('')).toThrow();
  });

  it.skipIf(programOnPath('openssl') === undefined)('shows one of another program', () => {
    using folder = scratch();
    const [key, cert] = [folder.file('key.pem'), folder.file('cert.pem')];
    const ask = `req -x509 -newkey rsa:2048 -nodes -subj /CN=foreign -keyout ${key} -out ${cert}`;
    execFileSync('openssl', ask.split(' '), { stdio: 'ignore' });
    const [shown] = show(readFileSync(cert));
    expect(shown).toMatchObject({
      subject: 'CN=foreign',
      key: 'rsa 2048',
      kind: null,
      spiffeId: null,
      isSignedByNext: true,
    });
  });
});
