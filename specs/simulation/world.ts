/** Peers, a relay, a network and a history of bad luck: all of it follows from one seed. */
import { createHash } from 'node:crypto';
import type { Random } from '../../machines/kernel/random.ts';
import { EVERYBODY } from '../../machines/gossip/envelope.schema.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { REQUESTERS_MAX, RESPONDERS_MAX } from '../../machines/gossip/session-limits.ts';
import { createVoice } from '../../actors/gossip/voice.ts';
import { createPeerKey, makeEnvelope } from '../../runtime/gossip/envelope-codec.ts';
import type { PeerKey } from '../../runtime/gossip/envelope-codec.ts';
import nacl from 'tweetnacl';
import { seededRandom } from '../support/supervised.ts';
import { VirtualClock, settle } from '../support/virtual-clock.ts';
import { missingAtTheEnd } from './agreement.ts';
import type { Direct } from './agreement.ts';
import { Oracle } from './oracle.ts';
import type { PlantedBug } from './planted-bugs.ts';
import { MESH, SimPeer } from './sim-peer.ts';
import { CALM, SimNetwork } from './sim-network.ts';
import { HONEST, SimRelay } from './sim-relay.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly peers: number;
  readonly bug?: PlantedBug | undefined;
  /** Lines of the trace that are kept, the newest. */
  readonly traceMax?: number;
}

/** What a run came to. */
export interface RunResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly steps: number;
  readonly checks: number;
  readonly messages: number;
  /** Virtual time from the end of all bad luck until every peer had everything; null if never. */
  readonly convergedAfterMs: number | null;
  /** Virtual time of all. */
  readonly lastedMs: number;
}

const MINUTE = 60_000;
/** Each knows so many others at most; with more peers, messages go by several hops. */
const NEIGHBOURS_MAX = 6;
/** Messages of an author whose key is kept back: more than one author may have in quarantine. */
const STRANGERS = 80;
const TRACE_MAX = 300;
/** The bad luck of one run lasts so long. */
const CHAOS_MIN_MS = 20 * MINUTE;
const CHAOS_MAX_MS = 50 * MINUTE;
/** More peers than this have as much of it in less time, but no less than a share of it. */
const FULL_CHAOS_PEERS = 50;
const CHAOS_SHARE_MIN = 0.3;

