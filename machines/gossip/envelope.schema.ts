/**
 * The envelope, version 1: what one peer says, signed, wherever it travels.
 *
 *     { "body": base64, "header": { … }, "signature": base64 of 64 octets }
 *
 * On the wire it is RFC 8785 canonical JSON: one message has one text. Signed is the DSSE
 * pre-authentication encoding of the canonical header without `message_id`, under a payload type of
 * its own; the id is the SHA-256 of these bytes, so it covers the body (by `body_sha256`) and not the
 * signature.
 *
 * Version history: 1 is the first.
 */
import { z } from 'zod';
import { isName } from '../kernel/ids.ts';
import { BODY_CHARS_MAX, TTL_SECONDS_MAX } from './limits.ts';

/** The version of header that this program writes, and the only one that it reads. */
export const ENVELOPE_VERSION = 1;
/** DSSE payload type of the signature: one over a header is none over anything else. */
export const ENVELOPE_PAYLOAD_TYPE = 'application/vnd.mycelium-mesh.envelope.v1+json';
/** Recipient of a public message. */
export const EVERYBODY = '*';
/** Who sees it: all · one, sealed · the holders of a group key, sealed · one, as part of a protocol. */
export const ENVELOPE_KINDS = ['public', 'direct', 'group', 'meta'] as const;

/** A SHA-256 or a raw key. */
export const SHA256_HEX = /^[0-9a-f]{64}$/;
const BASE64 = /^[A-Za-z0-9+/]*(?:[AQgw]==|[AEIMQUYcgkosw048]=)?$/;
/**
 * Canonical base64 (RFC 4648 §3.5): no white space, whole groups, the unused bits of the last one
 * zero. Groups are counted apart: a pattern that counts them takes ten times as long.
 */
export const isBase64 = (text: string): boolean => text.length % 4 === 0 && BASE64.test(text);
/** Base64 of 64 octets. */
export const SIGNATURE = /^[A-Za-z0-9+/]{85}[AQgw]==$/;

const sha256 = z.string().regex(SHA256_HEX, 'is not 64 lower-case hex digits');
const count = z.int().min(0);

/** SHA-256 of a raw Ed25519 public key, 64 lower-case hex digits. */
export const peerIdSchema = sha256;
/** SHA-256 of the signed bytes, 64 lower-case hex digits. */
export const messageIdSchema = sha256;
/** A raw Ed25519 public key, 64 lower-case hex digits. */
export const signingKeySchema = sha256;

/** What an author says of a message, and signs but for the id. */
export const envelopeHeaderSchema = z
  .strictObject({
    version: z.literal(ENVELOPE_VERSION),
    /** The mesh that the message belongs to: a DNS label. */
    mesh_id: z.string().refine(isName, 'is not a DNS label in lower case'),
    message_id: messageIdSchema,
    sender_id: peerIdSchema,
    recipient_id: z.union([z.literal(EVERYBODY), peerIdSchema]),
    kind: z.enum(ENVELOPE_KINDS),
    /** Milliseconds since the epoch on the author's clock. */
    created_at: count,
    /** Of the author's, counting up: tells two equal bodies of one millisecond apart. */
    seq: count,
    ttl_seconds: z.int().min(1).max(TTL_SECONDS_MAX),
    body_sha256: sha256,
    reply_to: messageIdSchema.exactOptional(),
  })
  .refine(
    ({ kind, recipient_id: recipient }) => (kind === 'public') === (recipient === EVERYBODY),
    {
      message: 'is public without being for everybody, or the reverse',
      path: ['recipient_id'],
    },
  );

/** A message as it travels. */
export const envelopeSchema = z.strictObject({
  header: envelopeHeaderSchema,
  body: z.string().max(BODY_CHARS_MAX).refine(isBase64, 'is not canonical base64'),
  signature: z.string().regex(SIGNATURE, 'is not canonical base64 of 64 octets'),
});

/** A header of the right form. */
export type EnvelopeHeader = z.output<typeof envelopeHeaderSchema>;
/** An envelope of the right form: nothing of it is proven yet. */
export type Envelope = z.output<typeof envelopeSchema>;
export type EnvelopeKind = (typeof ENVELOPE_KINDS)[number];
/** A header before it has an id: what is signed. */
export type UnsignedHeader = Omit<EnvelopeHeader, 'message_id'>;
