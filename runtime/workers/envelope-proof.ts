/** What an envelope must prove: that id, body and signature belong to its header and its sender. */
import { hash } from 'node:crypto';
import type { EnvelopeErrorCode } from '../../machines/gossip/envelope-errors.ts';
import { canonicalUnsignedHeader } from '../../machines/gossip/envelope.ts';
import { ENVELOPE_PAYLOAD_TYPE } from '../../machines/gossip/envelope.schema.ts';
import type { Envelope, UnsignedHeader } from '../../machines/gossip/envelope.schema.ts';
import { isAcceptableKey, verifyEd25519 } from './ed25519.ts';

/**
 * The pre-authentication encoding (DSSE) of a header. A checked header is ASCII, so that characters
 * are octets here and one string does for the hash and for the signature.
 */
export function signedText(header: UnsignedHeader): string {
  const canonical = canonicalUnsignedHeader(header);
  return `${BEFORE_LENGTH}${canonical.length} ${canonical}`;
}

const BEFORE_LENGTH = `DSSEv1 ${ENVELOPE_PAYLOAD_TYPE.length} ${ENVELOPE_PAYLOAD_TYPE} `;

/** The id that a header must bear: SHA-256 of what is signed, lower-case hex. */
export const messageIdOf = (header: UnsignedHeader): string => hash('sha256', signedText(header));

/** SHA-256 of a body, lower-case hex. */
export const bodyHashOf = (body: Uint8Array): string => hash('sha256', body);

/** The id of the peer that has this raw public key: its SHA-256, lower-case hex. */
export const peerIdOf = (publicKey: Uint8Array): string => hash('sha256', publicKey);

/** Whether a raw public key is one that a peer may have, and the one of that peer. */
export const isKeyOf = (publicKey: Uint8Array, peerId: string): boolean =>
  isAcceptableKey(publicKey) && peerIdOf(publicKey) === peerId;

/** What is wrong with id and body, which needs no key; `undefined` when nothing is. */
export function integrityFault(envelope: Envelope): EnvelopeErrorCode | undefined {
  const { header, body } = envelope;
  if (messageIdOf(header) !== header.message_id) return 'MESH_ERR_ENVELOPE_ID';
  const isBody = bodyHashOf(Buffer.from(body, 'base64')) === header.body_sha256;
  return isBody ? undefined : 'MESH_ERR_ENVELOPE_BODY';
}

/**
 * The first thing that is wrong with an envelope of the right form: its id, its body, the key, the
 * signature. `undefined` means that the holder of `publicKey`, who is the sender, wrote it.
 */
export function envelopeFault(
  envelope: Envelope,
  publicKey: Uint8Array,
): EnvelopeErrorCode | undefined {
  const { header, body, signature } = envelope;
  const text = signedText(header);
  if (hash('sha256', text) !== header.message_id) return 'MESH_ERR_ENVELOPE_ID';
  if (bodyHashOf(Buffer.from(body, 'base64')) !== header.body_sha256)
    return 'MESH_ERR_ENVELOPE_BODY';
  if (!isKeyOf(publicKey, header.sender_id)) return 'MESH_ERR_ENVELOPE_KEY';
  const isSigned = verifyEd25519(
    publicKey,
    Buffer.from(text, 'latin1'),
    Buffer.from(signature, 'base64'),
  );
  return isSigned ? undefined : 'MESH_ERR_ENVELOPE_SIGNATURE';
}
