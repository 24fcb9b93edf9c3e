/**
 * A peer's messages, keys, sessions and mail in one SQLite file: write-ahead log, every commit
 * synced, one program. Writes that are asked for in one turn share one sync.
 */
import type { PeerStore } from '../../actors/gossip/ports/peer-store.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Random } from '../../machines/kernel/random.ts';
import { gossipStoreError } from '../../machines/gossip/store-errors.ts';
import * as directory from './peer-store/directory.ts';
import * as mail from './peer-store/mail.ts';
import * as messages from './peer-store/messages.ts';
import { prune } from './peer-store/pruning.ts';
import { countIn } from './peer-store/rows.ts';
import { APPLICATION_ID, MIGRATIONS } from './peer-store/schema.ts';
import { Settling, keepKey } from './peer-store/settling.ts';
import { systemRandom } from './random.system.ts';
import { GroupDatabase } from './sqlite/group-database.ts';
import type { DatabaseFaults } from './sqlite/group-database.ts';

/** Where a peer's store is, and what it works with. */
export interface SqlitePeerStoreOptions {
  /** The file, made where it is missing; its folder must exist. `:memory:` for one that is lost. */
  readonly path: string;
  readonly clock: Clock;
  /** Default: the system's. */
  readonly random?: Random;
  /** Largest size of the file, in bytes; a commit beyond it is refused. Default 8 GiB. */
  readonly bytesMax?: number;
  /**
   * Is told of a damaged file that was renamed and replaced: MESH_ERR_PEER_STORE_CORRUPT. Default: a
   * warning of the process.
   */
  readonly onCorrupt?: (error: CodedError) => void;
}

const BYTES_MAX_DEFAULT = 8 * 1024 ** 3;

const FAULTS: DatabaseFaults = {
  unavailable: (message, cause) =>
    gossipStoreError('MESH_ERR_PEER_STORE_UNAVAILABLE', message, { cause }),
  corrupt: (message, cause) => gossipStoreError('MESH_ERR_PEER_STORE_CORRUPT', message, { cause }),
  locked: (message, cause) => gossipStoreError('MESH_ERR_PEER_STORE_LOCKED', message, { cause }),
  newer: (message) => gossipStoreError('MESH_ERR_PEER_STORE_SCHEMA_NEWER', message),
};

/**
 * Opens a peer's store. Rejects with MESH_ERR_PEER_STORE_LOCKED where another program has the file,
 * else MESH_ERR_PEER_STORE_SCHEMA_NEWER or MESH_ERR_PEER_STORE_UNAVAILABLE.
 */
export async function openPeerStore(options: SqlitePeerStoreOptions): Promise<PeerStore> {
  const { path, clock, random = systemRandom, bytesMax = BYTES_MAX_DEFAULT } = options;
  const onCorrupt = options.onCorrupt ?? ((error: CodedError) => process.emitWarning(error));
  const db = new GroupDatabase({
    path,
    clock,
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
    bytesMax,
    faults: FAULTS,
    onCorrupt,
  });
  await db.write(() => messages.ensureEpoch(db, (bytes) => random.hex(bytes)));
  return storeOn(db, clock);
}

function storeOn(db: GroupDatabase, clock: Clock): PeerStore {
  const feedListeners = new Set<(row: number) => void>();
  const outgoingListeners = new Set<() => void>();
  return {
    ...messagesOf(db, feedListeners),
    ...directoryOf(db, clock),
    ...mailOf(db, outgoingListeners),
    onFeed: (listener) => subscribe(feedListeners, listener),
    onOutgoing: (listener) => subscribe(outgoingListeners, listener),
    prune: (nowMs, limit) => db.write(() => prune(db, nowMs, limit)),
    counts: async () => db.read(() => countsOf(db)),
    close: async () => {
      feedListeners.clear();
      outgoingListeners.clear();
      db.close();
    },
  };
}

