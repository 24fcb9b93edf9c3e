import type { Signer } from '../../actors/gossip/ports/envelopes.ts';
import { EVERYBODY } from '../../machines/gossip/envelope.schema.ts';
import { makeEnvelope } from './envelope-codec.ts';
import type { PeerKey } from './envelope-codec.ts';

/** The port that signs with one peer's key; the key itself does not leave it. */
export function createSigner(meshId: string, key: PeerKey): Signer {
  return {
    meshId,
    peerId: key.id,
    publicKey: Buffer.from(key.publicKey).toString('hex'),
    sign: ({ recipientId, ...draft }) =>
      makeEnvelope(
        { ...draft, meshId, ...(recipientId === EVERYBODY ? {} : { recipientId }) },
        key,
      ),
  };
}
