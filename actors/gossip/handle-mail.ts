/**
 * What becomes of each message of a batch from the relay: refused and counted, handed to the session it is
 * for, or stored. Nothing that one message is can keep another from being handled.
 */
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { expiresAt } from '../../machines/gossip/envelope.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { metaMessageSchema } from '../../machines/gossip/meta-message.schema.ts';
import type {
  MetaAnswer,
  MetaMessage,
  MetaQuestion,
} from '../../machines/gossip/meta-message.schema.ts';
import { examine } from './examine.ts';
import { requesterPath } from './paths.ts';
import type { InboxItem } from './ports/relay-client.ts';
import type { GossipPorts } from './ports/services.ts';
import { backfill, settle } from './settle.ts';

/** Where proven meta messages go. */
export interface MetaTargets {
  readonly question: (question: MetaQuestion) => Promise<void>;
  readonly answer: (answer: MetaAnswer) => void;
}

/** Resolves when all of it may be acknowledged; rejects, and then none of it, as the store does. */
export async function handleMail(
  ports: GossipPorts,
  items: readonly InboxItem[],
  targets: MetaTargets,
  signal: AbortSignal,
): Promise<void> {
  const own = ports.signer.peerId;
  const opened = await ports.verifier.open(
    items.map(({ envelope }) => envelope),
    ports.clock.now(),
  );
  const metas: Letter[] = [];
  const others: Letter[] = [];
  for (const [at, one] of opened.entries()) {
    const senderKey = items[at]?.senderKey;
    if (!one.ok) ports.counters.refuse(one.code);
    else if (one.envelope.header.recipient_id !== own)
      ports.counters.refuse('MESH_ERR_GOSSIP_NOT_FOR_US');
    else (one.envelope.header.kind === 'meta' ? metas : others).push({ ...one, senderKey });
  }
  await storeAll(ports, others, signal);
  for (const letter of await proven(ports, metas, signal)) await deliver(ports, letter, targets);
}

interface Letter {
  readonly envelope: Envelope;
  readonly senderKey: string | undefined;
}

/** Direct and group messages; those of a stranger wait for a key. */
async function storeAll(
  ports: GossipPorts,
  letters: readonly Letter[],
  signal: AbortSignal,
): Promise<void> {
  if (letters.length === 0) return;
  const { settlement } = await examine(
    ports,
    {
      from: ports.signer.peerId,
      items: letters.map(({ envelope }) => envelope),
      senderKeys: keysGiven(letters),
      refusalOf: () => null,
    },
    signal,
  );
  await settle(ports, settlement);
  if (Object.keys(settlement.keys).length > 0) await backfill(ports, signal);
}

const keysGiven = (letters: readonly Letter[]): Record<string, string> =>
  Object.fromEntries(
    letters.flatMap(({ envelope, senderKey }) =>
      senderKey === undefined ? [] : [[envelope.header.sender_id, senderKey]],
    ),
  );

/** Those whose signature is proven and that were not handled before. */
async function proven(
  ports: GossipPorts,
  letters: readonly Letter[],
  signal: AbortSignal,
): Promise<readonly Envelope[]> {
  if (letters.length === 0) return [];
  const { store, verifier, counters } = ports;
  const senders = [...new Set(letters.map(({ envelope }) => envelope.header.sender_id))];
  const known = await store.keysOf(senders);
  const checks: { envelope: Envelope; publicKey: string }[] = [];
  for (const { envelope, senderKey } of letters) {
    const { sender_id: sender } = envelope.header;
    const isOwn = senderKey !== undefined && verifier.peerIdOf(senderKey) === sender;
    const publicKey = known[sender] ?? (isOwn ? senderKey : undefined);
    if (publicKey === undefined) counters.refuse('MESH_ERR_GOSSIP_UNKNOWN_SENDER');
    else checks.push({ envelope, publicKey });
  }
  const verdicts = checks.length === 0 ? [] : await verifier.verify(checks, signal);
  const good = checks.filter((_, at) => verdicts[at] === true).map(({ envelope }) => envelope);
  counters.refuse('MESH_ERR_ENVELOPE_SIGNATURE', undefined, checks.length - good.length);
  const fresh = new Set(
    await store.markSeen(
      good.map(({ header }) => ({
        messageId: header.message_id,
        expiresAtMs: expiresAt(header),
      })),
    ),
  );
  const isFirst = ({ header }: Envelope): boolean => fresh.delete(header.message_id);
  const news = good.filter(isFirst);
  counters.count('replays', good.length - news.length);
  return news;
}

async function deliver(
  ports: GossipPorts,
  envelope: Envelope,
  { question, answer }: MetaTargets,
): Promise<void> {
  const message = read(ports, envelope);
  if (message === undefined) return;
  if (message.type === 'message_request' || message.type === 'mesh_request')
    await question(message);
  else answer(message);
}

function read({ meta, counters }: GossipPorts, envelope: Envelope): MetaMessage | undefined {
  const { sender_id: sender } = envelope.header;
  let body: unknown;
  try {
    body = meta.decode(envelope.body);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    counters.refuse('MESH_ERR_GOSSIP_META', sender);
    return undefined;
  }
  const parsed = metaMessageSchema.safeParse(body);
  if (parsed.success && parsed.data.peer_id === sender) return parsed.data;
  counters.refuse(parsed.success ? 'MESH_ERR_GOSSIP_SENDER' : 'MESH_ERR_GOSSIP_META', sender);
  return undefined;
}

/** Gives an answer to the requester that waits for one of this session. */
export function createAnswerTarget({ tree, root, counters }: GossipPorts) {
  return (answer: MetaAnswer): void => {
    const path = requesterPath(root, answer.peer_id);
    const waiting = tree.snapshotOf(path) as
      | { readonly status: string; readonly context?: { readonly session?: unknown } }
      | undefined;
    const isAwaited =
      waiting?.status === 'active' && waiting.context?.session === answer.session_id;
    const type = answer.type === 'mesh_available' ? 'available.received' : 'delivery.received';
    if (isAwaited && tree.send(path, { type, answer })) return;
    counters.refuse('MESH_ERR_GOSSIP_UNSOLICITED', answer.peer_id);
  };
}
