/** Rows for people, from what the store holds. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DeadLetter, FeedItem, PeerRecord } from '../../../actors/gossip/ports/peer-store.ts';
import { EVERYBODY } from '../../../machines/gossip/envelope.schema.ts';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { expiresAt } from '../../../machines/gossip/envelope.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { bodyOf } from '../envelope-codec.ts';
import type { DeadLetterRow, MessageRow, PeerRow } from '../message-view.ts';
import { openDirect, openGroup, readGroupKey } from '../sealed.ts';

/** Group keys that are tried on a group's message. */
const GROUPS_MAX = 64;

/** What opens bodies here. */
export interface Opener {
  readonly ownId: string;
  /** Ed25519, 64 bytes. */
  readonly secretKey: Uint8Array;
  readonly groupKeys: readonly Uint8Array[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
export const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

/** Keys of the groups that this peer is a member of: `groups/NAME.key`. MESH_ERR_SEALED_GROUP_KEY. */
export function groupKeysIn(folder: string): Uint8Array[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.key'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
  return names
    .toSorted()
    .slice(0, GROUPS_MAX)
    .map((name) => readGroupKey(join(folder, name)));
}

export function messageRow(
  { row, envelope, isVerified, storedAtMs }: FeedItem,
  names: ReadonlyMap<string, string>,
  keys: Readonly<Record<string, string>>,
  opener: Opener,
): MessageRow {
  const { header } = envelope;
  const body = bodyOf(envelope);
  return {
    row,
    id: header.message_id,
    kind: header.kind === 'meta' ? 'public' : header.kind,
    author: header.sender_id,
    authorName: names.get(header.sender_id) ?? null,
    recipient: header.recipient_id === EVERYBODY ? null : header.recipient_id,
    text: textOf(envelope, keys, opener),
    bytes: body.length,
    createdAt: iso(header.created_at),
    expiresAt: iso(expiresAt(header)),
    storedAt: iso(storedAtMs),
    isVerified,
    isOwn: header.sender_id === opener.ownId,
    replyTo: header.reply_to ?? null,
  };
}

function textOf(
  envelope: Envelope,
  keys: Readonly<Record<string, string>>,
  opener: Opener,
): string | null {
  try {
    return utf8.decode(clearBody(envelope, keys, opener));
  } catch {
    // Sealed for others, or no text: shown as such, which null says.
    return null;
  }
}

function clearBody(
  envelope: Envelope,
  keys: Readonly<Record<string, string>>,
  { ownId, secretKey, groupKeys }: Opener,
): Uint8Array {
  const { kind, sender_id: sender, recipient_id: recipient } = envelope.header;
  const body = bodyOf(envelope);
  if (kind === 'public') return body;
  if (kind === 'group') return openWithAny(body, groupKeys);
  const other = sender === ownId ? recipient : sender;
  return openDirect(body, { secretKey, otherKey: Buffer.from(keys[other] ?? '', 'hex') });
}

function openWithAny(body: Uint8Array, groupKeys: readonly Uint8Array[]): Uint8Array {
  for (const key of groupKeys)
    try {
      return openGroup(body, key);
    } catch {
      // Of another group: the next key may be the one.
    }
  throw new Error('No group key opens it.');
}

export const peerRow = (record: PeerRecord, state: string): PeerRow => ({
  peerId: record.peerId,
  name: record.name,
  state,
  outcome: record.outcome,
  queriedAt: isoOrNull(record.queriedAtMs),
  completedAt: isoOrNull(record.completedAtMs),
  misbehaved: record.misbehaved,
});

export const deadLetterRow = ({ envelope, code, reason, attempts }: DeadLetter): DeadLetterRow => ({
  id: envelope.header.message_id,
  recipient: envelope.header.recipient_id,
  code,
  reason,
  attempts,
  createdAt: iso(envelope.header.created_at),
});
