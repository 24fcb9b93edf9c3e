/** A disk with one peer's store on it, and programs that open it one after the other. */
import type {
  PeerStore,
  Settlement,
  Tombstone,
  VerifiedItem,
} from '../../actors/gossip/ports/peer-store.ts';
import { expiresAt } from '../../machines/gossip/envelope.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { NOW_MS } from '../support/gossip/letters.ts';

/** What a suite needs of an implementation. Time in it is that of the calls, or NOW_MS where there is none. */
export interface PeerStoreWorld extends AsyncDisposable {
  /** The store of the next program; the one before it died without closing. */
  open(): Promise<PeerStore>;
}

/** Makes a world; each spec has its own. */
export type MakePeerStoreWorld = () => PeerStoreWorld;

/** Who delivered the samples. */
export const VIA = 'e'.repeat(64);

export const item = (envelope: Envelope): VerifiedItem => ({ envelope, from: VIA });

export const tombstoneOf = (envelope: Envelope): Tombstone => ({
  messageId: envelope.header.message_id,
  signature: envelope.signature,
  from: VIA,
  expiresAtMs: expiresAt(envelope.header),
});

/** A settlement of now; what is not named is empty. */
export const settlement = (change: Partial<Settlement>): Settlement => ({
  nowMs: NOW_MS,
  keys: {},
  verified: [],
  quarantined: [],
  rejected: [],
  ...change,
});

export const idsOf = (envelopes: readonly Envelope[]): string[] =>
  envelopes.map(({ header }) => header.message_id);
