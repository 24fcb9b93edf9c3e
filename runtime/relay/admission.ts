import type { Clock } from '../../machines/kernel/clock.ts';
import { relayError } from '../../machines/gossip/relay-errors.ts';
import type { RelayLimits } from './limits.ts';
import { Rates } from './rates.ts';
import { ReplayGuard } from './replay-guard.ts';
import { parseProof, provePeer } from './request-proof.ts';

/** A request of which only the head is there. */
export interface RequestHead {
  readonly method: string;
  /** Path and query, as sent. */
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Who asks, proven, and which body it announced. */
export interface Admitted {
  readonly peer: string;
  /** Raw public key, lower-case hex. */
  readonly key: string;
  readonly bodyHash: string;
}

/**
 * Decides from its head whether a request is heard: before an octet of its body is read, so that only
 * a peer that proved itself can send one.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #relays: () => readonly string[];
  readonly #replays: ReplayGuard;
  readonly #requests: Rates;
  readonly #envelopes: Rates;

  /** `relays`: the addresses under which this relay is known. */
  constructor(limits: RelayLimits, clock: Clock, relays: () => readonly string[]) {
    this.#clock = clock;
    this.#relays = relays;
    this.#replays = new ReplayGuard(limits, clock.now());
    const peersMax = limits.ratedPeersMax;
    const { requestsPerSecond, requestsBurst, envelopesPerSecond, envelopesBurst } = limits;
    this.#requests = new Rates({ perSecond: requestsPerSecond, burst: requestsBurst, peersMax });
    this.#envelopes = new Rates({ perSecond: envelopesPerSecond, burst: envelopesBurst, peersMax });
  }

  get nonces(): number {
    return this.#replays.size;
  }

  /** MESH_ERR_RELAY_PROOF, _CLOCK, _REPLAYED, _RATE. */
  admit({ authorization, ...request }: RequestHead): Admitted {
    const proof = parseProof(authorization);
    this.#replays.checkTime(proof.timeMs, this.#clock.now());
    const peer = provePeer(proof, request, this.#relays());
    // A replay must not use up what its victim may ask, nor a flood fill the memory for nonces.
    this.#replays.refuseReplayed(proof);
    this.#requests.take(peer, 1, this.#clock.monotonicNow());
    this.#replays.admit(proof);
    return { peer, key: proof.key, bodyHash: proof.bodyHash };
  }

  /** MESH_ERR_RELAY_FORBIDDEN where the inbox is not the peer's own. */
  static own(admitted: Admitted, inbox: string): string {
    if (admitted.peer === inbox) return inbox;
    throw relayError(
      'MESH_ERR_RELAY_FORBIDDEN',
      `Opening the inbox of ${inbox}: ${admitted.peer} signed the request.`,
    );
  }

  /** MESH_ERR_RELAY_RATE. */
  takeEnvelopes({ peer }: Admitted, count: number): void {
    this.#envelopes.take(peer, count, this.#clock.monotonicNow());
  }
}
