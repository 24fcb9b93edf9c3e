/** One peer of a simulation: the real tree on simulated ports, which can be killed and started again. */
import { verify as verifyBytes, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { GossipCounters } from '../../actors/gossip/counters.ts';
import type { Signer } from '../../actors/gossip/ports/envelopes.ts';
import type {
  OpenSession,
  PeerStore,
  Settlement,
  SettlementResult,
} from '../../actors/gossip/ports/peer-store.ts';
import type { RelayClient } from '../../actors/gossip/ports/relay-client.ts';
import type { GossipPorts } from '../../actors/gossip/ports/services.ts';
import type { SignatureCheck } from '../../actors/pool/ports.ts';
import { createEnvelopeVerifier } from '../../runtime/gossip/envelope-verifier.ts';
import type { PeerKey } from '../../runtime/gossip/envelope-codec.ts';
import { gossipTree } from '../../runtime/gossip/gossip-tree.ts';
import { metaCodec } from '../../runtime/gossip/meta-codec.ts';
import { createReconciler } from '../../runtime/gossip/reconcile/reconciler.ts';
import { createSigner } from '../../runtime/gossip/signer.ts';
import { createTree } from '../../supervisor/index.ts';
import type { Tree } from '../../supervisor/index.ts';
import type { DiskImage } from '../support/memory-journal.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { seededRandom } from '../support/supervised.ts';
import { createLyingCodec } from './liar.ts';
import type { Loot } from './liar.ts';
import { MemoryPeerStore } from './memory-peer-store.ts';
import type { Oracle, Watched } from './oracle.ts';
import { PartyClock } from './party-clock.ts';
import { emptyDisk } from './peer-disk.ts';
import type { PeerDisk } from './peer-disk.ts';
import type { PlantedBug } from './planted-bugs.ts';
import type { SimNetwork } from './sim-network.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';

/** What a peer is made with; the world's, shared by all of them. */
export interface PeerWorld {
  readonly clock: VirtualClock;
  readonly network: SimNetwork;
  readonly oracle: Oracle;
  readonly reconciles: boolean;
  readonly bug: PlantedBug | undefined;
  readonly loot: Loot;
  readonly trace: (line: string) => void;
  /** Peers by id. */
  readonly byId: ReadonlyMap<string, Watched>;
  /** Whether that commit is the last that its program does. */
  readonly diesAtCommit: (peer: string) => boolean;
  /** What the relay changed or gave to the wrong peer, by its own doing. */
  readonly isLie: (messageId: string) => boolean;
}

export const MESH = 'sim';
const NEVER = new Promise<never>(() => undefined);

export class SimPeer implements Watched {
  readonly name: string;
  readonly key: PeerKey;
  readonly isHonest: boolean;
  readonly #world: PeerWorld;
  readonly #number: number;
  disk: PeerDisk;
  skewMs = 0;
  clock: PartyClock | undefined;
  tree: Tree | undefined;
  ports: GossipPorts | undefined;
  #journal: MemoryJournal | undefined;
  #image: DiskImage | undefined;
  #incarnation = 0;

  constructor(world: PeerWorld, number: number, key: PeerKey, isHonest: boolean) {
    this.#world = world;
    this.#number = number;
    this.name = `${isHonest ? 'peer' : 'liar'}-${number}`;
    this.key = key;
    this.isHonest = isHonest;
    this.disk = emptyDisk(number * EPOCHS);
  }

  get id(): string {
    return this.key.id;
  }

  get isUp(): boolean {
    return this.clock !== undefined && !this.clock.isDead;
  }

  get publicKey(): string {
    return Buffer.from(this.key.publicKey).toString('hex');
  }

  start(): void {
    const { clock: virtual, trace, oracle } = this.#world;
    const clock = new PartyClock(virtual, this.skewMs);
    const journal = new MemoryJournal(this.#image);
    this.clock = clock;
    this.#journal = journal;
    this.#incarnation++;
    const late = (): Tree => tree;
    const ports = this.#portsOn(clock, late);
    this.ports = ports;
    const random = seededRandom(this.#number * 7919 + this.#incarnation);
    const tree: Tree = createTree(gossipTree(ports), { clock, random, journal });
    this.tree = tree;
    tree.onReport((report) => {
      if (report.type !== 'crash' && report.type !== 'start_error') return;
      trace(`${this.name} ${report.type} ${report.path} ${JSON.stringify(report).slice(0, 600)}`);
      oracle.report(this, `${report.type} of ${report.path}`);
    });
    void tree.start();
  }

  /** As `kill -9`: nothing of the program is heard again. */
  crash(isWiped = false): void {
    this.clock?.kill();
    this.#world.network.forget(this.id);
    this.#image = isWiped ? undefined : this.#journal?.image();
    this.tree = undefined;
    this.ports = undefined;
    if (!isWiped) return;
    this.disk = emptyDisk(this.disk.epoch + 1);
    this.#world.oracle.wiped(this.id);
  }

  #portsOn(clock: PartyClock, late: () => Tree): GossipPorts {
    const { reconciles, bug, loot, trace } = this.#world;
    const store = this.#watchedStore(new MemoryPeerStore(this.disk), clock);
    const honest: GossipPorts = {
      clock,
      random: seededRandom(this.#number * 104_729 + this.#incarnation),
      store,
      relay: this.#watchedClient(clock),
      signer: this.#watchedSigner(),
      verifier: createEnvelopeVerifier({ meshId: MESH, pool: { verifySignatures } }),
      meta: this.isHonest ? metaCodec : createLyingCodec(loot),
      reconciler: reconciles ? createReconciler({ store, clock }) : null,
      root: 'gossip',
      counters: new GossipCounters(),
      notice: (what, error) => trace(`${this.name} notices: ${what}: ${String(error)}`),
      tree: {
        send: (path, event) => late().send(path, event),
        startChild: (path, spec) => late().startChild(path, spec),
        terminateChild: (path, id) => late().terminateChild(path, id),
        deleteChild: (path, id) => late().deleteChild(path, id),
        snapshotOf: (path) => late().snapshotOf(path),
        watch: (path, listener) => late().watch(path, listener),
      },
    };
    return bug === undefined || !this.isHonest ? honest : bug.plant(honest, this.disk);
  }

  /** Each call is one commit, after which the program may die; the dead get no answer. */
  #watchedStore(store: MemoryPeerStore, clock: PartyClock): PeerStore {
    const { oracle, diesAtCommit } = this.#world;
    return new Proxy(store, {
      get: (target, name: keyof PeerStore) => {
        const method = target[name] as unknown as (...args: unknown[]) => unknown;
        if (typeof method !== 'function' || name === 'onFeed' || name === 'onOutgoing')
          return typeof method === 'function' ? method.bind(target) : method;
        return async (...args: unknown[]): Promise<unknown> => {
          if (clock.isDead) return NEVER;
          const result = await method.apply(target, args);
          if (name === 'settle')
            oracle.settled(this, args[0] as Settlement, result as SettlementResult);
          if (name === 'openSession')
            oracle.opened(this, args[0] as string, (args[1] as OpenSession).sessionId);
          if (name === 'openSession' || name === 'closeSession')
            this.#world.trace(`${this.name} ${name} ${describeSession(args)}`);
          if (WRITES.has(name) && diesAtCommit(this.id)) return NEVER;
          return clock.isDead ? NEVER : result;
        };
      },
    });
  }

  #watchedClient(clock: PartyClock): RelayClient {
    const { network, oracle, byId, trace, isLie } = this.#world;
    const leased = new Map<string, unknown>();
    const client = network.clientOf(this, clock);
    return {
      ...client,
      post: (envelopes, signal) => {
        if (clock.isDead) return NEVER;
        for (const envelope of envelopes) {
          const recipient = byId.get(envelope.header.recipient_id);
          trace(`${this.name} → ${recipient?.name ?? '?'} ${describeEnvelope(envelope)}`);
          oracle.posted(this, recipient, envelope);
        }
        return client.post(envelopes, signal);
      },
      lease: async (max, signal) => {
        const items = clock.isDead ? await NEVER : await client.lease(max, signal);
        leased.clear();
        for (const { lease, envelope } of items) leased.set(lease, envelope);
        return items;
      },
      ack: (leases, signal) => {
        if (clock.isDead) return NEVER;
        for (const lease of leases) {
          const envelope = leased.get(lease) as { header?: { message_id?: string } } | undefined;
          oracle.acknowledged(this, envelope, isLie(envelope?.header?.message_id ?? ''));
        }
        return client.ack(leases, signal);
      },
    };
  }

  #watchedSigner(): Signer {
    const signer = createSigner(MESH, this.key);
    return {
      ...signer,
      sign: (draft) => {
        const envelope = signer.sign(draft);
        this.#world.oracle.signed(envelope);
        return envelope;
      },
    };
  }
}

