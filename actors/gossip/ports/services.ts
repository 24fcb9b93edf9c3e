import type { Clock } from '../../../machines/kernel/clock.ts';
import type { Random } from '../../../machines/kernel/random.ts';
import type { Tree } from '../../../supervisor/index.ts';
import type { GossipCounters } from '../counters.ts';
import type { EnvelopeVerifier, Signer } from './envelopes.ts';
import type { PeerStore } from './peer-store.ts';
import type { Reconciler } from './reconciler.ts';
import type { RelayClient } from './relay-client.ts';

/** The part of the supervision tree that gossip uses; everything is named by path. */
export interface Supervision extends Pick<
  Tree,
  'startChild' | 'terminateChild' | 'deleteChild' | 'snapshotOf' | 'watch'
> {
  send(path: string, event: { readonly type: string; readonly [key: string]: unknown }): boolean;
}

/** Octets of a meta body to its JSON and back; strict (RFC 8259, one reading only). */
export interface MetaCodec {
  /** Canonical JSON (RFC 8785). */
  encode(message: unknown): Uint8Array;
  /** From canonical base64. Throws MESH_ERR_ENVELOPE_MALFORMED. */
  decode(body: string): unknown;
}

/** Everything that the actors of one peer work with. */
export interface GossipPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: PeerStore;
  readonly relay: RelayClient;
  readonly signer: Signer;
  readonly verifier: EnvelopeVerifier;
  readonly meta: MetaCodec;
  /** Without one, pages are exchanged instead. */
  readonly reconciler: Reconciler | null;
  readonly tree: Supervision;
  /** Path of the supervisor that `gossipTree` describes. */
  readonly root: string;
  readonly counters: GossipCounters;
  /** Told of what went wrong and had no other way to be heard. */
  readonly notice: (what: string, error: unknown) => void;
}
