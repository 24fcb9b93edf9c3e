import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { TlsIdentity } from './tls-identity.ts';

/**
 * Keys that are proved in a handshake: those that leaves are issued for, and RSA, which only clients
 * that attest nothing may show.
 */
const SIGNATURE_ALGORITHMS =
  'ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256';

/**
 * TLS 1.3 only, which has no renegotiation. Without stateless tickets and without a session cache no
 * session can be resumed, which would show no certificate; those that OpenSSL still sends are void.
 * What is trusted is decided by evidence, or by whoever reads the key: chains are not looked at.
 */
export const tlsOptionsOf = ({ privateKey, certificates }: TlsIdentity): SecureContextOptions => ({
  key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  cert: certificates,
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  sigalgs: SIGNATURE_ALGORITHMS,
  secureOptions: constants.SSL_OP_NO_TICKET,
});

const contexts = new WeakMap<TlsIdentity, SecureContext>();

/** The same options for the client's side, parsed once: that costs a tenth of a handshake. */
export function secureContextOf(identity: TlsIdentity): SecureContext {
  const known = contexts.get(identity);
  if (known !== undefined) return known;
  const context = createSecureContext(tlsOptionsOf(identity));
  contexts.set(identity, context);
  return context;
}
