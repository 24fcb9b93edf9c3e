/**
 * The inboxes of a relay in one SQLite file: what is accepted is on disk (write-ahead log, every
 * commit synced), and all requests of one turn share a commit. Leases are in memory: after a restart
 * everything that was not acknowledged is there again, which is what at least once means.
 */
import type { Clock } from '../../machines/kernel/clock.ts';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import type { EnvelopeHeader } from '../../machines/gossip/envelope.schema.ts';
import { gossipStoreError } from '../../machines/gossip/store-errors.ts';
import { hexIn, numberIn, octets, textIn } from './peer-store/rows.ts';
import { APPLICATION_ID, MIGRATIONS } from './relay-store/schema.ts';
import { UnsoundFile } from './sqlite/damage.ts';
import { GroupDatabase } from './sqlite/group-database.ts';
import type { DatabaseFaults } from './sqlite/group-database.ts';

export interface SqliteRelayStoreOptions {
  /** The file, made where it is missing; its folder must exist. `:memory:` for one that is lost. */
  readonly path: string;
  readonly clock: Clock;
  /** Largest size of the file, in octets; a commit beyond it is refused. Default 8 GiB. */
  readonly bytesMax?: number;
  /** Is told of a damaged file that was renamed and replaced. Default: a warning of the process. */
  readonly onCorrupt?: (error: CodedError) => void;
}

/** One message for one inbox. */
export interface Mail {
  readonly messageId: string;
  readonly recipient: string;
  readonly sender: string;
  /** Raw public key, lower-case hex. */
  readonly senderKey: string;
  readonly expiresAtMs: number;
  /** As it came: canonical. */
  readonly text: string;
}

/** What became of one message. */
export type MailResult = 'accepted' | 'duplicate' | 'inboxFull' | 'senderFull';

export interface LeasedMail {
  readonly lease: string;
  readonly senderKey: string;
  readonly text: string;
}

/** Most that waits, in messages and octets. */
export interface MailQuotas {
  readonly inboxItemsMax: number;
  readonly inboxBytesMax: number;
  readonly inboxItemsOfSenderMax: number;
  readonly senderItemsMax: number;
  readonly senderBytesMax: number;
}

export interface LeaseRequest {
  readonly max: number;
  readonly bytesMax: number;
  readonly leaseMs: number;
  readonly nowMs: number;
}

export interface RelayStoreCounts {
  readonly items: number;
  readonly bytes: number;
  readonly inboxes: number;
  readonly settled: number;
  readonly leased: number;
}

/**
 * Every method rejects or throws MESH_ERR_RELAY_STORE_UNAVAILABLE when the database cannot be used,
 * MESH_ERR_RELAY_STORE_CORRUPT when it is damaged.
 */
export interface RelayStore {
  /** One result per message, in order; durable when it resolves. */
  accept(mail: readonly Mail[], quotas: MailQuotas): Promise<readonly MailResult[]>;
  /** Alive and not leased, those that were leased least often first, then the oldest. */
  lease(peer: string, request: LeaseRequest): readonly LeasedMail[];
  /** Removes what the peer has; leases that are not its own, or unknown, are left alone. Durable. */
  ack(peer: string, leases: readonly string[]): Promise<number>;
  /** Headers of what waits for the peer, oldest first, without leasing it. */
  headers(peer: string, limit: number): readonly EnvelopeHeader[];
  hasMail(peer: string, nowMs: number): boolean;
  /** Removes expired rows, at most `limit`; gives how many. */
  prune(nowMs: number, limit: number): Promise<number>;
  counts(): RelayStoreCounts;
  /** Idempotent. */
  close(): void;
}

const BYTES_MAX_DEFAULT = 8 * 1024 ** 3;
/** Acknowledged messages that are remembered; a copy of an older one is taken again, and dropped by its reader. */
export const SETTLED_MAX = 1_000_000;

const FAULTS: DatabaseFaults = {
  unavailable: (message, cause) =>
    gossipStoreError('MESH_ERR_RELAY_STORE_UNAVAILABLE', message, { cause }),
  corrupt: (message, cause) => gossipStoreError('MESH_ERR_RELAY_STORE_CORRUPT', message, { cause }),
  locked: (message, cause) => gossipStoreError('MESH_ERR_RELAY_STORE_LOCKED', message, { cause }),
  newer: (message) => gossipStoreError('MESH_ERR_RELAY_STORE_SCHEMA_NEWER', message),
};

/**
 * Opens the inboxes. Throws MESH_ERR_RELAY_STORE_LOCKED where another relay has the file, else
 * MESH_ERR_RELAY_STORE_SCHEMA_NEWER or MESH_ERR_RELAY_STORE_UNAVAILABLE.
 */