/** Databases that one peer may have one after the other. */
const EPOCHS = 1000;

const WRITES: ReadonlySet<string> = new Set([
  'settle',
  'openSession',
  'closeSession',
  'markSeen',
  'settleOutgoing',
  'addOutgoing',
] satisfies (keyof PeerStore)[]);

/** `meta` and its type, or the kind. */
function describeEnvelope({
  header,
  body,
}: {
  header: { kind: string; message_id: string };
  body: string;
}): string {
  if (header.kind !== 'meta') return `${header.kind} ${header.message_id.slice(0, 8)}`;
  const text = Buffer.from(body, 'base64').toString('latin1');
  const type = /"type":"(\w+)"/.exec(text)?.[1] ?? 'meta';
  const session = /"session_id":"(\w{6})/.exec(text)?.[1] ?? '';
  return `${type} of ${session}`;
}

/** Whom it is with, which, and how it ended. */
function describeSession([peer, session, outcome]: readonly unknown[]): string {
  const { sessionId } = (
    typeof session === 'string' ? { sessionId: session } : session
  ) as OpenSession;
  return [String(peer).slice(0, 8), sessionId.slice(0, 6), outcome].join(' ');
}

/** DER before the 32 octets of an Ed25519 public key (RFC 8410 §4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const keys = new Map<string, KeyObject>();

function keyOf(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('hex');
  let key = keys.get(name);
  if (key === undefined) {
    const der = Buffer.concat([SPKI_PREFIX, publicKey]);
    keys.set(name, (key = createPublicKey({ key: der, format: 'der', type: 'spki' })));
  }
  return key;
}

/** What worker threads do elsewhere; here it happens at once, so that a seed decides all. */
const verifySignatures = async (checks: readonly SignatureCheck[]): Promise<boolean[]> =>
  checks.map(({ publicKey, message, signature }) =>
    verifyBytes(null, message, keyOf(publicKey), signature),
  );
