/** Peers that are asked, and keys of all authors. */
import type { OpenSession, PeerRecord } from '../../../actors/gossip/ports/peer-store.ts';
import type { GroupDatabase } from '../sqlite/group-database.ts';
import { hexIn, numberIn, numberOrNull, octets, textIn, textOrNull } from './rows.ts';
import type { Row } from './rows.ts';
import { keepKey } from './settling.ts';

export function keysOf(db: GroupDatabase, peerIds: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const peerId of new Set(peerIds)) {
    const row = db.get('SELECT public_key FROM keys WHERE peer_id = ?', octets(peerId));
    if (row !== undefined) found[peerId] = hexIn(row, 'public_key');
  }
  return found;
}

export const peers = (db: GroupDatabase): PeerRecord[] =>
  db.all('SELECT * FROM peers ORDER BY peer_id').map(peerOf);

const peerOf = (row: Row): PeerRecord => ({
  peerId: hexIn(row, 'peer_id'),
  name: textOrNull(row, 'name'),
  queriedAtMs: numberOrNull(row, 'queried_at'),
  completedAtMs: numberOrNull(row, 'completed_at'),
  open:
    row['session_id'] === null
      ? null
      : {
          sessionId: textIn(row, 'session_id'),
          startedAtMs: numberIn(row, 'session_start'),
          sinceMs: numberIn(row, 'session_since'),
        },
  outcome: textOrNull(row, 'outcome'),
  misbehaved: numberIn(row, 'misbehaved'),
});

/** Within a write, as all below. */
export function addPeer(
  db: GroupDatabase,
  peer: { readonly peerId: string; readonly publicKey: string; readonly name: string | null },
  nowMs: number,
): void {
  keepKey(db, peer.peerId, peer.publicKey, nowMs);
  db.run(
    'INSERT INTO peers (peer_id, name) VALUES (?, ?) ' +
      'ON CONFLICT (peer_id) DO UPDATE SET name = excluded.name',
    octets(peer.peerId),
    peer.name,
  );
}

export function removePeer(db: GroupDatabase, peerId: string): void {
  db.run('DELETE FROM peers WHERE peer_id = ?', octets(peerId));
}

export function openSession(db: GroupDatabase, peerId: string, session: OpenSession): void {
  db.run(
    'UPDATE peers SET queried_at = ?, session_id = ?, session_start = ?, session_since = ? ' +
      'WHERE peer_id = ?',
    session.startedAtMs,
    session.sessionId,
    session.startedAtMs,
    session.sinceMs,
    octets(peerId),
  );
}

export function closeSession(
  db: GroupDatabase,
  peerId: string,
  sessionId: string,
  outcome: string,
): void {
  db.run(
    "UPDATE peers SET completed_at = iif(?1 = 'done', session_start, completed_at), " +
      "misbehaved = misbehaved + (?1 = 'misbehaved'), outcome = ?1, " +
      'session_id = NULL, session_start = NULL, session_since = NULL ' +
      'WHERE peer_id = ?2 AND session_id = ?3',
    outcome,
    octets(peerId),
    sessionId,
  );
}
