/** Rules of an envelope that need neither key nor clock of their own: form, lifetime, canonical text. */
import type { CodedError } from '../kernel/coded-error.ts';
import { envelopeError } from './envelope-errors.ts';
import { isEnvelope } from './envelope-form.ts';
import { ENVELOPE_KINDS, ENVELOPE_VERSION, envelopeSchema } from './envelope.schema.ts';
import type { Envelope, EnvelopeHeader, UnsignedHeader } from './envelope.schema.ts';
import {
  BODY_BYTES_MAX,
  ENVELOPE_BYTES_MAX,
  FUTURE_SKEW_MS,
  META_BODY_BYTES_MAX,
  META_ENVELOPE_BYTES_MAX,
} from './limits.ts';

/** Octets that the base64 text stands for. */
const base64Bytes = (text: string): number =>
  (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);

/**
 * An envelope of the right form and size from any JSON value. Throws MESH_ERR_ENVELOPE_VERSION and
 * MESH_ERR_ENVELOPE_KIND for what a newer program may know, MESH_ERR_ENVELOPE_TOO_LARGE, and
 * MESH_ERR_ENVELOPE_MALFORMED with the first fault for the rest.
 */
export function checkEnvelope(value: unknown): Envelope {
  const envelope = isEnvelope(value) ? value : asEnvelope(value);
  const octets = base64Bytes(envelope.body);
  const octetsMax = envelope.header.kind === 'meta' ? META_BODY_BYTES_MAX : BODY_BYTES_MAX;
  if (octets <= octetsMax) return envelope;
  throw envelopeError(
    'MESH_ERR_ENVELOPE_TOO_LARGE',
    `Reading ${envelope.header.message_id}: its body has ${octets} octets, at most ${octetsMax} may be.`,
  );
}

/** Says why not, where the quick look found that it is none. */
function asEnvelope(value: unknown): Envelope {
  const parsed = envelopeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw faultOf(value, parsed.error.issues[0]);
}

function faultOf(
  value: unknown,
  found: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined,
): CodedError {
  const header = memberOf(value, 'header');
  const version = memberOf(header, 'version');
  if (typeof version === 'number' && version !== ENVELOPE_VERSION)
    return envelopeError(
      'MESH_ERR_ENVELOPE_VERSION',
      `Reading an envelope: its header is of version ${version}, known is ${ENVELOPE_VERSION}.`,
    );
  const kind = memberOf(header, 'kind');
  const isKnown = ENVELOPE_KINDS.some((known) => known === kind);
  if (typeof kind === 'string' && !isKnown)
    return envelopeError(
      'MESH_ERR_ENVELOPE_KIND',
      `Reading an envelope: its kind is ${JSON.stringify(kind.slice(0, 40))}.`,
    );
  const place = found?.path.map(String).join('.') ?? '';
  const what = (found?.message ?? 'is no envelope').slice(0, 200);
  return envelopeError('MESH_ERR_ENVELOPE_MALFORMED', `Reading an envelope: ${place} ${what}.`, {
    details: { place },
  });
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

/** Most octets of the encoded form, by kind. */
export const encodedBytesMax = (kind: EnvelopeHeader['kind']): number =>
  kind === 'meta' ? META_ENVELOPE_BYTES_MAX : ENVELOPE_BYTES_MAX;

/** Milliseconds since the epoch at which the message has ended. */
export const expiresAt = (header: Pick<EnvelopeHeader, 'created_at' | 'ttl_seconds'>): number =>
  header.created_at + 1000 * header.ttl_seconds;

/** Whether it may still be kept and passed on. */
export const isAlive = (
  header: Pick<EnvelopeHeader, 'created_at' | 'ttl_seconds'>,
  nowMs: number,
): boolean => nowMs < expiresAt(header);

/** Whether it claims to be of a time that is not yet, beyond what clocks differ. */
export const isFromFuture = (header: Pick<EnvelopeHeader, 'created_at'>, nowMs: number): boolean =>
  header.created_at > nowMs + FUTURE_SKEW_MS;

/**
 * Refuses what is of another mesh or not of this time: MESH_ERR_ENVELOPE_FOREIGN_MESH,
 * MESH_ERR_ENVELOPE_EXPIRED, MESH_ERR_ENVELOPE_FUTURE.
 */
export function refuseUntimely(header: EnvelopeHeader, meshId: string, nowMs: number): void {
  const { message_id: id, mesh_id: mesh } = header;
  if (mesh !== meshId)
    throw envelopeError(
      'MESH_ERR_ENVELOPE_FOREIGN_MESH',
      `Taking ${id}: it is of the mesh ${mesh}, this is ${meshId}.`,
    );
  if (!isAlive(header, nowMs))
    throw envelopeError(
      'MESH_ERR_ENVELOPE_EXPIRED',
      `Taking ${id}: it ended ${nowMs - expiresAt(header)} ms ago.`,
    );
  if (isFromFuture(header, nowMs))
    throw envelopeError(
      'MESH_ERR_ENVELOPE_FUTURE',
      `Taking ${id}: it says that it was made ${header.created_at - nowMs} ms from now.`,
    );
}

/**
 * RFC 8785 text of a header without its id. No string of a checked header needs an escape, and an
 * integer is its own shortest form, so sorting the names once, here, is all that there is to do.
 */
export function canonicalUnsignedHeader(header: UnsignedHeader): string {
  return (
    `{"body_sha256":"${header.body_sha256}","created_at":${header.created_at}` +
    `,"kind":"${header.kind}","mesh_id":"${header.mesh_id}"${tailOf(header)}`
  );
}

/** RFC 8785 text of a whole envelope: its form on the wire. */
export function canonicalEnvelope({ body, header, signature }: Envelope): string {
  return (
    `{"body":"${body}","header":{"body_sha256":"${header.body_sha256}"` +
    `,"created_at":${header.created_at},"kind":"${header.kind}","mesh_id":"${header.mesh_id}"` +
    `,"message_id":"${header.message_id}"${tailOf(header)},"signature":"${signature}"}`
  );
}

/** The members after `message_id`, in order. */
const tailOf = (header: UnsignedHeader): string =>
  `,"recipient_id":"${header.recipient_id}"` +
  (header.reply_to === undefined ? '' : `,"reply_to":"${header.reply_to}"`) +
  `,"sender_id":"${header.sender_id}","seq":${header.seq}` +
  `,"ttl_seconds":${header.ttl_seconds},"version":${header.version}}`;
