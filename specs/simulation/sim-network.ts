/** The way between a peer and the relay: slow, lossy, repeating, cut. */
import type { RelayClient } from '../../actors/gossip/ports/relay-client.ts';
import { RetryableError } from '../../machines/kernel/coded-error.ts';
import type { Random } from '../../machines/kernel/random.ts';
import type { VirtualClock } from '../support/virtual-clock.ts';
import type { PartyClock } from './party-clock.ts';
import type { Poster, SimRelay } from './sim-relay.ts';

/** What may happen to each request and to each answer. */
export interface NetworkDials {
  readonly delayMinMs: number;
  /** Later messages overtake earlier ones within this. */
  readonly delayMaxMs: number;
  /** Probability that a leg is lost. */
  readonly loss: number;
  /** Probability that a request arrives twice. */
  readonly duplicates: number;
}

export const CALM: NetworkDials = { delayMinMs: 5, delayMaxMs: 40, loss: 0, duplicates: 0 };

/** A client gives up on an answer after this. */
export const CALL_TIMEOUT_MS = 10_000;

const unavailable = (why: string): Error =>
  new RetryableError('MESH_ERR_RELAY_UNAVAILABLE', `Calling the relay: ${why}.`);

export class SimNetwork {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #relay: SimRelay;
  readonly #wakes = new Map<string, Set<() => void>>();
  dials: NetworkDials = CALM;
  /** Peers that cannot reach the relay. */
  readonly cut = new Set<string>();

  constructor(clock: VirtualClock, random: Random, relay: SimRelay) {
    this.#clock = clock;
    this.#random = random;
    this.#relay = relay;
    relay.onMail = (recipient) => this.#wake(recipient);
  }

  /** That peer's client; it hangs for ever once the program has died. */
  clientOf(poster: Poster, party: PartyClock): RelayClient {
    const call = <Answer>(signal: AbortSignal, ask: () => Answer): Promise<Answer> =>
      this.#call(poster.id, party, signal, ask);
    return {
      post: (envelopes, signal) => call(signal, () => this.#relay.post(poster, envelopes)),
      lease: (max, signal) => call(signal, () => this.#relay.lease(poster.id, max)),
      ack: (leases, signal) => call(signal, () => this.#relay.ack(poster.id, leases)),
      onWake: (listener) => {
        const own = this.#wakes.get(poster.id) ?? new Set();
        this.#wakes.set(poster.id, own);
        const tell = (): void => {
          if (!party.isDead) listener();
        };
        own.add(tell);
        return () => own.delete(tell);
      },
    };
  }

  /** The program of that peer has died, and with it whom to wake. */
  forget(peer: string): void {
    this.#wakes.delete(peer);
  }

  #call<Answer>(
    peer: string,
    party: PartyClock,
    signal: AbortSignal,
    ask: () => Answer,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const timer = party.setTimeout(() => reject(unavailable('no answer came')), CALL_TIMEOUT_MS);
    const settle = (act: () => void): void => {
      if (party.isDead) return;
      party.clearTimeout(timer);
      act();
    };
    signal.addEventListener('abort', () => settle(() => reject(unavailable('it was given up'))), {
      once: true,
    });
    const arrive = (): void => {
      if (!this.#relay.isUp)
        return this.#leg(peer, () => settle(() => reject(unavailable('it is down'))));
      const answer = ask();
      this.#leg(peer, () => settle(() => resolve(answer)));
    };
    this.#leg(peer, arrive);
    if (this.#random.fraction() < this.dials.duplicates) this.#leg(peer, arrive);
    return promise;
  }

  #leg(peer: string, arrive: () => void): void {
    const { delayMinMs, delayMaxMs, loss } = this.dials;
    if (this.cut.has(peer) || this.#random.fraction() < loss) return;
    const delayMs = delayMinMs + Math.floor(this.#random.fraction() * (delayMaxMs - delayMinMs));
    this.#clock.setTimeout(() => {
      if (!this.cut.has(peer)) arrive();
    }, delayMs);
  }

  #wake(recipient: string): void {
    const listeners = this.#wakes.get(recipient);
    if (listeners && listeners.size > 0)
      this.#leg(recipient, () => {
        for (const listener of listeners) listener();
      });
  }
}
