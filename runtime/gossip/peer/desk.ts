/** What a peer does with its store alone: post, send, list, add and remove peers. */
import { join } from 'node:path';
import type { EnvelopeDraft, Signer } from '../../../actors/gossip/ports/envelopes.ts';
import { createVoice } from '../../../actors/gossip/voice.ts';
import type { FeedItem, PeerRecord, PeerStore } from '../../../actors/gossip/ports/peer-store.ts';
import { BODY_BYTES_MAX, TTL_SECONDS_MAX } from '../../../machines/gossip/limits.ts';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import { isAcceptableKey } from '../../workers/ed25519.ts';
import { peerIdOf } from '../envelope-codec.ts';
import { peerError } from '../errors.ts';
import type { MessageRow, PeerInfo, PeerRow, RelayRow } from '../message-view.ts';
import { SEALED_OVERHEAD_BYTES, readGroupKey, sealDirect, sealGroup } from '../sealed.ts';
import type { MessageQuery, PeerDesk, PostRequest, SendRequest } from './peer-control.ts';
import type { PeerPaths } from './peer-home.ts';
import { deadLetterRow, groupKeysIn, messageRow, peerRow } from './rows.ts';

/** What a desk works with. */
export interface DeskParts {
  readonly store: PeerStore;
  readonly signer: Signer;
  /** Ed25519, 64 bytes; for sealing. */
  readonly secretKey: Uint8Array;
  readonly clock: Clock;
  readonly home: string;
  readonly paths: PeerPaths;
  /** State of the requester of a peer, by its id. */
  readonly stateOf?: (peerId: string) => string;
  readonly relay?: () => RelayRow | null;
  readonly tallies?: () => Pick<PeerInfo, 'tallies' | 'refusals'>;
  readonly pid?: number;
}

/** Rows that one question is answered with at most. */
export const MESSAGES_MAX = 1_000;
const MESSAGES_DEFAULT = 50;
const DEAD_LETTERS_SHOWN = 100;
/** An id is told by so many digits at least. */
const PREFIX_MIN = 6;

/** Makes the desk of a peer; the store is its owner's to close. */
export function createDesk(parts: DeskParts): PeerDesk {
  const { store, signer, paths } = parts;
  const voice = createVoice(parts);
  return {
    info: () => infoOf(parts),
    peers: async () =>
      (await store.peers()).map((record) => peerRow(record, stateOf(parts, record))),
    addPeer: (peer) => addPeer(parts, peer),
    removePeer: async (who) => {
      const record = await findPeer(store, who);
      await store.removePeer(record.peerId);
      return peerRow(record, stateOf(parts, record));
    },
    post: async (request) => {
      const body = bytesOf(request.text, BODY_BYTES_MAX);
      return { id: await voice.post(body, { ...request, ttlSeconds: lifetimeOf(request) }) };
    },
    send: async (request) => {
      const recipient = await findPeer(store, request.to);
      const keys = await store.keysOf([recipient.peerId]);
      const text = bytesOf(request.text, BODY_BYTES_MAX - SEALED_OVERHEAD_BYTES);
      const body = sealed(parts, request, text, keys[recipient.peerId] ?? '');
      const kind = request.group === undefined ? 'direct' : 'group';
      const envelope = await sign(parts, { kind, recipientId: recipient.peerId, body }, request);
      await store.addOutgoing(envelope);
      // Of the two the sending is what was promised; a crash in between costs the copy in the feed.
      await keepOwn(parts, envelope);
      return { id: envelope.header.message_id };
    },
    messages: async ({ after, limit = MESSAGES_DEFAULT }: MessageQuery = {}) => {
      const count = Math.min(limit, MESSAGES_MAX);
      const items =
        after === undefined ? await store.feedTail(count) : await store.feed(after, count);
      return rowsOf({ store, paths, secretKey: parts.secretKey, ownId: signer.peerId }, items);
    },
    deadLetters: async () => (await store.deadLetters(DEAD_LETTERS_SHOWN)).map(deadLetterRow),
  };
}

const stateOf = ({ stateOf: of }: DeskParts, { peerId }: PeerRecord): string =>
  of?.(peerId) ?? 'idle';

/** Feed items as rows; names and keys are read once for all of them. */
export async function rowsOf(
  parts: Pick<DeskParts, 'store' | 'paths' | 'secretKey'> & { readonly ownId: string },
  items: readonly FeedItem[],
): Promise<MessageRow[]> {
  const { store, ownId, secretKey, paths } = parts;
  if (items.length === 0) return [];
  const names = new Map(
    (await store.peers()).flatMap(({ peerId, name }) => (name === null ? [] : [[peerId, name]])),
  );
  const sealedEnds = items
    .filter(({ envelope }) => envelope.header.kind === 'direct')
    .flatMap(({ envelope: { header } }) => [header.sender_id, header.recipient_id]);
  const keys = sealedEnds.length === 0 ? {} : await store.keysOf([...new Set(sealedEnds)]);
  const hasGroups = items.some(({ envelope }) => envelope.header.kind === 'group');
  const opener = { ownId, secretKey, groupKeys: hasGroups ? groupKeysIn(paths.groups) : [] };
  return items.map((item) => messageRow(item, names, keys, opener));
}

