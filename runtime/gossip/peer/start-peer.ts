/** A whole peer in this process: key, store, relay, verification in workers, and its actors. */
import { GossipCounters } from '../../../actors/gossip/counters.ts';
import { GOSSIP_ID, SYNC_ID } from '../../../actors/gossip/paths.ts';
import type { Signer } from '../../../actors/gossip/ports/envelopes.ts';
import type { PeerStore } from '../../../actors/gossip/ports/peer-store.ts';
import type { GossipPorts } from '../../../actors/gossip/ports/services.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import type { Random } from '../../../machines/kernel/random.ts';
import type { Logger, Tree } from '../../../supervisor/index.ts';
import { systemClock } from '../../adapters/clock.system.ts';
import { openPeerStore } from '../../adapters/peer-store.sqlite.ts';
import { systemRandom } from '../../adapters/random.system.ts';
import { createEnvelopeVerifier } from '../envelope-verifier.ts';
import { createPeerKey } from '../envelope-codec.ts';
import { gossipTree } from '../gossip-tree.ts';
import { metaCodec } from '../meta-codec.ts';
import { createReconciler } from '../reconcile/reconciler.ts';
import { createSigner } from '../signer.ts';
import { createDesk, rowsOf } from './desk.ts';
import { Feed } from './feed.ts';
import { groundIn, ownGround } from './ground.ts';
import type { Ground, GroundHost } from './ground.ts';
import type { FeedSource } from '../../web/feed/feed-app.ts';
import type { PeerControl, RunningPeer } from './peer-control.ts';
import { ensurePeerFolder, ensurePeerKey } from './peer-home.ts';
import type { PeerPaths } from './peer-home.ts';
import { openRelay } from './open-relay.ts';
import type { OpenedRelay } from './open-relay.ts';
import { SessionNotes } from './session-notes.ts';
import { servePeer } from './socket/server.ts';
import { syncRound } from './sync-round.ts';
import { tailOf } from './tail.ts';

