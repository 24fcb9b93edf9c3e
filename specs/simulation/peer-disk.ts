/** What lies on the disk of a simulated peer: it outlives the program, and changes only by whole commits. */
import type {
  DeadLetter,
  OutboxItem,
  PeerRecord,
  VerifiedItem,
} from '../../actors/gossip/ports/peer-store.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';

/** A verified message and its place in the order of storing. */
export interface StoredMessage {
  readonly row: number;
  readonly envelope: Envelope;
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
}

export interface QuarantinedMessage extends VerifiedItem {
  readonly row: number;
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
}

export interface PeerDisk {
  /** Tells this database from another one that took its place. */
  readonly epoch: number;
  row: number;
  seq: number;
  /** The newest `storedAtMs`, which never goes back. */
  storedAtMs: number;
  /** By id, in the order of rows. */
  readonly messages: Map<string, StoredMessage>;
  /** By id and signature. */
  readonly quarantine: Map<string, QuarantinedMessage>;
  /** By id and signature: when they may be forgotten. */
  readonly tombstones: Map<string, number>;
  /** Ids of removed messages, and until when they are known. */
  readonly ended: Map<string, number>;
  readonly seen: Map<string, number>;
  readonly keys: Map<string, string>;
  readonly peers: Map<string, PeerRecord>;
  /** By id, in the order of adding. */
  readonly outbox: Map<string, OutboxItem>;
  readonly deadLetters: Map<string, DeadLetter>;
}

export const emptyDisk = (epoch: number): PeerDisk => ({
  epoch,
  row: 0,
  seq: 0,
  storedAtMs: 0,
  messages: new Map(),
  quarantine: new Map(),
  tombstones: new Map(),
  ended: new Map(),
  seen: new Map(),
  keys: new Map(),
  peers: new Map(),
  outbox: new Map(),
  deadLetters: new Map(),
});

/** One copy of a message: an id alone does not tell a forgery from the true one. */
export const pairKey = (messageId: string, signature: string): string =>
  `${messageId} ${signature}`;
