/** Coded errors as gRPC statuses and back. The code crosses in the details, and never changes. */
import { Code, ConnectError } from '@connectrpc/connect';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import { rpcError } from './errors.ts';
import { ErrorDetailSchema } from './generated/error-detail.ts';

/**
 * Statuses by code, for clients that know nothing but gRPC. A code that is not here is `unavailable`
 * if a retry may help, and `failed_precondition` if not.
 */
const STATUS: Readonly<Record<string, Code>> = {
  MESH_ERR_RPC_UNATTESTED: Code.Unauthenticated,
  MESH_ERR_RPC_TOO_LARGE: Code.ResourceExhausted,
  MESH_ERR_RPC_DEADLINE: Code.DeadlineExceeded,
  MESH_ERR_RPC_INTERNAL: Code.Internal,
  MESH_ERR_COORDINATOR_MANIFEST_INVALID: Code.InvalidArgument,
  MESH_ERR_COORDINATOR_MANIFEST_CONFLICT: Code.Aborted,
  MESH_ERR_COORDINATOR_IDEMPOTENCY_KEY: Code.InvalidArgument,
  MESH_ERR_COORDINATOR_SEED_MALFORMED: Code.InvalidArgument,
  MESH_ERR_COORDINATOR_WRONG_SEED: Code.InvalidArgument,
  MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED: Code.InvalidArgument,
  MESH_ERR_COORDINATOR_NOT_OWNER: Code.PermissionDenied,
  MESH_ERR_COORDINATOR_NOT_AUTHORISED: Code.PermissionDenied,
  MESH_ERR_COORDINATOR_NOT_SEED_OWNER: Code.PermissionDenied,
  MESH_ERR_COORDINATOR_NEEDS_RECOVERY: Code.FailedPrecondition,
};

/** Statuses that come without details: the library's own, and the network's. */
const CODES = {
  [Code.DeadlineExceeded]: 'MESH_ERR_RPC_DEADLINE',
  [Code.ResourceExhausted]: 'MESH_ERR_RPC_TOO_LARGE',
  [Code.Unavailable]: 'MESH_ERR_RPC_UNAVAILABLE',
  [Code.Canceled]: 'MESH_ERR_RPC_UNAVAILABLE',
  [Code.Aborted]: 'MESH_ERR_RPC_UNAVAILABLE',
  [Code.Internal]: 'MESH_ERR_RPC_INTERNAL',
} as const;

/** Longest error text that is sent. */
const MESSAGE_CHARS_MAX = 2048;

/** What the client is told. An error without a code is told as MESH_ERR_RPC_INTERNAL, no more. */
export function toStatus(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const coded =
    error instanceof CodedError
      ? error
      : rpcError('MESH_ERR_RPC_INTERNAL', 'Serving a call: the server failed.');
  const status =
    STATUS[coded.code] ?? (coded.retryable ? Code.Unavailable : Code.FailedPrecondition);
  const { code, hint, retryable, retryAfterMs } = coded;
  const value = { code, hint, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return new ConnectError(
    coded.message.slice(0, MESSAGE_CHARS_MAX),
    status,
    undefined,
    [{ desc: ErrorDetailSchema, value }],
    error,
  );
}

/** What the server said, as the error it was; MESH_ERR_RPC_* where it said nothing of its own. */
export function fromStatus(thrown: unknown, method: string): CodedError {
  if (thrown instanceof CodedError) return thrown;
  const status = ConnectError.from(thrown);
  const [detail] = status.findDetails(ErrorDetailSchema);
  if (detail !== undefined && /^MESH_ERR_[A-Z0-9_]{1,64}$/.test(detail.code))
    return CodedError.fromJSON({
      code: detail.code,
      message: status.rawMessage,
      hint: detail.hint,
      ...(detail.retryable && { retryable: true }),
      ...(detail.retryAfterMs !== undefined && { retryAfterMs: detail.retryAfterMs }),
    });
  const code = CODES[status.code as keyof typeof CODES] ?? 'MESH_ERR_RPC_PROTOCOL';
  return rpcError(code, `Calling ${method}: ${Code[status.code]}.`, { cause: thrown });
}
