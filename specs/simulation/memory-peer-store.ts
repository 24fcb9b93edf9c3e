/** A peer's store in memory: each call is one transaction on its disk, done when the call returns. */
import type {
  FeedItem,
  ItemResult,
  OpenSession,
  OutboxResult,
  PeerRecord,
  PeerStore,
  PublicEnvelopes,
  PublicPage,
  Settlement,
  SettlementResult,
  VerifiedItem,
} from '../../actors/gossip/ports/peer-store.ts';
import { canonicalEnvelope, expiresAt, isAlive } from '../../machines/gossip/envelope.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { gossipError } from '../../machines/gossip/gossip-errors.ts';
import { QUARANTINE_MAX, QUARANTINE_PER_AUTHOR_MAX } from '../../machines/gossip/limits.ts';
import { CLOCK_SKEW_MS } from '../../machines/gossip/session-limits.ts';
import { pairKey } from './peer-disk.ts';
import type { PeerDisk, StoredMessage } from './peer-disk.ts';

const NEW_PEER = {
  name: null,
  queriedAtMs: null,
  completedAtMs: null,
  open: null,
  outcome: null,
  misbehaved: 0,
} as const;

const isTold = ({ envelope: { header } }: StoredMessage, nowMs: number): boolean =>
  header.kind === 'public' && isAlive(header, nowMs);

export class MemoryPeerStore implements PeerStore {
  readonly disk: PeerDisk;
  readonly #feedListeners = new Set<(row: number) => void>();
  readonly #mailListeners = new Set<() => void>();

  constructor(disk: PeerDisk) {
    this.disk = disk;
  }

