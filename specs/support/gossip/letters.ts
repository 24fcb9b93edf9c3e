/** Peers with keys, and envelopes of theirs, made from small numbers so that each run is the same. */
import { createHash } from 'node:crypto';
import nacl from 'tweetnacl';
import type { Envelope } from '../../../machines/gossip/envelope.schema.ts';
import { createPeerKey, makeEnvelope } from '../../../runtime/gossip/envelope-codec.ts';
import type { EnvelopeContent, PeerKey } from '../../../runtime/gossip/envelope-codec.ts';

/** The mesh of all samples. */
export const MESH = 'home';
/** A moment that is now for all samples. */
export const NOW_MS = 1_800_000_000_000;
const DAY_SECONDS = 24 * 60 * 60;

/** The 64 octets that tweetnacl makes of a seed, which is a hash of that number. */
export function secretKeyOf(number: number): Uint8Array {
  const seed = createHash('sha256').update(`peer ${number}`).digest();
  return nacl.sign.keyPair.fromSeed(seed).secretKey;
}

/** The peer of that number. */
export const samplePeer = (number: number): PeerKey => createPeerKey(secretKeyOf(number));

/** A public message of now for a day; `seq` tells several of one author apart. */
export function publicMessage(
  author: PeerKey,
  seq = 0,
  change: Partial<EnvelopeContent> = {},
): Envelope {
  const content: EnvelopeContent = {
    meshId: MESH,
    kind: 'public',
    body: Buffer.from(`message ${seq}`),
    createdAtMs: NOW_MS,
    seq,
    ttlSeconds: DAY_SECONDS,
    ...change,
  };
  return makeEnvelope(content, author);
}

/** A meta message to one peer. */
export const metaMessage = (
  author: PeerKey,
  recipient: PeerKey,
  seq = 0,
  change: Partial<EnvelopeContent> = {},
): Envelope => publicMessage(author, seq, { kind: 'meta', recipientId: recipient.id, ...change });

/** The same envelope with other members in its header; its id and signature are left as they are. */
export const withHeader = (
  envelope: Envelope,
  change: Readonly<Record<string, unknown>>,
): Envelope => ({ ...envelope, header: { ...envelope.header, ...change } as Envelope['header'] });
