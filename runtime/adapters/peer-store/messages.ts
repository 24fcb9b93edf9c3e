/** What a peer has, and what of it others and the feed may see. */
import type {
  FeedItem,
  PublicEnvelopes,
  PublicPage,
  VerifiedItem,
} from '../../../actors/gossip/ports/peer-store.ts';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { gossipError } from '../../../machines/gossip/gossip-errors.ts';
import { FUTURE_SKEW_MS } from '../../../machines/gossip/limits.ts';
import type { GroupDatabase } from '../sqlite/group-database.ts';
import {
  counter,
  envelopeOf,
  hasMessage,
  hexIn,
  numberIn,
  octets,
  prefixOf,
  setCounter,
  textIn,
} from './rows.ts';
import type { Row } from './rows.ts';
import { KINDS } from './schema.ts';

/** Rows read before others get a turn: some milliseconds of work. */
const SLICE_ROWS = 4096;
const PUBLIC = KINDS.indexOf('public');
/** Bits of the number that tells this file from another: what fits into a safe integer. */
const EPOCH_BYTES = 6;

/** Of these ids, those that are neither stored nor ended, in order. */
export const missingOf = (db: GroupDatabase, ids: readonly string[]): string[] =>
  ids.filter((id) => {
    const bytes = octets(id);
    if (hasMessage(db, id, bytes)) return false;
    return db.get('SELECT 1 AS one FROM ended WHERE id = ?', bytes) === undefined;
  });

export const tombstonesAmong = (
  db: GroupDatabase,
  pairs: readonly { readonly messageId: string; readonly signature: string }[],
): number[] =>
  pairs.flatMap(({ messageId, signature }, index) =>
    db.get(
      'SELECT 1 AS one FROM tombstones WHERE id = ? AND signature = ?',
      octets(messageId),
      signature,
    ) === undefined
      ? []
      : [index],
  );

/** Quarantined messages whose author's key is known, oldest first. */
export const backfillable = (db: GroupDatabase, limit: number): VerifiedItem[] =>
  db
    .all(
      'SELECT text, via FROM quarantine JOIN keys ON keys.peer_id = quarantine.sender ' +
        'ORDER BY row LIMIT ?',
      limit,
    )
    .map((row) => ({ envelope: envelopeOf(row['text']), from: textIn(row, 'via') }));

/** Of this file: a cursor of another one, or of this peer before it lost its own, leads nowhere. */
export const epochOf = (db: GroupDatabase): string =>
  counter(db, 'epoch')
    .toString(16)
    .padStart(2 * EPOCH_BYTES, '0');

/** Within a write. */
export function ensureEpoch(db: GroupDatabase, randomHex: (bytes: number) => string): void {
  if (counter(db, 'epoch') === 0)
    setCounter(db, 'epoch', Number.parseInt(randomHex(EPOCH_BYTES), 16) + 1);
}

export interface PublicQuery {
  readonly sinceMs: number;
  readonly cursor: string | null;
  readonly limit: number;
  readonly nowMs: number;
}

/** A page in the order of storing; `epoch` is the one of this file. */
export function publicSince(
  db: GroupDatabase,
  epoch: string,
  { sinceMs, cursor, limit, nowMs }: PublicQuery,
): PublicPage {
  const after =
    cursor === null ? firstRowSince(db, sinceMs - FUTURE_SKEW_MS) - 1 : rowOf(epoch, cursor);
  const found = db.lists(
    'SELECT lower(hex(id)), row FROM messages WHERE row > ? AND kind = ? AND expires_at > ? ' +
      'AND (stored_at >= ? OR created_at >= ?) ORDER BY row LIMIT ?',
    after,
    PUBLIC,
    nowMs,
    sinceMs,
    sinceMs,
    limit + 1,
  );
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const isEnd = found.length <= limit || last === undefined;
  return {
    ids: page.map(([id]) => String(id)),
    next: isEnd ? null : `${epoch}.${Number(last[1])}`,
  };
}