export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly oracle: Oracle;
  readonly relay: SimRelay;
  readonly network: SimNetwork;
  readonly peers: SimPeer[] = [];
  readonly #options: WorldOptions;
  readonly #trace: string[] = [];
  readonly #byId = new Map<string, SimPeer>();
  readonly #stranger: PeerKey;
  readonly #strangers: Envelope[];
  readonly #directs: Direct[] = [];
  /** Peers whose database was lost: what only it had is gone. */
  readonly #wiped = new Set<string>();
  #crashRate = 0;
  #steps = 0;
  #isChaos = true;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { seed, peers } = options;
    this.random = seededRandom(seed * 2_654_435_761);
    const now = (): number => this.clock.now();
    this.oracle = new Oracle(now);
    this.relay = new SimRelay(now, seededRandom(seed + 1));
    this.network = new SimNetwork(this.clock, seededRandom(seed + 2), this.relay);
    this.#stranger = keyOf(seed, 9999);
    this.#strangers = this.#strangeMessages();
    const reconciles = this.#chance(0.5);
    const hasLiar = options.bug !== undefined || this.#chance(0.4);
    for (let number = 0; number < peers; number++) {
      const isHonest = !hasLiar || number !== peers - 1;
      this.#addPeer(number, isHonest, reconciles);
    }
  }

  async run(): Promise<RunResult> {
    this.#befriend();
    for (const peer of this.peers) this.#start(peer);
    await settle(2);
    this.#setDials();
    const share = Math.max(CHAOS_SHARE_MIN, Math.min(1, FULL_CHAOS_PEERS / this.peers.length));
    const chaosMs = share * this.#between(CHAOS_MIN_MS, CHAOS_MAX_MS);
    this.#scheduleBadLuck(chaosMs);
    await this.#runUntil(this.clock.now() + chaosMs, () => false);
    const convergedAfterMs = this.#isBroken ? null : await this.#converge();
    for (const peer of this.peers) peer.crash();
    return {
      seed: this.#options.seed,
      violations: this.oracle.violations,
      trace: this.#trace,
      steps: this.#steps,
      checks: this.oracle.checks,
      messages: this.oracle.genuine.size,
      convergedAfterMs,
      lastedMs: this.clock.now() - START_MS,
    };
  }

  get #isBroken(): boolean {
    return this.oracle.violations.length > 0;
  }

  /** Lets all be well until everybody has everything; gives how long that took, null if it never came. */
  async #converge(): Promise<number | null> {
    this.#heal();
    const healedAtMs = this.clock.now();
    let lookedAtMs = 0;
    const isThrough = await this.#runUntil(healedAtMs + this.#deadline(), () => {
      if (this.clock.now() - lookedAtMs < MINUTE) return false;
      lookedAtMs = this.clock.now();
      return this.#missing().length === 0;
    });
    if (isThrough) return this.clock.now() - healedAtMs;
    if (!this.#isBroken) this.oracle.violations.push(...this.#missing().slice(0, 5));
    return null;
  }

  /** True when `isThrough` said so before the time was over; ends at the first violation. */
  async #runUntil(endMs: number, isThrough: () => boolean): Promise<boolean> {
    while (this.clock.now() < endMs && !this.#isBroken) {
      if (!(await this.clock.step())) break;
      this.#steps++;
      if (this.#steps % CHECK_EVERY === 0) this.#checkCounts(this.#steps / CHECK_EVERY);
      if (isThrough()) return true;
    }
    return isThrough();
  }

  #addPeer(number: number, isHonest: boolean, reconciles: boolean): void {
    const world = {
      clock: this.clock,
      network: this.network,
      oracle: this.oracle,
      reconciles,
      bug: this.#options.bug,
      trace: (line: string) => this.#note(line),
      byId: this.#byId,
      diesAtCommit: (id: string) => this.#diesAtCommit(id),
      isLie: (id: string) => this.relay.lost.has(id),
      loot: {
        random: seededRandom(this.#options.seed + 3 + number),
        strangers: this.#strangers,
        anyEnvelope: () => this.#anyEnvelope(),
      },
    };
    const peer = new SimPeer(world, number, keyOf(this.#options.seed, number), isHonest);
    peer.skewMs = Math.floor(this.#between(-2 * MINUTE, 2 * MINUTE));
    this.peers.push(peer);
    this.#byId.set(peer.id, peer);
  }

  /** A ring, so that all are connected, and some more by lot. */
  #befriend(): void {
    const count = this.peers.length;
    for (let at = 0; at < count; at++) {
      const near = count <= NEIGHBOURS_MAX + 1 ? range(count) : [at + 1, at + count - 1];
      while (near.length < Math.min(NEIGHBOURS_MAX, count))
        near.push(Math.floor(this.random.fraction() * count));
      for (const other of near) this.#neighbours(at).add(other % count);
      for (const other of near) this.#neighbours(other % count).add(at);
    }
  }

  readonly #friends = new Map<number, Set<number>>();
  #neighbours(at: number): Set<number> {
    let found = this.#friends.get(at);
    if (found === undefined) this.#friends.set(at, (found = new Set()));
    return found;
  }

  #start(peer: SimPeer): void {
    const at = this.peers.indexOf(peer);
    peer.start();
    const store = peer.ports?.store;
    for (const other of this.#neighbours(at)) {
      const friend = this.peers[other];
      if (friend === undefined || friend === peer) continue;
      const { id: peerId, publicKey, name } = friend;
      if (!peer.disk.peers.has(peerId)) void store?.addPeer({ peerId, publicKey, name });
    }
    peer.tree?.send('gossip/sync', { type: 'peers.changed' });
    this.#note(`${peer.name} starts`);
  }

  #setDials(): void {
    const isWild = this.#chance(0.6);
    this.network.dials = isWild
      ? {
          delayMinMs: 5,
          delayMaxMs: this.#between(50, 4_000),
          loss: this.#between(0, 0.15),
          duplicates: this.#between(0, 0.2),
        }
      : CALM;
    if (this.#chance(0.4) || this.#options.bug)
      this.relay.lies = { loses: 0.02, replays: 0.2, misdelivers: 0.05, corrupts: 0.05 };
    this.#crashRate = this.#chance(0.5) ? 0.002 : 0;
  }

  #scheduleBadLuck(chaosMs: number): void {
    const perPeer = this.peers.length <= 20 ? 8 : 3;
    for (const peer of this.peers)
      for (let nth = 0; nth < perPeer; nth++)
        this.clock.setTimeout(() => this.#befall(peer), Math.floor(this.#between(0, chaosMs)));
    for (let nth = 0; nth < 2; nth++)
      this.clock.setTimeout(() => this.#crashRelay(), Math.floor(this.#between(0, chaosMs)));
  }

  #befall(peer: SimPeer): void {
    const lot = this.random.fraction();
    if (lot < 0.4) this.#post(peer);
    else if (lot < 0.6) this.#sendDirect(peer);
    else if (lot < 0.75) this.#crash(peer, this.#chance(0.15));
    else if (lot < 0.9) this.#cutOff(peer);
    else this.#jump(peer);
  }

  #post(peer: SimPeer): void {
    if (!peer.ports) return;
    const body = Buffer.from(`post ${this.random.hex(8)}`);
    const ttlSeconds = this.#chance(0.25) ? Math.floor(this.#between(60, 3600)) : 7 * 86_400;
    void createVoice(peer.ports)
      .post(body, { ttlSeconds })
      .then((id) => this.#note(`${peer.name} posts ${id.slice(0, 8)}`));
  }

  #sendDirect(from: SimPeer): void {
    const to = this.peers[Math.floor(this.random.fraction() * this.peers.length)];
    if (!from.ports || to === undefined || to === from) return;
    const envelope = from.ports.signer.sign({
      kind: 'direct',
      recipientId: to.id,
      body: Buffer.from(`to you ${this.random.hex(8)}`),
      createdAtMs: from.ports.clock.now(),
      seq: ++from.disk.seq,
      ttlSeconds: 7 * 86_400,
    });
    this.#directs.push({ from, to, envelope });
    void from.ports.store.addOutgoing(envelope);
  }

  #crash(peer: SimPeer, isWiped: boolean): void {
    if (!peer.isUp) return;
    peer.crash(isWiped);
    if (isWiped) this.#wiped.add(peer.id);
    this.#note(`${peer.name} is killed${isWiped ? ', and its database is lost' : ''}`);
    const awayMs = this.#between(100, this.#chance(0.5) ? 5_000 : 15 * MINUTE);
    this.clock.setTimeout(() => {
      if (!peer.isUp) this.#start(peer);
    }, Math.floor(awayMs));
  }

  #diesAtCommit(id: string): boolean {
    const peer = this.#byId.get(id);
    if (!this.#isChaos || !peer?.isUp || !this.#chance(this.#crashRate)) return false;
    this.#crash(peer, false);
    return true;
  }

  #cutOff(peer: SimPeer): void {
    this.network.cut.add(peer.id);
    this.#note(`${peer.name} is cut off`);
    const backMs = Math.floor(this.#between(10_000, 20 * MINUTE));
    this.clock.setTimeout(() => this.network.cut.delete(peer.id), backMs);
  }

  #jump(peer: SimPeer): void {
    const byMs = Math.floor(this.#between(-MINUTE, MINUTE));
    const skewMs = Math.max(-2 * MINUTE, Math.min(2 * MINUTE, peer.skewMs + byMs));
    this.oracle.jumped(peer.id, skewMs - peer.skewMs);
    peer.skewMs = skewMs;
    if (peer.clock) peer.clock.skewMs = skewMs;
  }

  #crashRelay(): void {
    if (!this.relay.isUp) return;
    this.relay.crash();
    this.#note('the relay is killed');
    const awayMs = Math.floor(this.#between(500, 5 * MINUTE));
    this.clock.setTimeout(() => (this.relay.isUp = true), awayMs);
  }

  #heal(): void {
    this.#isChaos = false;
    this.network.cut.clear();
    this.network.dials = CALM;
    this.relay.lies = HONEST;
    this.relay.isUp = true;
    this.#note('all is well from here on');
    for (const peer of this.peers) {
      if (!peer.isUp) this.#start(peer);
      const publicKey = Buffer.from(this.#stranger.publicKey).toString('hex');
      void peer.ports?.store.addKey(this.#stranger.id, publicKey);
    }
  }

  /** A query interval for each hop, some for sessions that hang, and one for the outbox. */
  #deadline(): number {
    const hops = this.peers.length <= NEIGHBOURS_MAX + 1 ? 2 : 3 + Math.log2(this.peers.length);
    return Math.ceil(hops + 2) * 15 * MINUTE;
  }

  #missing(): readonly string[] {
    return missingAtTheEnd({
      peers: this.peers,
      directs: this.#directs,
      wiped: this.#wiped,
      lost: this.relay.lost,
      oracle: this.oracle,
      nowMs: this.clock.now(),
    });
  }

  /** One peer after the other: sums over all of them at each step would be all that it does. */
  #checkCounts(turn: number): void {
    const peer = this.peers[turn % this.peers.length];
    if (!peer?.isUp || !peer.tree) return;
    const requesters = peer.tree.countChildren('gossip/requesters').active;
    const responders = peer.tree.countChildren('gossip/responders').active;
    if (requesters > REQUESTERS_MAX) this.oracle.report(peer, `has ${requesters} requesters`);
    if (responders > RESPONDERS_MAX) this.oracle.report(peer, `has ${responders} responders`);
    this.oracle.committed(peer);
  }

  #strangeMessages(): Envelope[] {
    return range(STRANGERS).map((seq) => {
      const envelope = makeEnvelope(
        {
          meshId: MESH,
          kind: 'public',
          recipientId: EVERYBODY,
          body: Buffer.from(`strange ${seq}`),
          createdAtMs: this.clock.now(),
          seq,
          ttlSeconds: 7 * 86_400,
        },
        this.#stranger,
      );
      this.oracle.signed(envelope);
      return envelope;
    });
  }

  #anyEnvelope(): Envelope | undefined {
    const direct = this.#directs[Math.floor(this.random.fraction() * this.#directs.length)];
    return direct?.envelope;
  }

  #note(line: string): void {
    this.#trace.push(`${((this.clock.now() - START_MS) / 1000).toFixed(1)}s ${line}`);
    const max = this.#options.traceMax ?? TRACE_MAX;
    if (this.#trace.length > 2 * max) this.#trace.splice(0, this.#trace.length - max);
  }

  #chance(probability: number): boolean {
    return this.random.fraction() < probability;
  }

  #between(least: number, most: number): number {
    return least + this.random.fraction() * (most - least);
  }
}

const START_MS = new VirtualClock().now();
/** Steps after which the counts of another peer are looked at. */
const CHECK_EVERY = 20;

const range = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

function keyOf(seed: number, number: number): PeerKey {
  const bytes = createHash('sha256').update(`peer ${seed} ${number}`).digest();
  return createPeerKey(nacl.sign.keyPair.fromSeed(bytes).secretKey);
}

/** One run of one seed. */
export const runSeed = (options: WorldOptions): Promise<RunResult> => new World(options).run();
