/** The feed of a peer with a store and a key, and a stranger who writes to it. */
import nacl from 'tweetnacl';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { openPeerStore } from '../../../runtime/adapters/peer-store.sqlite.ts';
import { createPeerKey, makeEnvelope } from '../../../runtime/gossip/envelope-codec.ts';
import { createDesk, rowsOf } from '../../../runtime/gossip/peer/desk.ts';
import { peerPaths } from '../../../runtime/gossip/peer/peer-home.ts';
import { tailOf } from '../../../runtime/gossip/peer/tail.ts';
import { createSigner } from '../../../runtime/gossip/signer.ts';
import { serveFeed } from '../../../runtime/web/feed/feed-server.ts';
import type { FeedOptions, FeedServer } from '../../../runtime/web/feed/feed-server.ts';
import type { FeedSource } from '../../../runtime/web/feed/feed-app.ts';

const keyOf = (seed: number) => nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(seed)).secretKey;
const stranger = createPeerKey(keyOf(9));

export interface FeedWorld extends AsyncDisposable {
  readonly source: FeedSource;
  readonly feed: FeedServer;
  /** A message of the stranger, whose key is not known here yet. */
  hear(text: string): Promise<Envelope>;
  /** The stranger's key arrives: what was heard counts from now on. */
  meet(heard: Envelope): Promise<void>;
  /** The server goes, and comes back on the same port. */
  restart(): Promise<void>;
}

export async function feedWorld(options: FeedOptions = {}): Promise<FeedWorld> {
  const clock = systemClock;
  const secretKey = keyOf(8);
  const signer = createSigner('mesh', createPeerKey(secretKey));
  const store = await openPeerStore({ path: ':memory:', clock });
  const parts = { store, signer, secretKey, clock, home: '/nowhere', paths: peerPaths('/nowhere') };
  const source: FeedSource = {
    ...createDesk(parts),
    tail: (after, signal) =>
      tailOf(store, (items) => rowsOf({ ...parts, ownId: signer.peerId }, items), after, signal),
  };
  let feed = await serveFeed(source, options);
  let seq = 0;
  const settle = (change: object) =>
    store.settle({
      nowMs: clock.now(),
      keys: {},
      verified: [],
      quarantined: [],
      rejected: [],
      ...change,
    });
  return {
    source,
    get feed() {
      return feed;
    },
    hear: async (text) => {
      const envelope = makeEnvelope(
        {
          meshId: 'mesh',
          kind: 'public',
          body: Buffer.from(text),
          createdAtMs: clock.now(),
          seq: ++seq,
          ttlSeconds: 3_600,
        },
        stranger,
      );
      await settle({ quarantined: [{ envelope, from: signer.peerId }] });
      return envelope;
    },
    meet: async (envelope) => {
      await settle({
        keys: { [stranger.id]: Buffer.from(stranger.publicKey).toString('hex') },
        verified: [{ envelope, from: signer.peerId }],
      });
    },
    restart: async () => {
      const { port } = feed;
      await feed.close();
      feed = await serveFeed(source, { ...options, port });
    },
    [Symbol.asyncDispose]: async () => {
      await feed.close();
      await store.close();
    },
  };
}
