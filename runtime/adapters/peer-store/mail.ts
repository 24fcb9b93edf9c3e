/** What is to be sent, what could not be, and what was handled already. */
import type {
  DeadLetter,
  OutboxItem,
  OutboxResult,
} from '../../../actors/gossip/ports/peer-store.ts';
import { canonicalEnvelope, expiresAt } from '../../../machines/gossip/envelope.ts';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { gossipError } from '../../../machines/gossip/gossip-errors.ts';
import type { GroupDatabase } from '../sqlite/group-database.ts';
import { countIn, counter, envelopeOf, numberIn, octets, setCounter, textIn } from './rows.ts';

/** Messages that may wait for the relay: a week of one a minute. */
export const OUTBOX_MAX = 10_000;
/** Dead letters kept, the newest. */
export const DEAD_LETTERS_MAX = 1000;
/** Characters of a reason. */
const REASON_MAX = 500;

/** Within a write. Gives those that were not noted before. */
export const markSeen = (
  db: GroupDatabase,
  entries: readonly { readonly messageId: string; readonly expiresAtMs: number }[],
): string[] =>
  entries.flatMap(({ messageId, expiresAtMs }) =>
    db.run(
      'INSERT INTO seen (id, expires_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING',
      octets(messageId),
      expiresAtMs,
    ) === 0
      ? []
      : [messageId],
  );

/** Within a write. */
export function nextSeq(db: GroupDatabase): number {
  const seq = counter(db, 'seq') + 1;
  setCounter(db, 'seq', seq);
  return seq;
}

/** Within a write. Gives whether it is new. */
export function addOutgoing(db: GroupDatabase, envelope: Envelope): boolean {
  const { header } = envelope;
  const id = octets(header.message_id);
  if (db.get('SELECT 1 AS one FROM outbox WHERE id = ?', id) !== undefined) return false;
  if (countIn(db, 'outbox') >= OUTBOX_MAX)
    throw gossipError(
      'MESH_ERR_GOSSIP_OUTBOX_FULL',
      `Keeping ${header.message_id} to be sent: ${OUTBOX_MAX} messages wait already.`,
    );
  const insert = 'INSERT INTO outbox (id, expires_at, text) VALUES (?, ?, ?)';
  db.run(insert, id, expiresAt(header), canonicalEnvelope(envelope));
  return true;
}

export const dueOutgoing = (db: GroupDatabase, nowMs: number, limit: number): OutboxItem[] =>
  db
    .all(
      'SELECT text, attempts, due_at FROM outbox WHERE due_at <= ? AND expires_at > ? ' +
        'ORDER BY due_at, seq LIMIT ?',
      nowMs,
      nowMs,
      limit,
    )
    .map((row) => ({
      envelope: envelopeOf(row['text']),
      attempts: numberIn(row, 'attempts'),
      dueAtMs: numberIn(row, 'due_at'),
    }));

export function nextOutgoingAtMs(db: GroupDatabase): number | null {
  const row = db.get('SELECT due_at FROM outbox ORDER BY due_at, seq LIMIT 1');
  return row === undefined ? null : numberIn(row, 'due_at');
}

/** Within a write. */
export function settleOutgoing(db: GroupDatabase, results: readonly OutboxResult[]): void {
  for (const result of results) {
    const id = octets(result.messageId);
    if (result.type === 'retry') {
      const update = 'UPDATE outbox SET attempts = attempts + 1, due_at = ? WHERE id = ?';
      db.run(update, result.dueAtMs, id);
      continue;
    }
    if (result.type === 'dead') bury(db, id, result.code, result.reason);
    db.run('DELETE FROM outbox WHERE id = ?', id);
  }
}

function bury(db: GroupDatabase, id: Buffer, code: string, reason: string): void {
  db.run(
    'INSERT OR REPLACE INTO dead_letters (id, attempts, code, reason, expires_at, text) ' +
      'SELECT id, attempts + 1, ?, ?, expires_at, text FROM outbox WHERE id = ?',
    code,
    reason.slice(0, REASON_MAX),
    id,
  );
  db.run(
    'DELETE FROM dead_letters WHERE seq <= (SELECT max(seq) FROM dead_letters) - ?',
    DEAD_LETTERS_MAX,
  );
}

export const deadLetters = (db: GroupDatabase, limit: number): DeadLetter[] =>
  db
    .all('SELECT text, attempts, code, reason FROM dead_letters ORDER BY seq DESC LIMIT ?', limit)
    .map((row) => ({
      envelope: envelopeOf(row['text']),
      code: textIn(row, 'code'),
      reason: textIn(row, 'reason'),
      attempts: numberIn(row, 'attempts'),
    }));
