import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../support/virtual-clock.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import {
  LEAF_LIFETIME_MS,
  createAuthorities,
} from '../../../runtime/x509/certificate-authority.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extKeyUsage,
  keyUsage,
  signCertificate,
  subjectAltName,
  subjectKeyIdentifier,
} from '../../../runtime/x509/certificate-form.ts';
import type { CertificateForm, Extension } from '../../../runtime/x509/certificate-form.ts';
import { readCertificate, verifyLeaf } from '../../../runtime/x509/certificate-profile.ts';

const REFUSED = expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED' });
const clock = new VirtualClock();
const spiffeId = 'spiffe://mesh.local/workload/hello';

function createMesh() {
  const meshKey = nodeKeyring.createMeshKey();
  const ca = createAuthorities(clock).create(nodeKeyring.createSeed(), meshKey);
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { certificate: leaf } = ca.issue({
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    commonName: 'hello',
    san: ['hello.local', '10.0.0.1'],
    spiffeId,
  });
  const signingKey = createPrivateKey({
    key: Buffer.from(meshKey.reveal()),
    type: 'pkcs8',
    format: 'der',
  });
  return { ca, leaf, publicKey, signingKey };
}

const { ca, leaf, publicKey, signingKey } = createMesh();
const root = { certificate: ca.rootCertificate, kind: 'root' } as const;
const mesh = { certificate: ca.meshCertificate, kind: 'mesh' } as const;
const chain = [leaf, ca.intermediateCertificate];

describe('readCertificate', () => {
  it('reads what the authority writes, each as what it is', () => {
    const own = [
      [ca.rootCertificate, 'root'],
      [ca.meshCertificate, 'mesh'],
      [ca.intermediateCertificate, 'mesh'],
      [leaf, 'leaf'],
    ] as const;
    for (const [der, kind] of own)
      for (const as of ['root', 'mesh', 'leaf'] as const)
        if (as === kind) expect(readCertificate(der, as).raw).toEqual(Buffer.from(der));
        else expect(() => readCertificate(der, as)).toThrow(REFUSED);
  });

  it('refuses trailing, missing and too many bytes', () => {
    for (const der of [
      Buffer.concat([leaf, Buffer.of(0)]),
      leaf.subarray(0, -1),
      new Uint8Array(),
      new Uint8Array(20_000),
    ])
      expect(() => readCertificate(der, 'leaf')).toThrow(REFUSED);
  });

  const usual = (): readonly Extension[] => [
    basicConstraints(undefined),
    keyUsage('leaf'),
    extKeyUsage(),
    subjectAltName(['hello.local'], spiffeId),
    subjectKeyIdentifier(publicKey),
    authorityKeyIdentifier(createPublicKey(signingKey)),
  ];
  const sign = (extensions: readonly Extension[]): Uint8Array => {
    const form: CertificateForm = {
      serialNumber: Buffer.of(7),
      issuer: 'a',
      subject: 'b',
      notBefore: new Date(clock.now()),
      notAfter: new Date(clock.now() + LEAF_LIFETIME_MS),
      publicKey,
      extensions,
    };
    return signCertificate(form, signingKey);
  };
  const instead = (at: number, extension: Extension): readonly Extension[] =>
    usual().with(at, extension);
  const { create, Class, Type } = forge.asn1;
  const ofNames = (...names: readonly [tag: number, text: string][]): Extension => ({
    id: '2.5.29.17',
    isCritical: false,
    value: create(
      Class.UNIVERSAL,
      Type.SEQUENCE,
      true,
      names.map(([tag, text]) => create(Class.CONTEXT_SPECIFIC, tag, false, text)),
    ),
  });

  it('reads a leaf that is put together by hand like those of the authority', () => {
    expect(readCertificate(sign(usual()), 'leaf').serialNumber).toBe('07');
  });

  it.each<[string, readonly Extension[]]>([
    ['none of them', []],
    [
      'one more',
      [...usual(), { id: '1.3.6.1.4.1.1', isCritical: false, value: extKeyUsage().value }],
    ],
    ['one twice', [...usual(), extKeyUsage()]],
    ['one fewer', usual().slice(1)],
    ['another order', usual().toReversed()],
    ['the right to sign others', instead(0, basicConstraints(0))],
    ['the usage of an authority', instead(1, keyUsage('authority'))],
    ['a usage that is not critical', instead(1, { ...keyUsage('leaf'), isCritical: false })],
    ['an extended usage that is critical', instead(2, { ...extKeyUsage(), isCritical: true })],
    [
      'the identifier of another key',
      instead(4, subjectKeyIdentifier(createPublicKey(signingKey))),
    ],
    ['no URI', instead(3, ofNames([2, 'hello.local'], [2, 'b.local']))],
    ['two URIs', instead(3, ofNames([2, 'a'], [6, spiffeId], [6, spiffeId]))],
    ['a URI that is no SPIFFE ID', instead(3, ofNames([2, 'a'], [6, 'https://a/b']))],
    ['only a URI', instead(3, ofNames([6, spiffeId]))],
    ['a mail address', instead(3, ofNames([1, 'a@b'], [2, 'a'], [6, spiffeId]))],
  ])('refuses a leaf whose extensions are %s', (_, extensions) => {
    expect(() => readCertificate(sign(extensions), 'leaf')).toThrow(REFUSED);
  });
});

describe('verifyLeaf', () => {
  it('verifies to the root by the chain, and to the mesh certificate at once', () => {
    const expected = {
      spiffeId,
      hosts: ['hello.local'],
      serialNumber: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      notAfterMs: clock.now() + LEAF_LIFETIME_MS,
    };
    expect(verifyLeaf(chain, root, clock.now())).toEqual(expected);
    expect(verifyLeaf(chain, mesh, clock.now())).toEqual(expected);
    expect(verifyLeaf([leaf], mesh, clock.now())).toEqual(expected);
  });

  it('refuses one that is expired or not valid yet', () => {
    const notAfterMs = clock.now() + LEAF_LIFETIME_MS;
    expect(verifyLeaf(chain, root, notAfterMs).spiffeId).toBe(spiffeId);
    for (const atMs of [notAfterMs + 1_000, clock.now() - LEAF_LIFETIME_MS])
      expect(() => verifyLeaf(chain, root, atMs)).toThrow(REFUSED);
  });

  it('refuses chains of another mesh, of another length, or in another order', () => {
    const other = createMesh();
    const bad: readonly (readonly Uint8Array[])[] = [
      [],
      [leaf],
      [leaf, ca.meshCertificate],
      [leaf, other.ca.intermediateCertificate],
      [other.leaf, ca.intermediateCertificate],
      chain.toReversed(),
      [...chain, ca.rootCertificate],
    ];
    for (const one of bad) expect(() => verifyLeaf(one, root, clock.now())).toThrow(REFUSED);
    expect(() => verifyLeaf([other.leaf], mesh, clock.now())).toThrow(REFUSED);
  });

  it('accepts no leaf in which a single byte is another one', () => {
    const accepted: number[] = [];
    for (let at = 0; at < leaf.length; at++) {
      const flipped = Uint8Array.from(leaf);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      try {
        verifyLeaf([flipped], mesh, clock.now());
        accepted.push(at);
      } catch (error) {
        expect(error).toEqual(REFUSED);
      }
    }
    expect(accepted).toEqual([]);
  });
});
