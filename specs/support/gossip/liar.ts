/** A peer that answers as it should not: what it says is signed, and mostly wrong. */
import nacl from 'tweetnacl';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { createPeerKey, makeEnvelope } from '../../../runtime/gossip/envelope-codec.ts';
import type { EnvelopeContent } from '../../../runtime/gossip/envelope-codec.ts';
import { metaCodec } from '../../../runtime/gossip/meta-codec.ts';
import { createRelayClient } from '../../../runtime/relay/client.ts';
import { moment } from './eventually.ts';

/** What is found out about it. */
export const LIES = [
  'MESH_ERR_ENVELOPE_BODY',
  'MESH_ERR_ENVELOPE_SIGNATURE',
  'MESH_ERR_ENVELOPE_EXPIRED',
  'MESH_ERR_ENVELOPE_FUTURE',
  'MESH_ERR_ENVELOPE_FOREIGN_MESH',
  'MESH_ERR_ENVELOPE_MALFORMED',
  'MESH_ERR_GOSSIP_NOT_PUBLIC',
  'MESH_ERR_GOSSIP_UNSOLICITED',
  'MESH_ERR_GOSSIP_META',
] as const;

const PATIENCE_MS = 25_000;
const LOOK_MS = 20;

export interface Liar extends Disposable {
  /** Public key in hex, for the victim to add. */
  readonly key: string;
  /** Answers the victim's next session: one good message with that text, and all kinds of bad ones. */
  answerOnce(text: string): Promise<void>;
  /** A meta message that is none, and an answer to a question that nobody asked. */
  makeNoise(): Promise<void>;
}

export function createLiar({
  relayUrl,
  clock,
  victim,
}: {
  readonly relayUrl: string;
  readonly clock: Clock;
  readonly victim: string;
}): Liar {
  const key = createPeerKey(nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(66)).secretKey);
  const client = createRelayClient({ url: relayUrl, key, clock, random: systemRandom });
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const hexKey = Buffer.from(key.publicKey).toString('hex');
  let seq = 0;
  const envelope = (text: string, change: Partial<EnvelopeContent> = {}): Envelope => {
    const body = Buffer.from(text);
    const at = { createdAtMs: clock.now(), seq: ++seq, ttlSeconds: 600 };
    return makeEnvelope({ meshId: 'mesh', kind: 'public', body, ...at, ...change }, key);
  };
  const tell = async (message: object): Promise<void> => {
    const body = metaCodec.encode({ peer_id: key.id, ...message });
    await client.post([envelope('', { kind: 'meta', recipientId: victim, body })], signal);
  };
  const unasked = envelope('nobody asked for this');
  return {
    key: hexKey,
    answerOnce: async (text) => {
      const asked = await questionOf(client, 'message_request', signal);
      const good = envelope(text);
      const bad = badOnes(envelope, good, clock, victim);
      await tell({
        type: 'mesh_available',
        session_id: asked.session_id,
        since_timestamp: 0,
        message_ids: [good, ...bad].map(({ header }) => header.message_id),
        answers: asked.cursor,
        cursor: null,
        end: true,
        as_of: clock.now(),
      });
      const wanted = await questionOf(client, 'mesh_request', signal);
      await tell({
        type: 'mesh_delivery',
        session_id: wanted.session_id,
        cursor: wanted.cursor,
        envelopes: [...bad, unasked, { header: 'none' }, good, good],
        sender_keys: { [key.id]: hexKey, [victim]: '00'.repeat(32) },
        end: true,
        gone: [],
      });
    },
    makeNoise: async () => {
      await tell({ type: 'mesh_dump' });
      await tell({
        type: 'mesh_delivery',
        session_id: 'f'.repeat(32),
        cursor: null,
        envelopes: [unasked],
        sender_keys: {},
        end: true,
        gone: [],
      });
    },
    [Symbol.dispose]: () => {
      client.close();
    },
  };
}

/** Announced, asked for, and each wrong in its own way. */
function badOnes(
  envelope: (text: string, change?: Partial<EnvelopeContent>) => Envelope,
  good: Envelope,
  clock: Clock,
  victim: string,
): Envelope[] {
  const HOUR_MS = 3_600_000;
  return [
    { ...envelope('one body'), body: Buffer.from('another body').toString('base64') },
    { ...envelope('forged'), signature: good.signature },
    envelope('late', { createdAtMs: clock.now() - HOUR_MS }),
    envelope('ahead', { createdAtMs: clock.now() + HOUR_MS }),
    envelope('foreign', { meshId: 'elsewhere' }),
    envelope('sealed', { kind: 'direct', recipientId: victim }),
  ];
}

/** The victim's next question of that type; all others are thrown away. */
async function questionOf(
  client: ReturnType<typeof createRelayClient>,
  type: string,
  signal: AbortSignal,
): Promise<{ session_id: string; cursor: string | null }> {
  for (;;) {
    const items = await client.lease(16, signal);
    await client.ack(
      items.map(({ lease }) => lease),
      signal,
    );
    for (const item of items) {
      const asked = metaCodec.decode((item.envelope as Envelope).body) as { type: string };
      if (asked.type === type) return asked as never;
    }
    await moment(LOOK_MS);
  }
}