function subscribe<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const countsOf = (db: GroupDatabase) => ({
  messages: countIn(db, 'messages'),
  quarantined: countIn(db, 'quarantine'),
  tombstones: countIn(db, 'tombstones'),
  seen: countIn(db, 'seen'),
  keys: countIn(db, 'keys'),
  peers: countIn(db, 'peers'),
  outbox: countIn(db, 'outbox'),
  deadLetters: countIn(db, 'dead_letters'),
});

type MessageMethods = Pick<
  PeerStore,
  | 'missingOf'
  | 'tombstonesAmong'
  | 'settle'
  | 'backfillable'
  | 'publicSince'
  | 'publicEnvelopes'
  | 'publicSet'
  | 'feed'
  | 'feedTail'
>;

function messagesOf(
  db: GroupDatabase,
  listeners: ReadonlySet<(row: number) => void>,
): MessageMethods {
  const epoch = db.read(() => messages.epochOf(db));
  return {
    missingOf: async (ids) => db.read(() => messages.missingOf(db, ids)),
    tombstonesAmong: async (pairs) => db.read(() => messages.tombstonesAmong(db, pairs)),
    settle: (settlement) =>
      db.write(() => {
        const settling = new Settling(db, settlement.nowMs);
        const result = settling.settle(settlement);
        const row = settling.newestRow;
        if (row !== undefined)
          db.afterCommit(() => {
            for (const listener of listeners) listener(row);
          });
        return result;
      }),
    backfillable: async (limit) => db.read(() => messages.backfillable(db, limit)),
    publicSince: async (query) => db.read(() => messages.publicSince(db, epoch, query)),
    publicEnvelopes: async (ids, options) =>
      db.read(() => messages.publicEnvelopes(db, ids, options)),
    publicSet: (nowMs) => messages.publicSet(db, nowMs),
    feed: async (afterRow, limit) => db.read(() => messages.feed(db, afterRow, limit)),
    feedTail: async (limit) => db.read(() => messages.feedTail(db, limit)),
  };
}

type DirectoryMethods = Pick<
  PeerStore,
  'keysOf' | 'addKey' | 'peers' | 'addPeer' | 'removePeer' | 'openSession' | 'closeSession'
>;

const directoryOf = (db: GroupDatabase, clock: Clock): DirectoryMethods => ({
  keysOf: async (peerIds) => db.read(() => directory.keysOf(db, peerIds)),
  addKey: (peerId, publicKey) => db.write(() => keepKey(db, peerId, publicKey, clock.now())),
  peers: async () => db.read(() => directory.peers(db)),
  addPeer: (peer) => db.write(() => directory.addPeer(db, peer, clock.now())),
  removePeer: (peerId) => db.write(() => directory.removePeer(db, peerId)),
  openSession: (peerId, session) => db.write(() => directory.openSession(db, peerId, session)),
  closeSession: (peerId, sessionId, outcome) =>
    db.write(() => directory.closeSession(db, peerId, sessionId, outcome)),
});

type MailMethods = Pick<
  PeerStore,
  | 'markSeen'
  | 'nextSeq'
  | 'addOutgoing'
  | 'dueOutgoing'
  | 'nextOutgoingAtMs'
  | 'settleOutgoing'
  | 'deadLetters'
>;

const mailOf = (db: GroupDatabase, listeners: ReadonlySet<() => void>): MailMethods => ({
  markSeen: (entries) => db.write(() => mail.markSeen(db, entries)),
  nextSeq: () => db.write(() => mail.nextSeq(db)),
  addOutgoing: (envelope) =>
    db.write(() => {
      if (!mail.addOutgoing(db, envelope)) return;
      db.afterCommit(() => {
        for (const listener of listeners) listener();
      });
    }),
  dueOutgoing: async (nowMs, limit) => db.read(() => mail.dueOutgoing(db, nowMs, limit)),
  nextOutgoingAtMs: async () => db.read(() => mail.nextOutgoingAtMs(db)),
  settleOutgoing: (results) => db.write(() => mail.settleOutgoing(db, results)),
  deadLetters: async (limit) => db.read(() => mail.deadLetters(db, limit)),
});
