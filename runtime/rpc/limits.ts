/** How much a call, and a connection, may take. */
export interface RpcLimits {
  /** Bytes of one request or answer. */
  readonly messageBytesMax: number;
  /** Longest a call may take, whatever deadline its client gives, in milliseconds. */
  readonly callTimeoutMs: number;
  /** Calls at once on one connection. */
  readonly concurrentCallsMax: number;
  /** A connection without a call for that long is closed, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** A manifest of 256 KiB with its policies fits; GetManifests gives at most 256 of them. */
export const RPC_LIMITS: RpcLimits = {
  messageBytesMax: 16 * 1024 * 1024,
  callTimeoutMs: 30_000,
  concurrentCallsMax: 16,
  idleTimeoutMs: 60_000,
};

/** Bytes and fields of one request's headers. */
export const HEADER_BYTES_MAX = 8 * 1024;
export const HEADER_FIELDS_MAX = 64;
