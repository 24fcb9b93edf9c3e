/**
 * What it costs to find and fetch what was missed, over real sockets through a real relay: bytes on the
 * asker's line (both ways, all of HTTP), and the time from asking to having it.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { openPeerStore } from '../../runtime/adapters/peer-store.sqlite.ts';
import {
  createPeerKey,
  encodeEnvelope,
  makeEnvelope,
} from '../../runtime/gossip/envelope-codec.ts';
import type { PeerKey } from '../../runtime/gossip/envelope-codec.ts';
import { ensurePeerKey, peerPaths } from '../../runtime/gossip/peer/peer-home.ts';
import { startPeer } from '../../runtime/gossip/peer/start-peer.ts';
import type { Peer } from '../../runtime/gossip/peer/start-peer.ts';
import { startRelay } from '../../runtime/relay/relay.ts';
import { fastClock } from '../support/gossip/fast-clock.ts';
import type { BenchPlan, Measure } from './harness.ts';

const HELD = 100_000;
const MISSING = 10;
const EMPTY_GETS = 1_000;
const BATCH = 1_000;
const DAY_MS = 86_400_000;
/** Of an id in hex, as a page tells it. */
const ID_BYTES = 64;
/** The lot of a moment before the first question would be most of what is measured. */
const FACTOR = 10;

interface Figures {
  readonly bytes: number;
  readonly seconds: number;
}

interface World {
  readonly folder: string;
  readonly clock: Clock;
  readonly relayUrl: string;
  /** The asker's. */
  readonly line: Awaited<ReturnType<typeof countedLine>>;
  /** Who holds what is missed. */
  readonly responder: { readonly home: string; readonly key: string };
  /** Octets of the missing messages as they travel. */
  readonly missingBytes: number;
  /** A store that lacks them, to be copied. */
  readonly template: string;
}

export async function bench(): Promise<BenchPlan> {
  const folder = mkdtempSync(join(tmpdir(), 'gossip-wire-'));
  const clock = fastClock(Date.now(), FACTOR);
  const line = await countedLine();
  // A request is signed for the address that the asker knows.
  const relay = await startRelay({
    path: join(folder, 'relay.sqlite'),
    clock,
    publicUrls: [line.url],
  });
  line.to(relay.port);
  const of = { clock, line, relayUrl: relay.url };
  const large = await prepare(folder, 'large', HELD, MISSING, of);
  const small = await prepare(folder, 'small', EMPTY_GETS, EMPTY_GETS, of);
  const holders = await Promise.all([large, small].map(holderOf));
  const found = `${MISSING} missing of ${HELD.toLocaleString('en')}`;
  const filled = `${EMPTY_GETS.toLocaleString('en')} messages into an empty peer`;
  const kilobytes =
    (world: World, reconciles: boolean): Measure =>
    async () =>
      (await session(world, reconciles)).bytes / 1_000;
  const seconds =
    (world: World, reconciles: boolean): Measure =>
    async () =>
      (await session(world, reconciles)).seconds;
  return {
    rows: [
      {
        metric: `bytes on the line, ${found}`,
        unit: 'kB',
        better: 'less',
        ours: kilobytes(large, true),
        peers: {
          'ids alone': () => (HELD * ID_BYTES) / 1_000,
          'ours, by pages': kilobytes(large, false),
          'the missing messages': () => large.missingBytes / 1_000,
        },
      },
      {
        metric: `asking to having them, ${found}`,
        unit: 's',
        better: 'less',
        ours: seconds(large, true),
        peers: { 'ours, by pages': seconds(large, false) },
      },
      {
        metric: `bytes on the line, ${filled}`,
        unit: 'kB',
        better: 'less',
        ours: kilobytes(small, true),
        peers: { 'the missing messages': () => small.missingBytes / 1_000 },
      },
      {
        metric: `asking to having them, ${filled}`,
        unit: 's',
        better: 'less',
        ours: seconds(small, true),
        peers: { 'ours, by pages': seconds(small, false) },
      },
    ],
    dispose: async () => {
      for (const holder of holders) await holder.stop();
      await relay.stop();
      await line.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Two stores: one with all messages, spread over five days, and one without some of them. */
async function prepare(
  folder: string,
  name: string,
  held: number,
  missing: number,
  of: Pick<World, 'clock' | 'line' | 'relayUrl'>,
): Promise<World> {
  const home = join(folder, name);
  const { secretKey } = await ensurePeerKey(home);
  const author = createPeerKey(secretKey);
  const all = Array.from({ length: held }, (_, index) =>
    messageOf(author, index, of.clock.now() - 5 * DAY_MS + Math.floor((index * 5 * DAY_MS) / held)),
  );
  const step = Math.max(1, Math.floor(held / missing));
  const isMissing = (_: Envelope, index: number): boolean =>
    index % step === Math.floor(step / 2) && index / step < missing;
  const template = join(folder, `${name}.sqlite`);
  await fill(peerPaths(home).store, all, author, of.clock);
  await fill(
    template,
    all.filter((one, index) => !isMissing(one, index)),
    author,
    of.clock,
  );
  const lost = all.filter(isMissing);
  return {
    ...of,
    folder,
    template,
    responder: { home, key: Buffer.from(author.publicKey).toString('hex') },
    missingBytes: lost.reduce((sum, one) => sum + encodeEnvelope(one).length, 0),
  };
}

const messageOf = (author: PeerKey, seq: number, createdAtMs: number): Envelope =>
  makeEnvelope(
    {
      meshId: 'mesh',
      kind: 'public',
      body: Buffer.from(`message ${seq} of somebody who has something to say about the weather`),
      createdAtMs: Math.round(createdAtMs),
      seq,
      ttlSeconds: 7 * 86_400,
    },
    author,
  );

async function fill(
  path: string,
  all: readonly Envelope[],
  author: PeerKey,
  clock: Clock,
): Promise<void> {
  const store = await openPeerStore({ path, clock });
  const keys = { [author.id]: Buffer.from(author.publicKey).toString('hex') };
  for (let from = 0; from < all.length; from += BATCH)
    await store.settle({
      nowMs: clock.now(),
      keys,
      verified: all.slice(from, from + BATCH).map((envelope) => ({ envelope, from: author.id })),
      quarantined: [],
      rejected: [],
    });
  await store.close();
}

const holderOf = ({ responder, relayUrl, clock }: World): Promise<Peer> =>
  startPeer({ home: responder.home, relay: relayUrl, clock });

/** One session of a fresh peer with that store, over a line whose bytes are counted. */
async function session(world: World, reconciles: boolean): Promise<Figures> {
  const home = mkdtempSync(join(world.folder, 'asker-'));
  mkdirSync(peerPaths(home).folder, { recursive: true });
  copyFileSync(world.template, peerPaths(home).store);
  const { line } = world;
  const peer = await startPeer({ home, relay: line.url, clock: world.clock, reconciles });
  try {
    const startedMs = performance.now();
    line.reset();
    await peer.addPeer({ publicKey: world.responder.key });
    for await (const { peers, isEnded } of peer.sync({}))
      if (isEnded && peers[0]?.outcome !== 'done')
        throw new Error(`The session ended as ${peers[0]?.outcome ?? 'none'}.`);
    return { bytes: line.bytes(), seconds: (performance.now() - startedMs) / 1_000 };
  } finally {
    await peer.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** A way to the relay that counts what goes over it, both ways. */
async function countedLine() {
  let port = 0;
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => (bytes += chunk.length));
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (target: number) => (port = target),
    bytes: () => bytes,
    reset: () => (bytes = 0),
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