export function openRelayStore(options: SqliteRelayStoreOptions): RelayStore {
  const { path, clock, bytesMax = BYTES_MAX_DEFAULT } = options;
  const onCorrupt = options.onCorrupt ?? ((error: CodedError) => process.emitWarning(error));
  return new SqliteRelayStore(
    new GroupDatabase({
      path,
      clock,
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
      bytesMax,
      faults: FAULTS,
      onCorrupt,
    }),
  );
}

interface Lease {
  untilMs: number;
  count: number;
}

class SqliteRelayStore implements RelayStore {
  readonly #db: GroupDatabase;
  /** By row; each is of a row that is there. */
  readonly #leases = new Map<number, Lease>();

  constructor(db: GroupDatabase) {
    this.#db = db;
  }

  accept(mail: readonly Mail[], quotas: MailQuotas): Promise<readonly MailResult[]> {
    return this.#db.write(() => mail.map((one) => this.#acceptOne(one, quotas)));
  }

  lease(peer: string, { max, bytesMax, leaseMs, nowMs }: LeaseRequest): readonly LeasedMail[] {
    return this.#db.read(() => {
      const leased: LeasedMail[] = [];
      let bytes = 0;
      for (const { row, count } of this.#leasable(peer, nowMs)) {
        if (leased.length === max) break;
        const found = this.#db.get('SELECT text, sender_key FROM items WHERE row = ?', row);
        if (found === undefined) continue;
        const text = textIn(found, 'text');
        bytes += text.length;
        if (bytes > bytesMax && leased.length > 0) break;
        this.#leases.set(row, { untilMs: nowMs + leaseMs, count: count + 1 });
        leased.push({ lease: String(row), senderKey: hexIn(found, 'sender_key'), text });
      }
      return leased;
    });
  }

  async ack(peer: string, leases: readonly string[]): Promise<number> {
    const rows = leases.filter((lease) => /^[1-9][0-9]{0,14}$/.test(lease)).map(Number);
    const recipient = octets(peer);
    const removed = await this.#db.write(() =>
      rows.filter((row) => {
        const found = this.#db.get(
          'SELECT row, recipient, sender, id, bytes, expires_at FROM items ' +
            'WHERE row = ? AND recipient = ?',
          row,
          recipient,
        );
        if (found === undefined) return false;
        this.#remove(found);
        this.#settle(found);
        return true;
      }),
    );
    for (const row of removed) this.#leases.delete(row);
    return removed.length;
  }

  headers(peer: string, limit: number): readonly EnvelopeHeader[] {
    return this.#db.read(() =>
      this.#db
        .all('SELECT text FROM items WHERE recipient = ? ORDER BY row LIMIT ?', octets(peer), limit)
        .map((row) => headerIn(textIn(row, 'text'))),
    );
  }

  hasMail(peer: string, nowMs: number): boolean {
    const sql = 'SELECT 1 AS one FROM items WHERE recipient = ? AND expires_at > ? LIMIT 1';
    return this.#db.read(() => this.#db.get(sql, octets(peer), nowMs) !== undefined);
  }

  async prune(nowMs: number, limit: number): Promise<number> {
    const { removed, rows } = await this.#db.write(() => {
      const expired = this.#db.all(
        'SELECT row, recipient, sender, bytes FROM items WHERE expires_at <= ? ' +
          'ORDER BY expires_at LIMIT ?',
        nowMs,
        limit,
      );
      for (const found of expired) this.#remove(found);
      const settled = this.#db.run(
        'DELETE FROM settled WHERE seq IN ' +
          '(SELECT seq FROM settled WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)',
        nowMs,
        limit - expired.length,
      );
      return {
        removed: expired.length + settled,
        rows: expired.map((found) => numberIn(found, 'row')),
      };
    });
    for (const row of rows) this.#leases.delete(row);
    return removed;
  }

  counts(): RelayStoreCounts {
    return this.#db.read(() => {
      const used = this.#db.get(
        "SELECT count(*) AS inboxes, total(items) AS items, total(bytes) AS bytes FROM usage WHERE of = 'r'",
      );
      const settled = this.#db.get('SELECT count(*) AS rows FROM settled');
      return {
        items: Number(used?.['items'] ?? 0),
        bytes: Number(used?.['bytes'] ?? 0),
        inboxes: Number(used?.['inboxes'] ?? 0),
        settled: Number(settled?.['rows'] ?? 0),
        leased: this.#leases.size,
      };
    });
  }

  close(): void {
    this.#leases.clear();
    this.#db.close();
  }

  #acceptOne(mail: Mail, quotas: MailQuotas): MailResult {
    const [recipient, sender] = [octets(mail.recipient), octets(mail.sender)];
    const id = octets(mail.messageId);
    const isKnown =
      this.#db.get('SELECT 1 AS one FROM items WHERE recipient = ? AND id = ?', recipient, id) ??
      this.#db.get('SELECT 1 AS one FROM settled WHERE recipient = ? AND id = ?', recipient, id);
    if (isKnown !== undefined) return 'duplicate';
    const bytes = mail.text.length;
    const inbox = this.#usage('r', recipient);
    const ofPair = this.#usage('p', Buffer.concat([recipient, sender]));
    const isInboxFull =
      inbox.items >= quotas.inboxItemsMax ||
      inbox.bytes + bytes > quotas.inboxBytesMax ||
      ofPair.items >= quotas.inboxItemsOfSenderMax;
    if (isInboxFull) return 'inboxFull';
    const ofSender = this.#usage('s', sender);
    const isSenderFull =
      ofSender.items >= quotas.senderItemsMax || ofSender.bytes + bytes > quotas.senderBytesMax;
    if (isSenderFull) return 'senderFull';
    this.#db.run(
      'INSERT INTO items (recipient, id, sender, sender_key, expires_at, bytes, text) ' +
        'VALUES (?, ?, ?, ?, ?, ?, ?)',
      recipient,
      id,
      sender,
      octets(mail.senderKey),
      mail.expiresAtMs,
      bytes,
      mail.text,
    );
    this.#use(recipient, sender, 1, bytes);
    return 'accepted';
  }

  /** Rows of the inbox that nobody has, in the order in which they are given. */
  #leasable(peer: string, nowMs: number): { readonly row: number; readonly count: number }[] {
    return this.#db
      .lists(
        'SELECT row FROM items WHERE recipient = ? AND expires_at > ? ORDER BY row',
        octets(peer),
        nowMs,
      )
      .map(([row]) => Number(row))
      .filter((row) => (this.#leases.get(row)?.untilMs ?? 0) <= nowMs)
      .map((row) => ({ row, count: this.#leases.get(row)?.count ?? 0 }))
      .toSorted((a, b) => a.count - b.count || a.row - b.row);
  }

  #remove(found: Record<string, unknown>): void {
    this.#db.run('DELETE FROM items WHERE row = ?', numberIn(found, 'row'));
    const [recipient, sender] = [bytesIn(found, 'recipient'), bytesIn(found, 'sender')];
    this.#use(recipient, sender, -1, -numberIn(found, 'bytes'));
  }

  #settle(found: Record<string, unknown>): void {
    this.#db.run(
      'INSERT INTO settled (recipient, id, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      bytesIn(found, 'recipient'),
      bytesIn(found, 'id'),
      numberIn(found, 'expires_at'),
    );
    this.#db.run(
      'DELETE FROM settled WHERE seq <= (SELECT max(seq) FROM settled) - ?',
      SETTLED_MAX,
    );
  }

  #usage(of: string, who: Uint8Array): { readonly items: number; readonly bytes: number } {
    const found = this.#db.get('SELECT items, bytes FROM usage WHERE of = ? AND who = ?', of, who);
    return { items: Number(found?.['items'] ?? 0), bytes: Number(found?.['bytes'] ?? 0) };
  }

  #use(recipient: Uint8Array, sender: Uint8Array, items: number, bytes: number): void {
    const whose = [
      ['r', recipient],
      ['s', sender],
      ['p', Buffer.concat([recipient, sender])],
    ] as const;
    for (const [of, who] of whose) {
      this.#db.run(
        'INSERT INTO usage (of, who, items, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (of, who) ' +
          'DO UPDATE SET items = items + excluded.items, bytes = bytes + excluded.bytes',
        of,
        who,
        items,
        bytes,
      );
      if (items < 0)
        this.#db.run('DELETE FROM usage WHERE of = ? AND who = ? AND items <= 0', of, who);
    }
  }
}

function bytesIn(row: Record<string, unknown>, column: string): Uint8Array {
  const bytes = row[column];
  if (bytes instanceof Uint8Array) return bytes;
  throw new UnsoundFile(`${column} holds no octets`);
}

function headerIn(text: string): EnvelopeHeader {
  try {
    return (JSON.parse(text) as { header: EnvelopeHeader }).header;
  } catch (cause) {
    throw new UnsoundFile('a stored envelope is no JSON', { cause });
  }
}
