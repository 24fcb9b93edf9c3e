/**
 * The protocol of a peer's control socket: HTTP/1.1 over a Unix socket, JSON both ways, in the form of
 * the control socket of a mesh (`runtime/control/wire.ts`).
 *
 *     request    POST /v1/peer/OPERATION with one JSON object
 *     answer     200 and the value; or 4xx/5xx and {"error":{code,message,hint,…}}
 *     stream     200 and one JSON value a line; a last line {"error":…} where it failed
 *
 * Version 1.
 */
import { z } from 'zod';
import { messageIdSchema } from '../../../../machines/gossip/envelope.schema.ts';
import { BODY_BYTES_MAX, TTL_SECONDS_MAX } from '../../../../machines/gossip/limits.ts';
import { MESSAGES_MAX } from '../desk.ts';

/** A name that people give to a peer. */
export const PEER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const WHO_CHARS_MAX = 128;
/** Rows only grow; far below what a number holds exactly. */
const row = z.int().min(0);
const post = {
  text: z.string().max(BODY_BYTES_MAX),
  ttlSeconds: z.int().min(1).max(TTL_SECONDS_MAX).exactOptional(),
  replyTo: messageIdSchema.exactOptional(),
};

/** What each operation takes. */
export const BODIES = {
  info: z.strictObject({}),
  peers: z.strictObject({}),
  add: z.strictObject({
    publicKey: z.string().max(WHO_CHARS_MAX),
    name: z
      .string()
      .regex(PEER_NAME, 'is no name: letters, digits, dots, hyphens, at most 63')
      .exactOptional(),
  }),
  remove: z.strictObject({ who: z.string().max(WHO_CHARS_MAX) }),
  post: z.strictObject(post),
  send: z.strictObject({
    ...post,
    to: z.string().max(WHO_CHARS_MAX),
    group: z.string().max(WHO_CHARS_MAX).exactOptional(),
  }),
  messages: z.strictObject({
    after: row.exactOptional(),
    limit: z.int().min(1).max(MESSAGES_MAX).exactOptional(),
  }),
  deadLetters: z.strictObject({}),
  feed: z.strictObject({ port: z.int().min(0).max(65_535).exactOptional() }),
  tail: z.strictObject({ after: row }),
  sync: z.strictObject({
    peer: z.string().max(WHO_CHARS_MAX).exactOptional(),
  }),
} as const;

export type PeerOperation = keyof typeof BODIES;

/** A question, or a change that ends with its transaction. Milliseconds. */
export const ANSWER_TIMEOUT_MS = 30_000;
/** A text of 64 KiB whose every character is escaped, and the rest. */
export const REQUEST_BYTES_MAX = 6 * BODY_BYTES_MAX + 4_096;

/** Where an operation is asked for. */
export const pathOf = (operation: PeerOperation): string => `/v1/peer/${operation}`;

export const isOperation = (name: string): name is PeerOperation => Object.hasOwn(BODIES, name);