export interface PeerOptions {
  /** The state folder; the peer has its own in it. Made where it is missing. */
  readonly home: string;
  /** The relay, `http://HOST:PORT`. */
  readonly relay: string;
  /** The mesh that its messages belong to. Default `mesh`. */
  readonly meshId?: string;
  /**
   * Whether to find what is missing by set reconciliation where the other side can; else page by
   * page. Default true.
   */
  readonly reconciles?: boolean;
  /** A tree to stand in, with its workers. Default: a tree of its own. */
  readonly host?: GroundHost;
  /** Where lines for the operator go. Default: nowhere. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A peer that runs in this process. */
export interface Peer extends RunningPeer {
  /** The tree that its actors stand in. */
  readonly tree: Tree;
  /** Where what is to happen once can be noted, durably. */
  readonly store: Pick<PeerStore, 'markSeen'>;
  /** Resolves with the reason when its actors have ended, also when they gave up. Never rejects. */
  readonly ended: Promise<unknown>;
  /** Ends it in order: sessions go on with the next start. Idempotent. */
  stop(): Promise<void>;
}

interface Parts {
  readonly paths: PeerPaths;
  readonly store: PeerStore;
  readonly signer: Signer;
  readonly secretKey: Uint8Array;
  readonly relay: OpenedRelay;
  readonly clock: Clock;
}

const MESH_ID_DEFAULT = 'mesh';

/**
 * Starts a peer: it asks the peers that were added for what it has missed, answers theirs, and sends
 * what waits. Resolves when its actors are up and its control socket answers; a relay that is away is
 * waited for by its actors. Rejects with MESH_ERR_PEER_RELAY, MESH_ERR_PEER_HOME, what the key and
 * the store reject with (MESH_ERR_PEER_STORE_LOCKED where it runs already), and
 * MESH_ERR_SUPERVISOR_START_FAILED.
 *
 * @example
 * const peer = await startPeer({ home: '.mesh', relay: 'http://127.0.0.1:7000' });
 * await peer.post({ text: 'hello, everybody' });
 * for await (const message of peer.tail(0)) console.log(message.text);
 */
export async function startPeer(options: PeerOptions): Promise<Peer> {
  const { home, clock = systemClock, random = systemRandom } = options;
  const paths = ensurePeerFolder(home);
  const { secretKey } = await ensurePeerKey(home);
  const key = createPeerKey(secretKey);
  const signer = createSigner(options.meshId ?? MESH_ID_DEFAULT, key);
  const relay = openRelay({ url: options.relay, key, clock, random });
  try {
    const store = await openPeerStore({ path: paths.store, clock });
    try {
      return await plant({ paths, store, signer, secretKey, relay, clock }, options);
    } catch (error) {
      await store.close();
      throw error;
    }
  } catch (error) {
    relay.close();
    throw error;
  }
}

async function plant(parts: Parts, options: PeerOptions): Promise<Peer> {
  const { host, logger } = options;
  const counters = new GossipCounters();
  const ground = host === undefined ? ownGround(parts.paths, options) : groundIn(host);
  const root = `${ground.path}/${GOSSIP_ID}`;
  const notes = new SessionNotes(ground.supervision, root);
  const notice = (what: string, error: unknown): void =>
    logger?.({ level: 'warn', message: `${what}: ${String(error)}`, details: error });
  const ports: GossipPorts = {
    clock: parts.clock,
    random: options.random ?? systemRandom,
    store: notes.listenTo(parts.store),
    relay: parts.relay.watch.client,
    signer: parts.signer,
    verifier: createEnvelopeVerifier({ meshId: parts.signer.meshId, pool: ground.pool }),
    meta: metaCodec,
    reconciler: options.reconciles === false ? null : createReconciler(parts),
    tree: ground.supervision,
    root,
    counters,
    notice,
  };
  const tree = await ground.plant(gossipTree(ports));
  const control = controlOf(parts, options, { tree, root, notes, counters });
  return serving(parts, ground, tree, control, (error) => notice('the control socket', error));
}

/** What the peer does when asked, over the socket or in this process. */
function controlOf(
  parts: Parts,
  { home }: PeerOptions,
  running: {
    readonly tree: Tree;
    readonly root: string;
    readonly notes: SessionNotes;
    readonly counters: GossipCounters;
  },
): PeerControl {
  const { store, signer, relay } = parts;
  const { tree, root, notes, counters } = running;
  const desk = createDesk({
    ...parts,
    home,
    pid: process.pid,
    stateOf: (peerId) => notes.now(peerId)?.state ?? 'idle',
    relay: () => relay.watch.row(),
    tallies: () => {
      const { tallies, refusals } = counters.counts();
      const counted = Object.entries(refusals).filter(([, count]) => count > 0);
      return { tallies: { ...tallies }, refusals: Object.fromEntries(counted) };
    },
  });
  const toRows = (items: Awaited<ReturnType<PeerStore['feed']>>) =>
    rowsOf({ ...parts, ownId: signer.peerId }, items);
  return {
    ...desk,
    addPeer: async (peer) => {
      const row = await desk.addPeer(peer);
      tree.send(`${root}/${SYNC_ID}`, { type: 'peers.changed' });
      return row;
    },
    tail: (after, signal) => tailOf(store, toRows, after, signal),
    sync: (request, signal) => syncRound({ ...parts, tree, root, notes }, request, signal),
  };
}

async function serving(
  { store, relay, paths }: Parts,
  ground: Ground,
  tree: Tree,
  control: PeerControl,
  onDefect: (error: unknown) => void,
): Promise<Peer> {
  const feed = new Feed(control satisfies FeedSource);
  const running: RunningPeer = { ...control, feed: (options) => feed.invite(options) };
  let ending: Promise<void> | undefined;
  const end = async (close: () => Promise<void>): Promise<void> => {
    await close();
    await feed.close();
    await ground.uproot();
    relay.close();
    await store.close();
  };
  try {
    const socket = await servePeer(running, paths.socket, onDefect);
    const stop = (): Promise<void> => (ending ??= end(() => socket.close()));
    return { ...running, tree, store, ended: ground.ended, stop };
  } catch (error) {
    await ground.uproot();
    throw error;
  }
}
