import type { RecoverResponse, RecoveryTransport } from '../../actors/coordinator/ports/peers.ts';
import { Secret } from '../../actors/coordinator/secret.ts';
import { isDigest } from '../../machines/kernel/ids.ts';
import type { AttestedConnectOptions } from '../attested-tls/connect.ts';
import { connectMeshApi } from './client.ts';
import { rpcError } from './errors.ts';
import type { RecoverResponse as RecoverMessage } from './generated/mesh-api.ts';

/** As whom peers are asked, and where they are. */
export interface RecoveryTransportOptions extends Pick<
  AttestedConnectOptions,
  'identity' | 'issuer' | 'clock' | 'timeoutMs'
> {
  /** Where the peer of that name listens; throws for one that is not known. */
  readonly addressOf: (peer: string) => { readonly host: string; readonly port: number };
}

/**
 * Asks a peer for its state over an attested connection. Nothing is sent before the peer is
 * authorised by what it proved.
 */
export const createRecoveryTransport = (options: RecoveryTransportOptions): RecoveryTransport => ({
  recover: async (peer, { validator, authorise }, signal) => {
    const { addressOf, ...connect } = options;
    await using client = await connectMeshApi({
      ...connect,
      ...addressOf(peer),
      validator,
      signal,
    });
    authorise(client.peer);
    return responseOf(peer, await client.meshApi.recover({}, { signal }));
  },
});

/** Lengths of seed and salt are judged by who builds the engine; here only what has no other form. */
function responseOf(peer: string, message: RecoverMessage): RecoverResponse {
  const transition = Buffer.from(message.transitionHash).toString('hex');
  const generation = Number(message.generation);
  if (!isDigest(transition) || !Number.isSafeInteger(generation))
    throw rpcError('MESH_ERR_RPC_PROTOCOL', `Recovering from ${peer}: it answered with no state.`);
  return {
    seed: new Secret(message.seed),
    salt: new Secret(message.salt),
    meshKey: new Secret(message.meshCaKey),
    transition,
    generation,
  };
}
