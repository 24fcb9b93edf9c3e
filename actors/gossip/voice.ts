/** What a peer says itself: signed, numbered, and in its own store before anybody is told of it. */
import { EVERYBODY } from '../../machines/gossip/envelope.schema.ts';
import { TTL_SECONDS_MAX } from '../../machines/gossip/limits.ts';
import type { Voice } from './ports/envelopes.ts';
import type { GossipPorts } from './ports/services.ts';

export function createVoice({
  clock,
  signer,
  store,
}: Pick<GossipPorts, 'clock' | 'signer' | 'store'>): Voice {
  return {
    async post(body, { ttlSeconds = TTL_SECONDS_MAX, replyTo } = {}) {
      const envelope = signer.sign({
        kind: 'public',
        recipientId: EVERYBODY,
        body,
        createdAtMs: clock.now(),
        seq: await store.nextSeq(),
        ttlSeconds,
        ...(replyTo === undefined ? {} : { replyTo }),
      });
      await store.settle({
        nowMs: clock.now(),
        keys: { [signer.peerId]: signer.publicKey },
        verified: [{ envelope, from: signer.peerId }],
        quarantined: [],
        rejected: [],
      });
      return envelope.header.message_id;
    },
  };
}
