/** The end of what has expired. */
import { CLOCK_SKEW_MS } from '../../../machines/gossip/session-limits.ts';
import type { GroupDatabase } from '../sqlite/group-database.ts';
import { numberIn } from './rows.ts';

/** Of these, a row that has expired is simply removed. */
const OTHERS = ['quarantine', 'tombstones', 'outbox', 'dead_letters'] as const;
const BY_ID = ['ended', 'seen'] as const;

/** Within a write. Removes at most `limit` rows; gives how many. */
export function prune(db: GroupDatabase, nowMs: number, limit: number): number {
  let removed = endMessages(db, nowMs, limit);
  for (const table of OTHERS) removed += remove(db, table, 'rowid', nowMs, limit - removed);
  for (const table of BY_ID) removed += remove(db, table, 'id', nowMs, limit - removed);
  return removed + removeKeys(db, nowMs, limit - removed);
}

/** Their ids are remembered as long as a peer with a slow clock may still offer them. */
function endMessages(db: GroupDatabase, nowMs: number, limit: number): number {
  const expired = db.all(
    'SELECT row, id, expires_at FROM messages WHERE expires_at <= ? ORDER BY expires_at LIMIT ?',
    nowMs,
    limit,
  );
  for (const found of expired) {
    const row = numberIn(found, 'row');
    db.run(
      'INSERT INTO ended (id, expires_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING',
      found['id'] as Uint8Array,
      numberIn(found, 'expires_at') + 2 * CLOCK_SKEW_MS,
    );
    db.run('DELETE FROM messages WHERE row = ?', row);
    db.run('DELETE FROM envelopes WHERE row = ?', row);
  }
  return expired.length;
}

const remove = (
  db: GroupDatabase,
  table: string,
  key: 'rowid' | 'id',
  nowMs: number,
  limit: number,
): number =>
  limit <= 0
    ? 0
    : db.run(
        `DELETE FROM ${table} WHERE ${key} IN ` +
          `(SELECT ${key} FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
        nowMs,
        limit,
      );

/** Keys that no living message and no peer of the owner needs. */
const removeKeys = (db: GroupDatabase, nowMs: number, limit: number): number =>
  limit <= 0
    ? 0
    : db.run(
        'DELETE FROM keys WHERE peer_id IN (SELECT peer_id FROM keys WHERE expires_at <= ? ' +
          'AND peer_id NOT IN (SELECT peer_id FROM peers) ORDER BY expires_at LIMIT ?)',
        nowMs,
        limit,
      );
