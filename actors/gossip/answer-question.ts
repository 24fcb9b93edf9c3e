/** What this peer tells another one: a page, a frame, or messages; verified, public and alive ones only. */
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { AVAILABLE_IDS_MAX, DELIVERY_BYTES_MAX } from '../../machines/gossip/limits.ts';
import type {
  MeshAvailable,
  MeshDelivery,
  MeshRequest,
  MessageRequest,
  MetaAnswer,
  MetaQuestion,
} from '../../machines/gossip/meta-message.schema.ts';
import type { GossipPorts } from './ports/services.ts';

/** Faults of the one who asks: its question has no answer. */
const REFUSED: ReadonlySet<string> = new Set([
  'MESH_ERR_GOSSIP_CURSOR',
  'MESH_ERR_RECONCILE_FRAME',
]);

/** Null for a question that has no answer, which is counted. Rejects as the store does. */
export async function answerQuestion(
  ports: GossipPorts,
  peer: string,
  question: MetaQuestion,
): Promise<MetaAnswer | null> {
  try {
    return question.type === 'mesh_request'
      ? await delivery(ports, question)
      : await available(ports, question);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !REFUSED.has(code)) throw error;
    ports.counters.refuse(code, peer);
    return null;
  }
}

async function available(
  { clock, store, signer, reconciler }: GossipPorts,
  { session_id, since_timestamp, cursor, reconcile }: MessageRequest,
): Promise<MeshAvailable> {
  const nowMs = clock.now();
  const answer = {
    type: 'mesh_available',
    peer_id: signer.peerId,
    session_id,
    since_timestamp,
    answers: cursor,
    as_of: nowMs,
  } as const;
  if (reconcile !== undefined && reconciler !== null) {
    const frame = await reconciler.respond(session_id, reconcile);
    return { ...answer, message_ids: [], cursor: null, end: true, reconcile: frame };
  }
  const { ids, next } = await store.publicSince({
    sinceMs: since_timestamp,
    cursor,
    limit: AVAILABLE_IDS_MAX,
    nowMs,
  });
  return { ...answer, message_ids: [...ids], cursor: next, end: next === null };
}

async function delivery(
  { clock, store, signer, counters }: GossipPorts,
  { session_id, message_ids, cursor }: MeshRequest,
): Promise<MeshDelivery> {
  const options = { nowMs: clock.now(), bytesMax: DELIVERY_BYTES_MAX };
  const found = await store.publicEnvelopes([...new Set(message_ids)], options);
  counters.count('messagesServed', found.envelopes.length);
  return {
    type: 'mesh_delivery',
    peer_id: signer.peerId,
    session_id,
    envelopes: [...found.envelopes],
    sender_keys: { ...found.senderKeys },
    cursor,
    end: found.left.length === 0,
    gone: [...found.gone],
  };
}
