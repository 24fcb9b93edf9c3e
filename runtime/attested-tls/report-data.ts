/** What evidence is bound to: this TLS session, in this role, with these nonces and this key. */
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** `answerer`: a server that answers a client which attests nothing itself. */
export type Role = 'client' | 'server' | 'answerer';

/** Says what the hash is for, so that no other SHA-512 of this program can be taken for it. */
const DOMAIN = 'mycelium-mesh/attested-tls/v1\0';
const ROLE_BYTES: Readonly<Record<Role, string>> = { client: 'c', server: 's', answerer: 'a' };

/** RFC 9266 §2: the unique channel binding of TLS 1.3. */
const CHANNEL_BINDING_LABEL = 'EXPORTER-Channel-Binding';
/** RFC 8446 §7.5: a label for each role, so that the evidence of one is none of the other. */
const ROLE_LABELS: Readonly<Record<Role, string>> = {
  client: 'EXPORTER-mycelium-mesh-evidence-client',
  server: 'EXPORTER-mycelium-mesh-evidence-server',
  answerer: 'EXPORTER-mycelium-mesh-evidence-answerer',
};
const EXPORTER_BYTES = 32;

/** The end whose evidence is bound. */
export interface BoundEnd<OwnRole extends Role = 'client' | 'server'> {
  readonly role: OwnRole;
  readonly ownNonce: Uint8Array;
  readonly peerNonce: Uint8Array;
  /** SubjectPublicKeyInfo of its TLS key. */
  readonly ownPublicKey: Uint8Array;
}

/** Secrets that only the two ends of one TLS session can derive, for some roles. */
export type ExportedKeys<Roles extends Role = 'client' | 'server'> = Readonly<
  Record<'channelBinding' | Roles, Buffer>
>;

function exported<Roles extends Role>(
  socket: TLSSocket,
  roles: readonly Roles[],
): ExportedKeys<Roles> {
  const secretOf = (label: string): Buffer =>
    socket.exportKeyingMaterial(EXPORTER_BYTES, label, Buffer.alloc(0));
  return {
    channelBinding: secretOf(CHANNEL_BINDING_LABEL),
    ...Object.fromEntries(roles.map((role) => [role, secretOf(ROLE_LABELS[role])])),
  } as ExportedKeys<Roles>;
}

/** Derives them, once for both ends' evidence. */
export const exportedKeysOf = (socket: TLSSocket): ExportedKeys =>
  exported(socket, ['client', 'server']);

/** Those of evidence that is given as an answer. To be derived before HTTP/2 takes the socket over. */
export const answererKeysOf = (socket: TLSSocket): ExportedKeys<'answerer'> =>
  exported(socket, ['answerer']);

/**
 * SHA-512(domain ‖ role ‖ exporter(channel binding) ‖ exporter(role) ‖ own nonce ‖ peer nonce ‖
 * SHA-256(own SPKI)). Everything but the domain has a fixed length, and the domain ends in a zero.
 */
export function reportDataOf<OwnRole extends Role>(
  exported: ExportedKeys<OwnRole>,
  end: BoundEnd<OwnRole>,
): Buffer {
  return createHash('sha512')
    .update(DOMAIN)
    .update(ROLE_BYTES[end.role])
    .update(exported.channelBinding)
    .update(exported[end.role])
    .update(end.ownNonce)
    .update(end.peerNonce)
    .update(createHash('sha256').update(end.ownPublicKey).digest())
    .digest();
}
