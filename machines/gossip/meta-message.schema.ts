/**
 * The bodies of the four meta messages, version 1, as canonical JSON. Each is signed by its envelope,
 * addressed to one peer, and answered only to that envelope's sender: `peer_id` repeats the sender, and a
 * body where it does not is refused.
 *
 *     message_request → mesh_available → mesh_request → mesh_delivery, and again until `end`
 *
 * The requester asks and waits; the responder only answers, and holds nothing that it needs to answer.
 * So a lost message costs a question asked again. An unknown field is refused, as is an unknown type:
 * what both must understand is announced as a capability.
 *
 * Version history: 1 is the first.
 */
import { z } from 'zod';
import { messageIdSchema, peerIdSchema, signingKeySchema } from './envelope.schema.ts';
import { AVAILABLE_IDS_MAX, REQUESTED_IDS_MAX } from './limits.ts';
import { CAPABILITIES_MAX, CURSOR_CHARS_MAX, FRAME_BYTES_MAX } from './session-limits.ts';

/** The capability of range-based set reconciliation, protocol version 1. */
export const NEGENTROPY = 'negentropy/1';

/** 16 random octets that the requester chose, 32 lower-case hex digits. */
export const sessionIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'is not 32 lower-case hex digits');
/** Where the responder goes on; only it can read this. */
const cursor = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'is not printable ASCII')
  .max(CURSOR_CHARS_MAX)
  .nullable();
const frame = z
  .string()
  .regex(/^(?:[0-9a-f]{2})+$/, 'is not lower-case hex')
  .max(2 * FRAME_BYTES_MAX);
const timestamp = z.int().min(0);
const ids = (max: number) => z.array(messageIdSchema).max(max);
const session = { peer_id: peerIdSchema, session_id: sessionIdSchema };

/** What have you since? The first and each further page, and each round of a reconciliation. */
export const messageRequestSchema = z.strictObject({
  type: z.literal('message_request'),
  ...session,
  since_timestamp: timestamp,
  cursor,
  capabilities: z.array(z.string().regex(/^[a-z0-9/.-]{1,40}$/)).max(CAPABILITIES_MAX),
  reconcile: frame.exactOptional(),
});

/** These I have; `cursor` leads to the next page unless this is the end. */
export const meshAvailableSchema = z.strictObject({
  type: z.literal('mesh_available'),
  ...session,
  since_timestamp: timestamp,
  message_ids: ids(AVAILABLE_IDS_MAX),
  /** The cursor of the request that this answers. */
  answers: cursor,
  cursor,
  end: z.boolean(),
  /** The responder's clock when it looked. */
  as_of: timestamp,
  reconcile: frame.exactOptional(),
});

/** These I am missing. */
export const meshRequestSchema = z.strictObject({
  type: z.literal('mesh_request'),
  ...session,
  message_ids: ids(REQUESTED_IDS_MAX).min(1),
  /** A mark of the requester's; the answer has the same. */
  cursor,
});

/** As many of them as fit, in the order in which they were asked for. */
export const meshDeliverySchema = z.strictObject({
  type: z.literal('mesh_delivery'),
  ...session,
  /** Each is decoded on its own: one that is broken does not take the others along. */
  envelopes: z.array(z.unknown()).max(REQUESTED_IDS_MAX),
  /** Keys of their authors by peer id. */
  sender_keys: z.record(peerIdSchema, signingKeySchema),
  /** Of the request. */
  cursor,
  /** Nothing of what was asked for is left out. */
  end: z.boolean(),
  /** Asked for, and not to be had any more. */
  gone: ids(REQUESTED_IDS_MAX),
});

/** Any meta message, by its `type`. */
export const metaMessageSchema = z.discriminatedUnion('type', [
  messageRequestSchema,
  meshAvailableSchema,
  meshRequestSchema,
  meshDeliverySchema,
]);

export type MessageRequest = z.output<typeof messageRequestSchema>;
export type MeshAvailable = z.output<typeof meshAvailableSchema>;
export type MeshRequest = z.output<typeof meshRequestSchema>;
export type MeshDelivery = z.output<typeof meshDeliverySchema>;
export type MetaMessage = z.output<typeof metaMessageSchema>;
/** The two that ask. */
export type MetaQuestion = MessageRequest | MeshRequest;
/** The two that answer. */
export type MetaAnswer = MeshAvailable | MeshDelivery;
