/** Envelopes to bytes and back, and their making. Form is in `envelope.schema.ts`. */
import { createPrivateKey, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { envelopeError } from '../../machines/gossip/envelope-errors.ts';
import type { EnvelopeErrorCode } from '../../machines/gossip/envelope-errors.ts';
import {
  canonicalEnvelope,
  checkEnvelope,
  encodedBytesMax,
} from '../../machines/gossip/envelope.ts';
import { ENVELOPE_VERSION, EVERYBODY } from '../../machines/gossip/envelope.schema.ts';
import type { Envelope, EnvelopeKind } from '../../machines/gossip/envelope.schema.ts';
import { META_ENVELOPE_BYTES_MAX } from '../../machines/gossip/limits.ts';
import {
  bodyHashOf,
  envelopeFault,
  integrityFault,
  isKeyOf,
  messageIdOf,
  peerIdOf,
  signedText,
} from '../workers/envelope-proof.ts';

export { messageIdOf, peerIdOf } from '../workers/envelope-proof.ts';

/** Who signs: a peer's own key pair. */
export interface PeerKey {
  /** SHA-256 of the public key, lower-case hex. */
  readonly id: string;
  /** 32 octets. */
  readonly publicKey: Uint8Array;
  /** 64 octets, of the engine's sign (Ed25519); the same as tweetnacl gives. */
  sign(message: Uint8Array): Uint8Array;
}

/** What an author says; the codec adds ids, hash and signature. */
export interface EnvelopeContent {
  readonly meshId: string;
  readonly kind: EnvelopeKind;
  /** Left out for a public message. */
  readonly recipientId?: string;
  readonly body: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly seq: number;
  readonly ttlSeconds: number;
  readonly replyTo?: string;
}

/** DER before the 32 octets of the seed (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SEED_BYTES = 32;

/**
 * A peer's key from a pair that tweetnacl made (64 octets: the seed, then the public key).
 * MESH_ERR_ENVELOPE_KEY for a public key that no peer would accept.
 */
export function createPeerKey(secretKey: Uint8Array): PeerKey {
  const publicKey = Uint8Array.from(secretKey.subarray(SEED_BYTES));
  const id = peerIdOf(publicKey);
  if (!isKeyOf(publicKey, id))
    throw envelopeError(
      'MESH_ERR_ENVELOPE_KEY',
      'Taking a key pair: its public key does not count.',
    );
  const key: KeyObject = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, secretKey.subarray(0, SEED_BYTES)]),
    format: 'der',
    type: 'pkcs8',
  });
  return { id, publicKey, sign: (message) => sign(null, message, key) };
}

/**
 * Makes and signs an envelope; throws as `checkEnvelope` does, for content that no peer would take.
 * Ed25519 is deterministic: the same content by the same key is the same envelope.
 */
export function makeEnvelope(content: EnvelopeContent, key: PeerKey): Envelope {
  const unsigned = {
    version: ENVELOPE_VERSION,
    mesh_id: content.meshId,
    sender_id: key.id,
    recipient_id: content.recipientId ?? EVERYBODY,
    kind: content.kind,
    created_at: content.createdAtMs,
    seq: content.seq,
    ttl_seconds: content.ttlSeconds,
    body_sha256: bodyHashOf(content.body),
    ...(content.replyTo === undefined ? {} : { reply_to: content.replyTo }),
  } as const;
  const signature = key.sign(Buffer.from(signedText(unsigned), 'latin1'));
  return checkEnvelope({
    header: { ...unsigned, message_id: messageIdOf(unsigned) },
    body: base64(content.body),
    signature: base64(signature),
  });
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** The octets of a message's body. */
export const bodyOf = ({ body }: Pick<Envelope, 'body'>): Buffer => Buffer.from(body, 'base64');

/** The one form on the wire. */
export const encodeEnvelope = (envelope: Envelope): Buffer =>
  Buffer.from(canonicalEnvelope(envelope), 'latin1');

/**
 * Reads the form on the wire and nothing else: canonical, of a known version and kind, within its
 * size, with the id and the body hash that its header asks for. Whose it is stays open. Throws
 * MESH_ERR_ENVELOPE_MALFORMED, _TOO_LARGE, _VERSION, _KIND, _ID and _BODY; any octets at all give
 * one of these.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const envelope = decodeForm(bytes);
  const fault = integrityFault(envelope);
  if (fault !== undefined) throw faultOf(fault, envelope);
  return envelope;
}

/** As `decodeEnvelope`, without the hashes: for what is proven elsewhere. */
export function decodeForm(bytes: Uint8Array): Envelope {
  refuseLonger(bytes.length, META_ENVELOPE_BYTES_MAX);
  // Not ASCII becomes other characters here, which no field of the form holds.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const envelope = checkEnvelope(parse(text));
  refuseLonger(bytes.length, encodedBytesMax(envelope.header.kind));
  // Duplicate members, white space, escapes and other spellings of a number all end here.
  if (canonicalEnvelope(envelope) === text) return envelope;
  throw envelopeError(
    'MESH_ERR_ENVELOPE_MALFORMED',
    `Reading ${envelope.header.message_id}: the text is not its canonical form.`,
  );
}

/**
 * Proves that `publicKey` is its sender's and signed it. Throws MESH_ERR_ENVELOPE_ID, _BODY, _KEY
 * and _SIGNATURE. Many at once go to the workers: see `envelope-verifier.ts`.
 */
export function proveEnvelope(envelope: Envelope, publicKey: Uint8Array): void {
  const fault = envelopeFault(envelope, publicKey);
  if (fault !== undefined) throw faultOf(fault, envelope);
}

function refuseLonger(bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  throw envelopeError(
    'MESH_ERR_ENVELOPE_TOO_LARGE',
    `Reading an envelope: it has ${bytes} octets, at most ${bytesMax} may be.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw envelopeError('MESH_ERR_ENVELOPE_MALFORMED', 'Reading an envelope: it is not JSON.', {
      cause,
    });
  }
}

const FOUND: Readonly<Partial<Record<EnvelopeErrorCode, string>>> = {
  MESH_ERR_ENVELOPE_ID: 'its id is not the SHA-256 of its signed octets',
  MESH_ERR_ENVELOPE_BODY: 'its body has another SHA-256 than its header says',
  MESH_ERR_ENVELOPE_KEY: 'the key is not the one of its sender, or is none that counts',
  MESH_ERR_ENVELOPE_SIGNATURE: 'its signature is not the one of its sender',
};

/** The error of one fault that a check, here or in a worker, found. */
export function faultOf(code: EnvelopeErrorCode, envelope: Pick<Envelope, 'header'>): CodedError {
  const { message_id: id, sender_id: sender } = envelope.header;
  return envelopeError(code, `Proving ${id} of ${sender}: ${FOUND[code] ?? 'it is refused'}.`);
}
