/** One batch of envelopes: what becomes of each, in one transaction. */
import type {
  ItemResult,
  Settlement,
  SettlementResult,
  Tombstone,
  VerifiedItem,
} from '../../../actors/gossip/ports/peer-store.ts';
import { canonicalEnvelope, expiresAt } from '../../../machines/gossip/envelope.ts';
import type { EnvelopeHeader } from '../../../machines/gossip/envelope.schema.ts';
import {
  QUARANTINE_MAX,
  QUARANTINE_PER_AUTHOR_MAX,
  TTL_SECONDS_MAX,
} from '../../../machines/gossip/limits.ts';
import type { GroupDatabase } from '../sqlite/group-database.ts';
import { countIn, counter, hasMessage, numberIn, octets, prefixOf, setCounter } from './rows.ts';
import { KINDS } from './schema.ts';

/** Tombstones kept; one more takes the place of the oldest, which then costs one verification again. */
export const TOMBSTONES_MAX = 65_536;

/** How long a key is kept that no stored message needs: as long as any message lives. */
const KEY_LIFE_MS = 1000 * TTL_SECONDS_MAX;

const INSERT_MESSAGE =
  'INSERT INTO messages (row, id, prefix, sender, kind, created_at, expires_at, stored_at) ' +
  'VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
const INSERT_ENVELOPE = 'INSERT INTO envelopes (row, text) VALUES (?, ?)';
const INSERT_QUARANTINED =
  'INSERT INTO quarantine (row, id, signature, sender, via, expires_at, stored_at, text) ' +
  'VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, signature) DO NOTHING';
const INSERT_TOMBSTONE =
  'INSERT INTO tombstones (id, signature, via, expires_at) VALUES (?, ?, ?, ?) ' +
  'ON CONFLICT (id, signature) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)';

/** Within a write of the database. Also gives the newest row of the feed, if there is a new one. */
export class Settling {
  readonly #db: GroupDatabase;
  readonly #storedAt: number;
  readonly #hasEnded: boolean;
  readonly #hasQuarantined: boolean;
  readonly #firstRow: number;
  readonly #senders = new Map<string, Buffer>();
  #row: number;

  constructor(db: GroupDatabase, nowMs: number) {
    this.#db = db;
    this.#firstRow = this.#row = counter(db, 'row');
    const last = db.get('SELECT stored_at FROM messages ORDER BY row DESC LIMIT 1');
    this.#storedAt = Math.max(nowMs, last === undefined ? 0 : numberIn(last, 'stored_at'));
    this.#hasEnded = db.get('SELECT 1 AS one FROM ended LIMIT 1') !== undefined;
    this.#hasQuarantined = db.get('SELECT 1 AS one FROM quarantine LIMIT 1') !== undefined;
  }

  settle({ nowMs, keys, verified, quarantined, rejected }: Settlement): SettlementResult {
    for (const [peerId, key] of Object.entries(keys)) keepKey(this.#db, peerId, key, nowMs);
    const result = {
      verified: verified.map((item) => this.#store(item)),
      quarantined: quarantined.map((item) => this.#quarantine(item)),
    };
    this.#needKeys(verified);
    this.#reject(rejected);
    if (this.#row > this.#firstRow) setCounter(this.#db, 'row', this.#row);
    return result;
  }

  /** The newest row of the feed; undefined when nothing new is to be seen. */
  get newestRow(): number | undefined {
    return this.#row > this.#firstRow ? this.#row : undefined;
  }

  #store({ envelope }: VerifiedItem): ItemResult {
    const { header } = envelope;
    const id = octets(header.message_id);
    if (this.#hasQuarantined) this.#db.run('DELETE FROM quarantine WHERE id = ?', id);
    if (hasMessage(this.#db, header.message_id, id)) return 'duplicate';
    if (this.#hasEnded && this.#isEnded(id)) return 'duplicate';
    const row = ++this.#row;
    this.#db.run(
      INSERT_MESSAGE,
      row,
      id,
      prefixOf(header.message_id),
      this.#octetsOf(header.sender_id),
      kindNumber(header),
      header.created_at,
      expiresAt(header),
      this.#storedAt,
    );
    this.#db.run(INSERT_ENVELOPE, row, canonicalEnvelope(envelope));
    return 'stored';
  }

  #quarantine({ envelope, from }: VerifiedItem): ItemResult {
    const { header, signature } = envelope;
    const [id, sender] = [octets(header.message_id), octets(header.sender_id)];
    const isKnown =
      hasMessage(this.#db, header.message_id, id) ||
      this.#isEnded(id) ||
      this.#db.get(
        'SELECT 1 AS one FROM quarantine WHERE id = ? AND signature = ?',
        id,
        signature,
      ) !== undefined;
    if (isKnown) return 'duplicate';
    const ofAuthor = this.#db.get('SELECT count(*) AS n FROM quarantine WHERE sender = ?', sender);
    const isFull =
      Number(ofAuthor?.['n']) >= QUARANTINE_PER_AUTHOR_MAX ||
      countIn(this.#db, 'quarantine') >= QUARANTINE_MAX;
    if (isFull) return 'quarantineFull';
    const text = canonicalEnvelope(envelope);
    const life = [expiresAt(header), this.#storedAt] as const;
    this.#db.run(INSERT_QUARANTINED, ++this.#row, id, signature, sender, from, ...life, text);
    return 'quarantined';
  }

  #reject(rejected: readonly Tombstone[]): void {
    for (const { messageId, signature, from, expiresAtMs } of rejected) {
      const id = octets(messageId);
      this.#db.run(INSERT_TOMBSTONE, id, signature, from, expiresAtMs);
      this.#db.run('DELETE FROM quarantine WHERE id = ? AND signature = ?', id, signature);
    }
    if (rejected.length === 0) return;
    this.#db.run(
      'DELETE FROM tombstones WHERE seq <= (SELECT max(seq) FROM tombstones) - ?',
      TOMBSTONES_MAX,
    );
  }

  /** A key is kept as long as the longest-lived message of its owner. */
  #needKeys(verified: readonly VerifiedItem[]): void {
    const needed = new Map<string, number>();
    for (const { envelope } of verified) {
      const { sender_id: sender } = envelope.header;
      needed.set(sender, Math.max(needed.get(sender) ?? 0, expiresAt(envelope.header)));
    }
    for (const [sender, until] of needed)
      this.#db.run(
        'UPDATE keys SET expires_at = ? WHERE peer_id = ? AND expires_at < ?',
        until,
        octets(sender),
        until,
      );
  }

  /** A batch is of a few authors. */
  #octetsOf(sender: string): Buffer {
    const known = this.#senders.get(sender) ?? octets(sender);
    this.#senders.set(sender, known);
    return known;
  }

  #isEnded(id: Buffer): boolean {
    return this.#db.get('SELECT 1 AS one FROM ended WHERE id = ?', id) !== undefined;
  }
}

/** Within a write of the database. A key never changes: it hashes to its owner's id. */
export function keepKey(db: GroupDatabase, peerId: string, publicKey: string, nowMs: number): void {
  db.run(
    'INSERT INTO keys (peer_id, public_key, expires_at) VALUES (?, ?, ?) ' +
      'ON CONFLICT (peer_id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)',
    octets(peerId),
    octets(publicKey),
    nowMs + KEY_LIFE_MS,
  );
}

function kindNumber({ kind, message_id: id }: EnvelopeHeader): number {
  const number = KINDS.findIndex((known) => known === kind);
  if (number < 0) throw new TypeError(`Storing ${id}: a ${kind} message is never kept.`);
  return number;
}
