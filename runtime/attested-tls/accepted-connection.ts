import type { TLSSocket } from 'node:tls';
import type { Validator } from '../../actors/coordinator/ports/attestation.ts';
import { exchangeEvidence, refuse } from './exchange.ts';
import type { AttestedPeer, Attestor } from './exchange.ts';

/** What an accepted connection needs of its listener. */
export interface Acceptance {
  readonly id: string;
  /** Own TLS key. */
  readonly publicKey: Uint8Array;
  readonly issuer: Attestor['issuer'];
  /** Ends with the reason when the listener gives the connection up. */
  readonly signal: AbortSignal;
  /** Called once, when the connection is attested. */
  readonly onAttested: () => void;
}

/** One client's connection after TLS, before anybody has proved anything. */
export class AcceptedConnection {
  /** Unique among the connections of a listener. */
  readonly id: string;
  readonly socket: TLSSocket;
  readonly #acceptance: Acceptance;

  constructor(socket: TLSSocket, acceptance: Acceptance) {
    this.id = acceptance.id;
    this.socket = socket;
    this.#acceptance = acceptance;
  }

  /**
   * Attests both ends with this validator, which is made from the one snapshot of the state that the
   * connection is served with. The socket is then free for HTTP/2. Closes it on every failure and
   * throws what `exchangeEvidence` throws, MESH_ERR_TRANSPORT_DEADLINE or MESH_ERR_TRANSPORT_BUSY.
   */
  async attest(validator: Validator, signal?: AbortSignal): Promise<AttestedPeer> {
    const { publicKey, issuer, onAttested } = this.#acceptance;
    const either = signal
      ? AbortSignal.any([this.#acceptance.signal, signal])
      : this.#acceptance.signal;
    const attestor = { issuer, validator };
    const peer = await exchangeEvidence(this.socket, 'server', publicKey, attestor, either);
    onAttested();
    return peer;
  }

  /** Tells the client a code and closes; for a Coordinator that cannot serve. Idempotent. */
  refuse(error: unknown): void {
    refuse(this.socket, error);
  }

  /** Calls the listener once, when the connection is closed by whomever. Returns how to stop. */
  onClose(listener: () => void): () => void {
    if (this.socket.closed) queueMicrotask(listener);
    else this.socket.once('close', listener);
    return () => void this.socket.off('close', listener);
  }
}

/** A client that attests nothing; at most it has proved a key. */
export interface PlainConnection {
  readonly id: string;
  readonly socket: TLSSocket;
  /** SubjectPublicKeyInfo of the key that it proved to hold, DER; `undefined` without a certificate. */
  readonly publicKey: Uint8Array | undefined;
}