function rowOf(epoch: string, cursor: string): number {
  const [own, row] = cursor.split('.');
  if (own === epoch && row !== undefined && /^[0-9]{1,15}$/.test(row)) return Number(row);
  throw gossipError(
    'MESH_ERR_GOSSIP_CURSOR',
    `Reading a page from ${JSON.stringify(cursor.slice(0, 60))}: it is no cursor of this store.`,
  );
}

/** The first row that was stored at `storedAtMs` or later, or one beyond the last; by bisection. */
function firstRowSince(db: GroupDatabase, storedAtMs: number): number {
  let [low, high] = [0, counter(db, 'row') + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = db.get(
      'SELECT row, stored_at FROM messages WHERE row >= ? ORDER BY row LIMIT 1',
      middle,
    );
    if (next !== undefined && numberIn(next, 'stored_at') < storedAtMs)
      low = numberIn(next, 'row') + 1;
    else high = middle;
  }
  return low;
}

const PUBLIC_ONE =
  'SELECT text, keys.public_key AS public_key FROM messages ' +
  'JOIN envelopes ON envelopes.row = messages.row LEFT JOIN keys ON keys.peer_id = messages.sender ' +
  'WHERE prefix = ? AND id = ? AND kind = ? AND messages.expires_at > ?';

export function publicEnvelopes(
  db: GroupDatabase,
  ids: readonly string[],
  { nowMs, bytesMax }: { readonly nowMs: number; readonly bytesMax: number },
): PublicEnvelopes {
  const envelopes: Envelope[] = [];
  const senderKeys: Record<string, string> = {};
  const gone: string[] = [];
  let bytes = 0;
  for (const [at, id] of ids.entries()) {
    const row = db.get(PUBLIC_ONE, prefixOf(id), octets(id), PUBLIC, nowMs);
    if (row === undefined) {
      gone.push(id);
      continue;
    }
    const text = textIn(row, 'text');
    bytes += text.length;
    if (bytes > bytesMax && envelopes.length > 0)
      return { envelopes, senderKeys, gone, left: ids.slice(at) };
    const envelope = envelopeOf(text);
    envelopes.push(envelope);
    if (row['public_key'] !== null)
      senderKeys[envelope.header.sender_id] = hexIn(row, 'public_key');
  }
  return { envelopes, senderKeys, gone, left: [] };
}

/** All of it, read in slices: others get their turn in between. */
export async function publicSet(
  db: GroupDatabase,
  nowMs: number,
): Promise<(readonly [string, number])[]> {
  const all: (readonly [string, number])[] = [];
  for (let after = 0; ;) {
    const slice = db.read(() =>
      db.lists(
        'SELECT lower(hex(id)), created_at, row FROM messages ' +
          'WHERE row > ? AND kind = ? AND expires_at > ? ORDER BY row LIMIT ?',
        after,
        PUBLIC,
        nowMs,
        SLICE_ROWS,
      ),
    );
    for (const [id, createdAt] of slice) all.push([String(id), Number(createdAt)]);
    const last = slice.at(-1);
    if (last === undefined || slice.length < SLICE_ROWS) return all;
    after = Number(last[2]);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

const FEED =
  'SELECT messages.row AS row, text, stored_at, 1 AS verified FROM messages ' +
  'JOIN envelopes ON envelopes.row = messages.row WHERE messages.row > :after ' +
  'UNION ALL SELECT row, text, stored_at, 0 FROM quarantine WHERE row > :after ';

/** Oldest first, after that row. */
export const feed = (db: GroupDatabase, after: number, limit: number): FeedItem[] =>
  db.statement(`${FEED} ORDER BY row LIMIT :limit`).all({ after, limit }).map(feedItemOf);

/** The newest, oldest of them first. */
export const feedTail = (db: GroupDatabase, limit: number): FeedItem[] =>
  db
    .statement(`${FEED} ORDER BY row DESC LIMIT :limit`)
    .all({ after: 0, limit })
    .map(feedItemOf)
    .toReversed();

const feedItemOf = (row: Row): FeedItem => ({
  row: numberIn(row, 'row'),
  envelope: envelopeOf(row['text']),
  isVerified: row['verified'] === 1,
  storedAtMs: numberIn(row, 'stored_at'),
});
