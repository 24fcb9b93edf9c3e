import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Validator } from '../../actors/coordinator/ports/attestation.ts';
import type {
  MeshCertConnection,
  NewMeshCertResponse,
} from '../../actors/coordinator/ports/connection.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { AcceptedConnection } from '../attested-tls/accepted-connection.ts';
import type { AttestedPeer } from '../attested-tls/exchange.ts';
import type { Answerer } from './answerer.ts';
import { rpcError } from './errors.ts';
import type { NewMeshCertResponseSchema } from './generated/mesh-api.ts';
import type { RpcServer, RpcSession } from './server.ts';

type Answer = MessageInitShape<typeof NewMeshCertResponseSchema>;

const bytesOf = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

/**
 * The port's connection over gRPC: HTTP/2 begins when both ends are attested, and the one
 * NewMeshCert call waits until its machine replies. A peer that calls Recover instead is served by
 * the same session, and closes the connection when it has its answer.
 */
export class RpcMeshCertConnection implements MeshCertConnection {
  readonly id: string;
  readonly #accepted: AcceptedConnection;
  readonly #server: RpcServer;
  readonly #answerer: Answerer;
  readonly #requested = Promise.withResolvers<void>();
  readonly #answer = Promise.withResolvers<Answer>();
  #session: RpcSession | undefined;

  constructor(accepted: AcceptedConnection, server: RpcServer, answer: Answerer) {
    this.id = accepted.id;
    this.#answerer = answer;
    this.#accepted = accepted;
    this.#server = server;
    // Either may fail before anybody waits for it; who does wait gets the error as well.
    for (const { promise } of [this.#requested, this.#answer] as const)
      void Promise.allSettled<unknown>([promise]);
  }

  async attest(validator: Validator, signal: AbortSignal): Promise<AttestedPeer> {
    const attested = await this.#accepted.attest(validator, signal);
    const { publicKey } = attested;
    const peer = { connection: this.id, attested, publicKey, answer: this.#answerer };
    this.#session = this.#server.serve(this.#accepted.socket, peer);
    return attested;
  }

  async request(signal: AbortSignal): Promise<void> {
    await within(signal, this.#requested.promise);
  }

  async reply(response: NewMeshCertResponse, signal: AbortSignal): Promise<void> {
    const { meshCaCertificate, certificateChain, rootCaCertificate, workloadSecret } = response;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.onClose(resolve);
    this.#answer.resolve({
      meshCaCert: bytesOf(meshCaCertificate),
      certChain: certificateChain.map(bytesOf),
      rootCaCert: bytesOf(rootCaCertificate),
      ...(workloadSecret && { workloadSecret: bytesOf(workloadSecret.reveal()) }),
    });
    try {
      // Let the handler take the answer before the session takes no more.
      await this.#answer.promise;
      this.#session?.close();
      await within(signal, promise);
    } finally {
      stop();
    }
  }

  close(refusal: string): void {
    const error = refusalError(refusal);
    this.#requested.reject(error);
    this.#answer.reject(error);
    if (this.#session === undefined) this.#accepted.refuse(error);
    else this.#session.close();
  }

  onClose(listener: () => void): () => void {
    return this.#accepted.onClose(listener);
  }

  /** For the NewMeshCert handler of this connection. A second call gets the same answer. */
  async answered(): Promise<Answer> {
    this.#requested.resolve();
    return await this.#answer.promise;
  }
}

/** A refusal is a code, or what the machine saw: a deadline that passed, a state that changed. */
function refusalError(refusal: string): CodedError {
  const message = `Serving a mesh certificate: ${refusal}.`;
  return refusal.startsWith('MESH_ERR_')
    ? CodedError.fromJSON({ code: refusal, message, hint: '' })
    : rpcError('MESH_ERR_RPC_UNAVAILABLE', message);
}

async function within<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
