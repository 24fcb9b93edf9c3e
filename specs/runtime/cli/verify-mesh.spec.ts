import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { create } from '@bufbuild/protobuf';
import { encodeTransition } from '../../../machines/coordinator/transition.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createTlsIdentity, pemOf } from '../../../runtime/attested-tls/tls-identity.ts';
import {
  checkAuthority,
  checkHistory,
  checkManifest,
  checkRoot,
  checked,
} from '../../../runtime/cli/coordinator/verify-mesh.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import { GetManifestsResponseSchema } from '../../../runtime/rpc/generated/user-api.ts';
import { createAuthorities } from '../../../runtime/x509/certificate-authority.ts';
import { coordinatorError } from '../../../machines/coordinator/errors.ts';
import { scratch } from '../../support/scratch.ts';

const sha256 = (bytes: Uint8Array): Digest =>
  createHash('sha256').update(bytes).digest('hex') as Digest;
const authorityOf = () =>
  createAuthorities(systemClock).create(nodeKeyring.createSeed(), nodeKeyring.createMeshKey());

/** What a Coordinator with these manifests answers. */
function answerOf(texts: readonly string[], authority = authorityOf()) {
  const manifests = texts.map((text) => new Uint8Array(Buffer.from(text)));
  let previous: Digest | null = null;
  const transitionHashes = manifests.map((manifest) => {
    previous = sha256(encodeTransition({ manifest: sha256(manifest), previous }));
    return new Uint8Array(Buffer.from(previous, 'hex'));
  });
  return create(GetManifestsResponseSchema, {
    manifests,
    transitionHashes,
    rootCaCert: new Uint8Array(authority.rootCertificate),
    meshCaCert: new Uint8Array(authority.meshCertificate),
  });
}

describe('checkHistory', () => {
  it('takes a chain in which each transition is of its manifest and of the one before', () => {
    expect(() => checkHistory(answerOf(['a', 'b', 'c']))).not.toThrow();
  });

  it.each([
    ['a manifest was replaced', (one: ReturnType<typeof answerOf>) => one.manifests[0]?.fill(1)],
    [
      'two were swapped',
      (one: ReturnType<typeof answerOf>) => (one.manifests = one.manifests.toReversed()),
    ],
    ['a transition is missing', (one: ReturnType<typeof answerOf>) => one.transitionHashes.pop()],
    [
      'the first was cut off',
      (one: ReturnType<typeof answerOf>) => {
        one.manifests.shift();
        one.transitionHashes.shift();
      },
    ],
    [
      'there is none',
      (one: ReturnType<typeof answerOf>) => {
        one.manifests = [];
        one.transitionHashes = [];
      },
    ],
  ])('refuses a history of which %s', (_, tamper) => {
    const answer = answerOf(['a', 'b', 'c']);
    tamper(answer);
    expect(() => checkHistory(answer)).toThrow();
  });
});

describe('checkManifest', () => {
  it('takes the expected one in force, and says of another whether it was ever set', () => {
    const answer = answerOf(['a', 'b']);
    expect(() => checkManifest(answer, Buffer.from('b'))).not.toThrow();
    expect(() => checkManifest(answer, Buffer.from('a'))).toThrow('as number 1');
    expect(() => checkManifest(answer, Buffer.from('c'))).toThrow('which was never set');
  });
});

describe('checkAuthority', () => {
  it('takes certificates of the profile that their own keys signed', () => {
    const answer = answerOf(['a']);
    expect(() => checkAuthority(answer)).not.toThrow();
    const other = { ...answer, rootCaCert: answer.meshCaCert };
    expect(() => checkAuthority(other)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED' }),
    );
    const issued = new Uint8Array(authorityOf().intermediateCertificate);
    expect(() => checkAuthority({ ...answer, meshCaCert: issued })).toThrow('its own key');
  });
});

describe('checkRoot', () => {
  it('takes any root the first time, and the same key from then on', () => {
    using folder = scratch();
    const authority = authorityOf();
    const path = folder.file('root-ca.pem');
    expect(() => checkRoot(answerOf(['a'], authority), path)).not.toThrow();
    writeFileSync(path, pemOf(authority.rootCertificate));
    expect(() => checkRoot(answerOf(['a', 'b'], authority), path)).not.toThrow();
    expect(() => checkRoot(answerOf(['a']), path)).toThrow('has another key');
    writeFileSync(path, createTlsIdentity(Date.now()).certificates);
    expect(() => checkRoot(answerOf(['a'], authority), path)).toThrow('has another key');
  });
});

describe('checked', () => {
  it('makes a finding of what is thrown', async () => {
    expect(await checked('root', () => undefined)).toEqual({ name: 'root', ok: true });
    const error = coordinatorError('MESH_ERR_COORDINATOR_NOT_AUTHORISED', 'It has no policy.');
    expect(await checked('evidence', () => Promise.reject(error))).toEqual({
      name: 'evidence',
      ok: false,
      message: 'It has no policy.',
      code: 'MESH_ERR_COORDINATOR_NOT_AUTHORISED',
    });
  });
});
