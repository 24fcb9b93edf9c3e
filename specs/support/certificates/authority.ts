/** A mesh's authority without a Coordinator: what it issues, as answers and as files. */
import { X509Certificate, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import type { IdentityPem, IssuedIdentity } from '../../../runtime/certificates/identity-files.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import { createAuthorities } from '../../../runtime/x509/certificate-authority.ts';

export interface Identity {
  readonly key: KeyObject;
  readonly spiffeId: string;
  readonly issued: IssuedIdentity;
  readonly pem: IdentityPem;
}

const pemOf = (...ders: readonly Uint8Array[]): string =>
  ders.map((der) => new X509Certificate(der).toString()).join('');

export const newKey = (): KeyObject =>
  generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;

/** One mesh; its members verify each other, and nobody of another one. */
export function createMeshAuthority(options: { readonly leafLifetimeMs?: number } = {}) {
  const authority = createAuthorities(systemClock, options).create(
    nodeKeyring.createSeed(),
    nodeKeyring.createMeshKey(),
  );
  return {
    authority,
    /** For `workload/hello` and the like, with a key of its own unless one is given. */
    issue(path: string, key: KeyObject = newKey()): Identity {
      const spiffeId = `spiffe://mesh.local/${path}`;
      const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
      const names = { commonName: 'hello', san: ['localhost', '127.0.0.1'] };
      const { certificate } = authority.issue({ publicKey, spiffeId, ...names });
      const issued: IssuedIdentity = {
        chain: [certificate, authority.intermediateCertificate],
        root: authority.rootCertificate,
        meshAuthority: authority.meshCertificate,
        secret: undefined,
      };
      const pem: IdentityPem = {
        key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
        certificates: pemOf(...issued.chain),
        authorities: pemOf(issued.root, issued.meshAuthority),
      };
      return { key, spiffeId, issued, pem };
    },
  };
}
