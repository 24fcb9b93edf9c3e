/**
 * Defects that a peer could have, each put between the real actors and a port of theirs. Only specs plant
 * them: the simulation must find each.
 */
import type { PeerStore, Settlement } from '../../actors/gossip/ports/peer-store.ts';
import type { RelayClient } from '../../actors/gossip/ports/relay-client.ts';
import type { EnvelopeVerifier } from '../../actors/gossip/ports/envelopes.ts';
import type { GossipPorts } from '../../actors/gossip/ports/services.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { checkEnvelope } from '../../machines/gossip/envelope.ts';
import type { PeerDisk } from './peer-disk.ts';

export interface PlantedBug {
  readonly name: string;
  /** Where to begin looking: an earlier seed is known to have no luck bad enough. */
  readonly seed: number;
  /** Gives the ports of one peer with the defect. */
  readonly plant: (ports: GossipPorts, disk: PeerDisk) => GossipPorts;
}

/** The port with some methods replaced; the others are the port's own. */
function over<Port extends object>(port: Port, replaced: Partial<Port>): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const own: unknown = Reflect.get(replaced, name) ?? Reflect.get(target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

const inStore =
  (replace: (store: PeerStore, disk: PeerDisk, ports: GossipPorts) => Partial<PeerStore>) =>
  (ports: GossipPorts, disk: PeerDisk): GossipPorts => ({
    ...ports,
    store: over(ports.store, replace(ports.store, disk, ports)),
  });
const inRelay =
  (replace: (relay: RelayClient) => Partial<RelayClient>) =>
  (ports: GossipPorts): GossipPorts => ({
    ...ports,
    relay: over(ports.relay, replace(ports.relay)),
  });
const inVerifier =
  (replace: (verifier: EnvelopeVerifier) => Partial<EnvelopeVerifier>) =>
  (ports: GossipPorts): GossipPorts => ({
    ...ports,
    verifier: over(ports.verifier, replace(ports.verifier)),
  });

const heldIn = (disk: PeerDisk): readonly string[] => [
  ...[...disk.messages.values()].map(({ envelope }) => envelope.header.message_id),
  ...[...disk.quarantine.values()].map(({ envelope }) => envelope.header.message_id),
];

/** By what is wrong. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'believes every signature',
    seed: 1,
    plant: inVerifier(() => ({ verify: async (checks) => checks.map(() => true) })),
  },
  {
    name: 'believes every id and every body',
    seed: 1,
    plant: inVerifier((verifier) => ({
      open: async (items, nowMs) => {
        const opened = await verifier.open(items, nowMs);
        return opened.map((one, at) => {
          if (one.ok || !/_ENVELOPE_(ID|BODY)$/.test(one.code)) return one;
          return { ok: true, envelope: checkEnvelope(items[at]) };
        });
      },
      // The signature covers the id's bytes: whoever skips the one skips the other.
      verify: async (checks, signal) => {
        const verdicts = await verifier.verify(checks, signal);
        return checks.map(
          (check, at) => verdicts[at] === true || check.envelope.body.startsWith('AAAA'),
        );
      },
    })),
  },
  {
    name: 'keeps messages beyond their lifetime',
    seed: 1,
    plant: (ports) => ({
      ...ports,
      clock: over(ports.clock, { now: () => ports.clock.now() - 50 * 60_000 }),
    }),
  },
  {
    name: 'tells of direct messages',
    seed: 1,
    plant: inStore((store, disk) => ({
      publicSince: async (query) => {
        const page = await store.publicSince(query);
        return page.next === null
          ? { ...page, ids: [...new Set([...page.ids, ...heldIn(disk)])] }
          : page;
      },
    })),
  },
  {
    name: 'delivers direct messages',
    seed: 1,
    plant: inStore((store, disk) => ({
      publicEnvelopes: async (ids, options) => {
        const found = await store.publicEnvelopes(ids, options);
        const direct = [...disk.messages.values()].find(
          ({ envelope }) => envelope.header.kind === 'direct',
        );
        return direct ? { ...found, envelopes: [...found.envelopes, direct.envelope] } : found;
      },
    })),
  },
  {
    name: 'acknowledges before it has handled',
    seed: 1,
    plant: inRelay((relay) => ({
      lease: async (max, signal) => {
        const items = await relay.lease(max, signal);
        if (items.length > 0)
          await relay.ack(
            items.map(({ lease }) => lease),
            signal,
          );
        return items;
      },
    })),
  },
  {
    name: 'lets one bad message take its batch along',
    seed: 2,
    plant: inVerifier((verifier) => ({
      open: async (items, nowMs) => {
        const opened = await verifier.open(items, nowMs);
        const bad = opened.find(({ ok }) => !ok);
        return bad === undefined ? opened : opened.map(() => bad);
      },
    })),
  },
  {
    name: 'answers for a commit that is still to come',
    seed: 1,
    plant: inStore((store, _, { clock }) => ({
      settle: async (settlement: Settlement) => {
        clock.setTimeout(() => void store.settle(settlement), 400);
        return {
          verified: settlement.verified.map(() => 'stored' as const),
          quarantined: settlement.quarantined.map(() => 'quarantined' as const),
        };
      },
    })),
  },
  {
    name: 'forgets at a restart when it asked',
    seed: 1,
    plant: inStore((store) => ({
      peers: async () => (await store.peers()).map((one) => ({ ...one, queriedAtMs: null })),
    })),
  },
  {
    name: 'refuses an id for ever because of one forgery',
    seed: 2,
    plant: inStore((_, disk) => ({
      tombstonesAmong: async (pairs) => {
        const dead = new Set([...disk.tombstones.keys()].map((key) => key.split(' ')[0]));
        return pairs.flatMap(({ messageId }, at) => (dead.has(messageId) ? [at] : []));
      },
    })),
  },
  {
    name: 'drops all messages of an author for one forgery',
    seed: 1,
    plant: (ports, disk) => {
      const authors = new Map<string, string>();
      const { store, verifier } = ports;
      const open: EnvelopeVerifier['open'] = async (items, nowMs) => {
        const opened = await verifier.open(items, nowMs);
        for (const one of opened)
          if (one.ok) authors.set(idOf(one.envelope), one.envelope.header.sender_id);
        return opened;
      };
      const settle: PeerStore['settle'] = async (settlement) => {
        const result = await store.settle(settlement);
        const forged = new Set(settlement.rejected.map(({ messageId }) => authors.get(messageId)));
        for (const [id, { envelope }] of disk.messages)
          if (forged.has(envelope.header.sender_id)) disk.messages.delete(id);
        return result;
      };
      return { ...ports, verifier: over(verifier, { open }), store: over(store, { settle }) };
    },
  },
  {
    name: 'never looks at the quarantine again',
    seed: 4,
    plant: inStore(() => ({ backfillable: async () => [] })),
  },
  {
    name: 'keeps any number of messages without a key',
    seed: 4,
    plant: inStore((store, disk) => ({
      settle: async (settlement) => {
        for (const { envelope, from } of settlement.quarantined)
          disk.quarantine.set(`${envelope.header.message_id} ${envelope.signature}`, {
            envelope,
            from,
            row: ++disk.row,
            storedAtMs: 0,
            expiresAtMs: Infinity,
          });
        return store.settle(settlement);
      },
    })),
  },
  {
    name: 'tells of the first page only',
    seed: 1,
    plant: (ports, disk) =>
      inStore((store) => ({
        publicSince: async (query) => {
          const page = await store.publicSince({ ...query, cursor: null, limit: 2 });
          return { ...page, next: null };
        },
      }))({ ...ports, reconciler: null }, disk),
  },
  {
    name: 'tells of its own messages only',
    seed: 2,
    plant: (ports, disk) =>
      inStore((store) => ({
        publicSince: async (query) => {
          const page = await store.publicSince(query);
          const isOwn = (id: string): boolean =>
            disk.messages.get(id)?.envelope.header.sender_id === ports.signer.peerId;
          return { ...page, ids: page.ids.filter(isOwn) };
        },
      }))({ ...ports, reconciler: null }, disk),
  },
  {
    name: 'takes what could not be sent for sent',
    seed: 1,
    plant: inStore((store) => ({
      settleOutgoing: (results) =>
        store.settleOutgoing(results.map(({ messageId }) => ({ messageId, type: 'sent' }))),
    })),
  },
  {
    name: 'answers what it has answered before',
    seed: 1,
    plant: inStore(() => ({
      markSeen: async (entries) => entries.map(({ messageId }) => messageId),
    })),
  },
  {
    name: 'stores a message as often as it comes',
    seed: 1,
    plant: inStore((store, disk) => ({
      missingOf: async (ids) => ids,
      settle: async (settlement) => {
        for (const { envelope } of settlement.verified) disk.messages.delete(idOf(envelope));
        const result = await store.settle(settlement);
        disk.row = Math.max(0, ...[...disk.messages.values()].map(({ row }) => row)) - 1;
        return result;
      },
    })),
  },
];

/** No defect: what the worlds of the planted ones come to without theirs. */
export const NO_BUG: PlantedBug = { name: 'none', seed: 1, plant: (ports) => ports };

const idOf = ({ header }: Envelope): string => header.message_id;
