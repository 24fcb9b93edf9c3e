import { errorsOf } from '../../machines/kernel/coded-error.ts';
import type { ErrorTable } from '../../machines/kernel/coded-error.ts';

/** Why a call came to nothing before, or beside, what it asked for. */
export const RPC_ERRORS = {
  MESH_ERR_RPC_UNATTESTED: {
    hint: 'Call it on an attested connection, as MeshApiClient of this package does.',
    explain:
      'MeshAPI answers by what the client proved about itself, so it is served on attested ' +
      'connections only. This one is plain TLS, on which only UserAPI is.',
  },
  MESH_ERR_RPC_TOO_LARGE: {
    hint: 'Send less at once; the limits are in the documentation of the service.',
    explain: 'A request or an answer has more bytes than a message of this service may have.',
  },
  MESH_ERR_RPC_DEADLINE: {
    retryable: true,
    hint: 'Try again, with a longer deadline if the work needs it.',
    explain:
      'The call was not answered by its deadline, its own or that of the server, and given up.',
  },
  MESH_ERR_RPC_UNAVAILABLE: {
    retryable: true,
    hint: 'Connect again.',
    explain:
      'The connection ended before the answer: the server stops, or its state changed and every ' +
      'connection that was opened under the old one is closed.',
  },
  MESH_ERR_RPC_PROTOCOL: {
    hint: 'Use a client and a server of the same version of this program.',
    explain:
      'The other end answered with something that is no gRPC, does not know the method, or could ' +
      'not read the message.',
  },
  MESH_ERR_RPC_INTERNAL: {
    hint: 'Look at the log of the server, and report it.',
    explain:
      'The server failed at the call in a way that it has no code for. What happened is in its log ' +
      'and is not told to clients.',
  },
} as const satisfies ErrorTable;

/** Makes an error of this table. */
export const rpcError = errorsOf(RPC_ERRORS);
