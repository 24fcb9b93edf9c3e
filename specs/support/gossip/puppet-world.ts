/** One real peer on a virtual clock, and another whose every word a spec decides. */
import { createVoice } from '../../../actors/gossip/voice.ts';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { META_TTL_SECONDS } from '../../../machines/gossip/session-limits.ts';
import type {
  MeshAvailable,
  MeshDelivery,
  MetaMessage,
} from '../../../machines/gossip/meta-message.schema.ts';
import { makeEnvelope } from '../../../runtime/gossip/envelope-codec.ts';
import type { EnvelopeContent, PeerKey } from '../../../runtime/gossip/envelope-codec.ts';
import { metaCodec } from '../../../runtime/gossip/meta-codec.ts';
import type { PlantedBug } from '../../simulation/planted-bugs.ts';
import { CALM, SimNetwork } from '../../simulation/sim-network.ts';
import { Oracle, readMeta } from '../../simulation/oracle.ts';
import { MESH, SimPeer } from '../../simulation/sim-peer.ts';
import { SimRelay } from '../../simulation/sim-relay.ts';
import { seededRandom } from '../supervised.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { samplePeer } from './letters.ts';

export interface PuppetWorldOptions {
  readonly reconciles?: boolean;
  /** The real peer knows the puppet and asks it; default true. */
  readonly isKnown?: boolean;
  /** A defect of the real peer. */
  readonly bug?: PlantedBug;
}

export class PuppetWorld {
  readonly clock = new VirtualClock();
  readonly oracle = new Oracle(() => this.clock.now());
  readonly relay = new SimRelay(() => this.clock.now(), seededRandom(1));
  readonly network = new SimNetwork(this.clock, seededRandom(2), this.relay);
  readonly peer: SimPeer;
  readonly puppet = samplePeer(2);
  #seq = 0;

  constructor({ reconciles = false, isKnown = true, bug }: PuppetWorldOptions = {}) {
    this.network.dials = { ...CALM, delayMinMs: 1, delayMaxMs: 2 };
    const world = {
      clock: this.clock,
      network: this.network,
      oracle: this.oracle,
      reconciles,
      bug,
      trace: () => undefined,
      byId: new Map(),
      diesAtCommit: () => false,
      isLie: () => false,
      loot: { random: seededRandom(3), strangers: [], anyEnvelope: () => undefined },
    };
    this.peer = new SimPeer(world, 1, samplePeer(1), true);
    this.peer.start();
    if (isKnown) this.befriend();
  }

  /** The real peer gets to know the puppet. */
  befriend(): void {
    const { ports, tree } = this.peer;
    const publicKey = hexOf(this.puppet);
    void ports?.store.addPeer({ peerId: this.puppet.id, publicKey, name: 'puppet' });
    tree?.send('gossip/sync', { type: 'peers.changed' });
  }

  async runFor(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** What the puppet finds in its inbox, taken out of it. */
  heard(): readonly MetaMessage[] {
    const items = this.relay.lease(this.puppet.id, 1000);
    this.relay.ack(
      this.puppet.id,
      items.map(({ lease }) => lease),
    );
    return items.flatMap(({ envelope }) => readMeta(envelope as Envelope) ?? []);
  }

  /** The newest message of that type that the puppet hears. */
  lastHeard<Type extends MetaMessage['type']>(
    type: Type,
  ): Extract<MetaMessage, { readonly type: Type }> {
    const found = this.heard().findLast((one) => one.type === type);
    if (found === undefined) throw new Error(`The puppet hears no ${type}.`);
    return found as Extract<MetaMessage, { readonly type: Type }>;
  }

  /** The last page of the puppet, for the question that it has just heard. */
  page(change: Partial<MeshAvailable> = {}): Omit<MeshAvailable, 'reconcile'> {
    const { session_id, since_timestamp, cursor } = this.lastHeard('message_request');
    return {
      type: 'mesh_available',
      peer_id: this.puppet.id,
      session_id,
      since_timestamp,
      message_ids: [],
      answers: cursor,
      cursor: null,
      end: true,
      as_of: this.clock.now(),
      ...change,
    };
  }

  /** A delivery of the puppet, for the request that it has just heard. */
  delivery(change: Partial<MeshDelivery> = {}): MeshDelivery {
    const { session_id, cursor } = this.lastHeard('mesh_request');
    return {
      type: 'mesh_delivery',
      peer_id: this.puppet.id,
      session_id,
      envelopes: [],
      sender_keys: { [this.puppet.id]: hexOf(this.puppet) },
      cursor,
      end: true,
      gone: [],
      ...change,
    };
  }

  /** An envelope of the puppet, or of somebody else. */
  make(change: Partial<EnvelopeContent> = {}, author: PeerKey = this.puppet): Envelope {
    const envelope = makeEnvelope(
      {
        meshId: MESH,
        kind: 'public',
        body: Buffer.from('hello'),
        createdAtMs: this.clock.now() + this.peer.skewMs,
        seq: this.#seq++,
        ttlSeconds: 86_400,
        ...change,
      },
      author,
    );
    this.oracle.signed(envelope);
    return envelope;
  }

  /** Sends a body as a meta message to the real peer, whatever it is. */
  say(body: unknown, change: Partial<EnvelopeContent> = {}, author = this.puppet): Envelope {
    const envelope = this.make(
      {
        kind: 'meta',
        recipientId: this.peer.id,
        body: metaCodec.encode(body),
        ttlSeconds: META_TTL_SECONDS,
        ...change,
      },
      author,
    );
    this.post(envelope, author);
    return envelope;
  }

  post(envelope: Envelope, author: PeerKey = this.puppet): void {
    this.relay.post({ id: author.id, publicKey: hexOf(author) }, [envelope]);
  }

  /** A public post of the real peer; resolves with its id. */
  async posts(text: string): Promise<string> {
    if (!this.peer.ports) throw new Error('The peer is down.');
    return createVoice(this.peer.ports).post(Buffer.from(text));
  }

  /** Refusals of the real peer's present program, by code. */
  get refusals(): Readonly<Record<string, number>> {
    return this.peer.ports?.counters.counts().refusals ?? {};
  }

  /** What the real peer's disk says of the puppet. */
  get record() {
    return this.peer.disk.peers.get(this.puppet.id);
  }
}

export const hexOf = ({ publicKey }: PeerKey): string => Buffer.from(publicKey).toString('hex');
