/** A peer that follows no rule: what it answers is wrong in every way that the protocol knows. */
import type { MetaCodec } from '../../actors/gossip/ports/services.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import type { MeshAvailable, MeshDelivery } from '../../machines/gossip/meta-message.schema.ts';
import type { Random } from '../../machines/kernel/random.ts';
import { metaCodec } from '../../runtime/gossip/meta-codec.ts';

/** What a liar can get hold of. */
export interface Loot {
  readonly random: Random;
  /** Any message that anybody made, by chance; direct ones as well. */
  readonly anyEnvelope: () => Envelope | undefined;
  /** Messages of an author whose key it keeps back. */
  readonly strangers: readonly Envelope[];
}

/** Encodes what it is asked to, or something worse. */
export function createLyingCodec(loot: Loot): MetaCodec {
  const { random } = loot;
  return {
    decode: (body) => metaCodec.decode(body),
    encode: (message) => {
      const { type } = message as { readonly type?: string };
      if (random.fraction() < HONEST_SHARE) return metaCodec.encode(message);
      if (type === 'mesh_available')
        return metaCodec.encode(lieOfPage(message as MeshAvailable, loot));
      if (type === 'mesh_delivery')
        return metaCodec.encode(lieOfDelivery(message as MeshDelivery, loot));
      return metaCodec.encode(message);
    },
  };
}

/** A liar that never tells the truth would be found out too soon. */
const HONEST_SHARE = 0.3;

function lieOfPage(page: MeshAvailable, { random, strangers, anyEnvelope }: Loot): unknown {
  const bogus = Array.from({ length: 3 }, () => random.hex(32));
  const unknown = strangers.map(({ header }) => header.message_id);
  const known = anyEnvelope()?.header.message_id;
  const ids = [...page.message_ids, ...unknown, ...(known === undefined ? [] : [known])];
  const lies: readonly unknown[] = [
    { ...page, message_ids: [...ids, ...bogus].slice(0, 2000) },
    { ...page, message_ids: ids, reconcile: undefined },
    { ...page, message_ids: unknown, end: true, cursor: null },
    { ...page, message_ids: [], end: false, cursor: 'nowhere' },
    { ...page, peer_id: random.hex(32) },
    { ...page, reconcile: random.hex(40) },
    { ...page, type: 'mesh_gossip' },
  ];
  return withoutUndefined(lies[Math.floor(random.fraction() * lies.length)]);
}

function lieOfDelivery(delivery: MeshDelivery, { random, strangers, anyEnvelope }: Loot): unknown {
  const envelopes = delivery.envelopes as readonly Envelope[];
  const other = anyEnvelope();
  const resigned = envelopes.map((one) => ({ ...one, signature: flipped(one.signature) }));
  const lies: readonly unknown[] = [
    { ...delivery, envelopes: resigned },
    { ...delivery, envelopes: [...resigned, ...envelopes] },
    { ...delivery, envelopes: envelopes.map((one) => ({ ...one, body: `AAAA${one.body}` })) },
    {
      ...delivery,
      envelopes: envelopes.map((one) => ({ ...one, header: { ...one.header, seq: 1 } })),
    },
    { ...delivery, envelopes: [...envelopes, ...(other ? [other] : []), { what: 'is this' }] },
    { ...delivery, envelopes: [...strangers, ...envelopes].slice(0, 500), sender_keys: {} },
    {
      ...delivery,
      sender_keys: Object.fromEntries(
        Object.keys(delivery.sender_keys).map((id) => [id, random.hex(32)]),
      ),
    },
    { ...delivery, envelopes: [], gone: [] },
    { ...delivery, session_id: random.hex(16) },
  ];
  return lies[Math.floor(random.fraction() * lies.length)];
}

/** Another signature of the right form. */
const flipped = (signature: string): string =>
  signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;

const withoutUndefined = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
