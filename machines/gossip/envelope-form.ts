/**
 * The form of an envelope, looked at without making anything: a tenth of the schema's time, and a
 * delivery has hundreds. It says the same as the schema, which a differential spec holds it to; what
 * it does not take is looked at by the schema, which can say why.
 */
import { isName } from '../kernel/ids.ts';
import { ENVELOPE_KINDS, EVERYBODY, SHA256_HEX, SIGNATURE, isBase64 } from './envelope.schema.ts';
import type { Envelope } from './envelope.schema.ts';
import { BODY_CHARS_MAX, TTL_SECONDS_MAX } from './limits.ts';

const ENVELOPE_MEMBERS = 3;
const HEADER_MEMBERS = 10;
const KINDS: ReadonlySet<unknown> = new Set(ENVELOPE_KINDS);

/** Whether a JSON value, as a parser gives it, is an envelope of the right form. */
export function isEnvelope(value: unknown): value is Envelope {
  if (!isRecord(value) || Object.keys(value).length !== ENVELOPE_MEMBERS) return false;
  const { header, body, signature } = value;
  return (
    typeof body === 'string' &&
    body.length <= BODY_CHARS_MAX &&
    isBase64(body) &&
    typeof signature === 'string' &&
    SIGNATURE.test(signature) &&
    isRecord(header) &&
    isHeader(header)
  );
}

type JsonRecord = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isHeader(header: JsonRecord): boolean {
  const isReply = Object.hasOwn(header, 'reply_to');
  const recipient = header['recipient_id'];
  const ttl = header['ttl_seconds'];
  const mesh = header['mesh_id'];
  return (
    Object.keys(header).length === (isReply ? HEADER_MEMBERS + 1 : HEADER_MEMBERS) &&
    header['version'] === 1 &&
    KINDS.has(header['kind']) &&
    (header['kind'] === 'public' ? recipient === EVERYBODY : isSha256(recipient)) &&
    typeof mesh === 'string' &&
    isName(mesh) &&
    isSha256(header['message_id']) &&
    isSha256(header['sender_id']) &&
    isSha256(header['body_sha256']) &&
    isCount(header['created_at']) &&
    isCount(header['seq']) &&
    isCount(ttl) &&
    ttl >= 1 &&
    ttl <= TTL_SECONDS_MAX &&
    (!isReply || isSha256(header['reply_to']))
  );
}

const isSha256 = (value: unknown): boolean => typeof value === 'string' && SHA256_HEX.test(value);

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