async function infoOf(parts: DeskParts): Promise<PeerInfo> {
  const { store, signer, home, relay, pid, tallies } = parts;
  return {
    peerId: signer.peerId,
    publicKey: signer.publicKey,
    meshId: signer.meshId,
    home,
    pid: pid ?? null,
    relay: relay?.() ?? null,
    counts: { ...(await store.counts()) },
    ...(tallies?.() ?? { tallies: {}, refusals: {} }),
  };
}

async function addPeer(
  parts: DeskParts,
  { publicKey, name }: { readonly publicKey: string; readonly name?: string },
): Promise<PeerRow> {
  const { store, signer } = parts;
  const raw = Buffer.from(publicKey, 'hex');
  const refused = (found: string): Error =>
    peerError('MESH_ERR_PEER_KEY', `Adding the peer ${publicKey.slice(0, 64)}: ${found}.`);
  if (!/^[0-9a-f]{64}$/.test(publicKey)) throw refused('it is not 64 lower-case hex digits');
  if (!isAcceptableKey(raw)) throw refused('it is no key that counts');
  const peerId = peerIdOf(raw);
  if (peerId === signer.peerId) throw refused('it is the key of this very peer');
  const named = (await store.peers()).find((one) => one.name === name && one.peerId !== peerId);
  if (name !== undefined && named !== undefined)
    throw refused(`the name ${name} is that of ${named.peerId}`);
  await store.addPeer({ peerId, publicKey, name: name ?? null });
  const record = await findPeer(store, peerId);
  return peerRow(record, stateOf(parts, record));
}

/** The one peer that is meant. MESH_ERR_PEER_UNKNOWN. */
export async function findPeer(store: PeerStore, who: string): Promise<PeerRecord> {
  const all = await store.peers();
  const exact = all.filter(({ peerId, name }) => peerId === who || name === who);
  const meant =
    exact.length === 0 && who.length >= PREFIX_MIN
      ? all.filter(({ peerId }) => peerId.startsWith(who))
      : exact;
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only;
  const found = meant.length === 0 ? 'none' : `${meant.length} of them`;
  throw peerError(
    'MESH_ERR_PEER_UNKNOWN',
    `Looking for the peer ${who.slice(0, 80)} among ${all.length}: found ${found}.`,
  );
}

function bytesOf(text: string, bytesMax: number): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  const refused = (found: string): Error =>
    peerError('MESH_ERR_PEER_MESSAGE', `Posting a message: ${found}.`);
  if (bytes.length === 0) throw refused('its text is empty');
  if (bytes.length > bytesMax)
    throw refused(`its text has ${bytes.length} bytes, at most ${bytesMax} may be`);
  if (!text.isWellFormed()) throw refused('its text has half a character');
  return bytes;
}

function sealed(
  { secretKey, paths }: DeskParts,
  { group }: SendRequest,
  text: Uint8Array,
  otherKey: string,
): Uint8Array {
  if (group === undefined)
    return sealDirect(text, { secretKey, otherKey: Buffer.from(otherKey, 'hex') });
  const name = /^[a-z0-9][a-z0-9-]{0,62}$/.test(group) ? group : 'none';
  return sealGroup(text, readGroupKey(join(paths.groups, `${name}.key`)));
}

/** MESH_ERR_PEER_MESSAGE for a lifetime that no peer would take. */
function lifetimeOf({ ttlSeconds = TTL_SECONDS_MAX }: PostRequest): number {
  if (Number.isInteger(ttlSeconds) && ttlSeconds >= 1 && ttlSeconds <= TTL_SECONDS_MAX)
    return ttlSeconds;
  throw peerError(
    'MESH_ERR_PEER_MESSAGE',
    `Posting a message: its lifetime is ${ttlSeconds} s, 1 to ${TTL_SECONDS_MAX} may be.`,
  );
}

const sign = async (
  { signer, store, clock }: DeskParts,
  to: Pick<EnvelopeDraft, 'kind' | 'recipientId' | 'body'>,
  request: PostRequest,
): Promise<Envelope> =>
  signer.sign({
    ...to,
    createdAtMs: clock.now(),
    seq: await store.nextSeq(),
    ttlSeconds: lifetimeOf(request),
    ...(request.replyTo === undefined ? {} : { replyTo: request.replyTo }),
  });

async function keepOwn({ store, signer, clock }: DeskParts, envelope: Envelope): Promise<void> {
  await store.settle({
    nowMs: clock.now(),
    keys: { [signer.peerId]: signer.publicKey },
    verified: [{ envelope, from: signer.peerId }],
    quarantined: [],
    rejected: [],
  });
}