  async missingOf(ids: readonly string[]): Promise<readonly string[]> {
    return ids.filter((id) => !this.#isKnown(id));
  }

  async tombstonesAmong(
    pairs: readonly { readonly messageId: string; readonly signature: string }[],
  ): Promise<readonly number[]> {
    return pairs.flatMap(({ messageId, signature }, at) =>
      this.disk.tombstones.has(pairKey(messageId, signature)) ? [at] : [],
    );
  }

  async settle(settlement: Settlement): Promise<SettlementResult> {
    const { disk } = this;
    const before = disk.row;
    disk.storedAtMs = Math.max(disk.storedAtMs, settlement.nowMs);
    for (const [peer, key] of Object.entries(settlement.keys)) disk.keys.set(peer, key);
    const result = {
      verified: settlement.verified.map((item) => this.#store(item)),
      quarantined: settlement.quarantined.map((item) => this.#quarantine(item)),
    };
    for (const { messageId, signature, expiresAtMs } of settlement.rejected) {
      const key = pairKey(messageId, signature);
      disk.tombstones.set(key, Math.max(expiresAtMs, disk.tombstones.get(key) ?? 0));
      disk.quarantine.delete(key);
    }
    if (disk.row > before) for (const listener of this.#feedListeners) listener(disk.row);
    return result;
  }

  async keysOf(peerIds: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    for (const peer of peerIds) {
      const key = this.disk.keys.get(peer);
      if (key !== undefined) found[peer] = key;
    }
    return found;
  }

  async addKey(peerId: string, publicKey: string): Promise<void> {
    this.disk.keys.set(peerId, publicKey);
  }

  async backfillable(limit: number): Promise<readonly VerifiedItem[]> {
    return [...this.disk.quarantine.values()]
      .filter(({ envelope }) => this.disk.keys.has(envelope.header.sender_id))
      .slice(0, limit)
      .map(({ envelope, from }) => ({ envelope, from }));
  }

  async publicSince({
    sinceMs,
    cursor,
    limit,
    nowMs,
  }: Parameters<PeerStore['publicSince']>[0]): Promise<PublicPage> {
    const after = cursor === null ? 0 : this.#rowOf(cursor);
    const found = [...this.disk.messages.values()].filter(
      (one) =>
        one.row > after &&
        isTold(one, nowMs) &&
        (one.storedAtMs >= sinceMs || one.envelope.header.created_at >= sinceMs),
    );
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const isMore = found.length > page.length && last !== undefined;
    return {
      ids: page.map(({ envelope }) => envelope.header.message_id),
      next: isMore ? `m${this.disk.epoch}.${last.row}` : null,
    };
  }

  async publicEnvelopes(
    ids: readonly string[],
    { nowMs, bytesMax }: { readonly nowMs: number; readonly bytesMax: number },
  ): Promise<PublicEnvelopes> {
    const envelopes: Envelope[] = [];
    const [gone, left]: [string[], string[]] = [[], []];
    let bytes = 0;
    for (const id of ids) {
      const found = this.disk.messages.get(id);
      if (found === undefined || !isTold(found, nowMs)) {
        gone.push(id);
        continue;
      }
      bytes += canonicalEnvelope(found.envelope).length;
      if (left.length > 0 || (bytes > bytesMax && envelopes.length > 0)) left.push(id);
      else envelopes.push(found.envelope);
    }
    const senderKeys = await this.keysOf(envelopes.map(({ header }) => header.sender_id));
    return { envelopes, senderKeys, gone, left };
  }

  async publicSet(nowMs: number): Promise<readonly (readonly [string, number])[]> {
    return [...this.disk.messages.values()]
      .filter((one) => isTold(one, nowMs))
      .map(({ envelope: { header } }) => [header.message_id, header.created_at] as const);
  }

  async feed(afterRow: number, limit: number): Promise<readonly FeedItem[]> {
    return this.#feed()
      .filter(({ row }) => row > afterRow)
      .slice(0, limit);
  }

  async feedTail(limit: number): Promise<readonly FeedItem[]> {
    return this.#feed().slice(-limit);
  }

  onFeed(listener: (row: number) => void): () => void {
    this.#feedListeners.add(listener);
    return () => this.#feedListeners.delete(listener);
  }

  async peers(): Promise<readonly PeerRecord[]> {
    return [...this.disk.peers.values()].toSorted((a, b) => (a.peerId < b.peerId ? -1 : 1));
  }

  async addPeer(peer: {
    readonly peerId: string;
    readonly publicKey: string;
    readonly name: string | null;
  }): Promise<void> {
    const { peerId, publicKey, name } = peer;
    this.disk.keys.set(peerId, publicKey);
    const known = this.disk.peers.get(peerId) ?? NEW_PEER;
    this.disk.peers.set(peerId, { ...known, peerId, name });
  }

  async removePeer(peerId: string): Promise<void> {
    this.disk.peers.delete(peerId);
  }

  async openSession(peerId: string, session: OpenSession): Promise<void> {
    const known = this.disk.peers.get(peerId);
    if (known === undefined) return;
    const queriedAtMs = session.startedAtMs;
    this.disk.peers.set(peerId, { ...known, queriedAtMs, open: session });
  }

  async closeSession(peerId: string, sessionId: string, outcome: string): Promise<void> {
    const known = this.disk.peers.get(peerId);
    if (known?.open?.sessionId !== sessionId) return;
    this.disk.peers.set(peerId, {
      ...known,
      completedAtMs: outcome === 'done' ? known.open.startedAtMs : known.completedAtMs,
      misbehaved: known.misbehaved + (outcome === 'misbehaved' ? 1 : 0),
      open: null,
      outcome,
    });
  }

  async markSeen(
    entries: readonly { readonly messageId: string; readonly expiresAtMs: number }[],
  ): Promise<readonly string[]> {
    const { seen } = this.disk;
    const fresh: string[] = [];
    for (const { messageId, expiresAtMs } of entries) {
      if (seen.has(messageId)) continue;
      seen.set(messageId, expiresAtMs);
      fresh.push(messageId);
    }
    return fresh;
  }

  async nextSeq(): Promise<number> {
    return ++this.disk.seq;
  }

  async addOutgoing(envelope: Envelope): Promise<void> {
    const { outbox } = this.disk;
    const id = envelope.header.message_id;
    if (outbox.has(id)) return;
    outbox.set(id, { envelope, attempts: 0, dueAtMs: 0 });
    for (const listener of this.#mailListeners) listener();
  }

  async dueOutgoing(nowMs: number, limit: number) {
    return [...this.disk.outbox.values()]
      .filter(({ dueAtMs, envelope }) => dueAtMs <= nowMs && isAlive(envelope.header, nowMs))
      .toSorted((a, b) => a.dueAtMs - b.dueAtMs)
      .slice(0, limit);
  }

  async nextOutgoingAtMs(): Promise<number | null> {
    const due = [...this.disk.outbox.values()].map(({ dueAtMs }) => dueAtMs);
    return due.length === 0 ? null : Math.min(...due);
  }

  async settleOutgoing(results: readonly OutboxResult[]): Promise<void> {
    const { outbox, deadLetters } = this.disk;
    for (const result of results) {
      const item = outbox.get(result.messageId);
      if (item === undefined) continue;
      const attempts = item.attempts + 1;
      if (result.type === 'retry') {
        outbox.set(result.messageId, { ...item, attempts, dueAtMs: result.dueAtMs });
        continue;
      }
      outbox.delete(result.messageId);
      const { envelope } = item;
      if (result.type !== 'dead') continue;
      const { code, reason } = result;
      deadLetters.set(result.messageId, { envelope, code, reason, attempts });
    }
  }

  async deadLetters(limit: number) {
    return [...this.disk.deadLetters.values()].toReversed().slice(0, limit);
  }

  onOutgoing(listener: () => void): () => void {
    this.#mailListeners.add(listener);
    return () => this.#mailListeners.delete(listener);
  }

  async prune(nowMs: number, limit: number): Promise<number> {
    const { messages, quarantine, tombstones, ended, seen, outbox, deadLetters } = this.disk;
    let left = limit;
    const drop = <Row>(
      rows: Map<string, Row>,
      endOf: (row: Row) => number,
      dropped: (key: string, row: Row) => void = () => undefined,
    ): void => {
      for (const [key, row] of rows) {
        if (left === 0) return;
        if (endOf(row) > nowMs) continue;
        rows.delete(key);
        dropped(key, row);
        left--;
      }
    };
    drop(
      messages,
      ({ expiresAtMs }) => expiresAtMs,
      (id, row) => ended.set(id, row.expiresAtMs + 2 * CLOCK_SKEW_MS),
    );
    drop(quarantine, ({ expiresAtMs }) => expiresAtMs);
    for (const times of [tombstones, ended, seen]) drop(times, (atMs) => atMs);
    for (const mail of [outbox, deadLetters] as Map<string, { readonly envelope: Envelope }>[])
      drop(mail, ({ envelope }) => expiresAt(envelope.header));
    return limit - left;
  }

  async counts() {
    const { disk } = this;
    return {
      messages: disk.messages.size,
      quarantined: disk.quarantine.size,
      tombstones: disk.tombstones.size,
      seen: disk.seen.size,
      keys: disk.keys.size,
      peers: disk.peers.size,
      outbox: disk.outbox.size,
      deadLetters: disk.deadLetters.size,
    };
  }

  async close(): Promise<void> {
    this.#feedListeners.clear();
    this.#mailListeners.clear();
  }

  #isKnown(id: string): boolean {
    return this.disk.messages.has(id) || this.disk.ended.has(id);
  }

  #store({ envelope }: VerifiedItem): ItemResult {
    const { disk } = this;
    const { message_id: id } = envelope.header;
    for (const key of disk.quarantine.keys()) if (key.startsWith(id)) disk.quarantine.delete(key);
    if (this.#isKnown(id)) return 'duplicate';
    disk.messages.set(id, {
      row: ++disk.row,
      envelope,
      storedAtMs: disk.storedAtMs,
      expiresAtMs: expiresAt(envelope.header),
    });
    return 'stored';
  }

  #quarantine(item: VerifiedItem): ItemResult {
    const { disk } = this;
    const { header, signature } = item.envelope;
    const key = pairKey(header.message_id, signature);
    if (this.#isKnown(header.message_id) || disk.quarantine.has(key)) return 'duplicate';
    let ofAuthor = 0;
    for (const { envelope } of disk.quarantine.values())
      if (envelope.header.sender_id === header.sender_id) ofAuthor++;
    if (ofAuthor >= QUARANTINE_PER_AUTHOR_MAX || disk.quarantine.size >= QUARANTINE_MAX)
      return 'quarantineFull';
    const expiresAtMs = expiresAt(header);
    disk.quarantine.set(key, {
      ...item,
      row: ++disk.row,
      storedAtMs: disk.storedAtMs,
      expiresAtMs,
    });
    return 'quarantined';
  }

  #rowOf(cursor: string): number {
    const [, epoch, row] = /^m(\d{1,12})\.(\d{1,12})$/.exec(cursor) ?? [];
    if (Number(epoch) === this.disk.epoch) return Number(row);
    throw gossipError('MESH_ERR_GOSSIP_CURSOR', 'Reading a page: the cursor is not of this store.');
  }

  #feed(): FeedItem[] {
    const { messages, quarantine } = this.disk;
    return [
      ...[...messages.values()].map((one) => ({ ...one, isVerified: true })),
      ...[...quarantine.values()].map((one) => ({ ...one, isVerified: false })),
    ]
      .toSorted((a, b) => a.row - b.row)
      .map(({ row, envelope, isVerified, storedAtMs }) => ({
        row,
        envelope,
        isVerified,
        storedAtMs,
      }));
  }
}
