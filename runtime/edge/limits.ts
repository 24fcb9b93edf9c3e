/** Every bound of the edge. Times in milliseconds, sizes in bytes. */
export interface EdgeLimits {
  /** Client connections at once; a further one gets a 503 and is closed. */
  readonly connectionsMax: number;
  /** Request line and fields of one message, both directions. */
  readonly headBytesMax: number;
  /** Fields of one head. */
  readonly fieldsMax: number;
  /** Payload of one request body. */
  readonly bodyBytesMax: number;
  /** Bytes of further requests that a client may send ahead before it is no longer read. */
  readonly pipelinedBytesMax: number;
  /** Interim (1xx) responses before the final one. */
  readonly interimResponsesMax: number;
  /** Idle connections kept per instance. */
  readonly idleUpstreamsMax: number;
  /** From the first byte of a head to its end (RFC 9110 §15.5.9). */
  readonly headTimeoutMs: number;
  /** Between requests of one connection, and before its first byte. */
  readonly keepAliveTimeoutMs: number;
  /** Between two reads of one request body. */
  readonly bodyIdleTimeoutMs: number;
  /** For a connection to an instance. */
  readonly connectTimeoutMs: number;
  /** From the end of the request to the response head. */
  readonly responseTimeoutMs: number;
  /** Without a byte either way in a response body or a WebSocket: longer than any sane heartbeat. */
  readonly streamIdleTimeoutMs: number;
  /** An idle connection to an instance; Node's servers close theirs after 5 s. */
  readonly upstreamIdleTimeoutMs: number;
  /** How long a refused client may take to read its answer before it is cut off. */
  readonly lingerTimeoutMs: number;
  /** How long a WebSocket may take to answer a close frame. */
  readonly closeGraceMs: number;
}

export const DEFAULT_LIMITS: EdgeLimits = {
  connectionsMax: 10_000,
  headBytesMax: 16 * 1024,
  fieldsMax: 100,
  bodyBytesMax: 256 * 1024 * 1024,
  pipelinedBytesMax: 64 * 1024,
  interimResponsesMax: 16,
  idleUpstreamsMax: 256,
  headTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  bodyIdleTimeoutMs: 30_000,
  connectTimeoutMs: 2_000,
  responseTimeoutMs: 60_000,
  streamIdleTimeoutMs: 600_000,
  upstreamIdleTimeoutMs: 4_000,
  lingerTimeoutMs: 1_000,
  closeGraceMs: 1_000,
};

/** Bounds of how often deadlines are looked at: late by at most a tick, never busy. */
const TICK_MS_MIN = 5;
const TICK_MS_MAX = 250;

/** How often deadlines must be looked at so that the shortest is late by an eighth at most. */
export function tickMs(limits: EdgeLimits): number {
  const shortest = Math.min(
    limits.headTimeoutMs,
    limits.keepAliveTimeoutMs,
    limits.bodyIdleTimeoutMs,
    limits.connectTimeoutMs,
    limits.responseTimeoutMs,
    limits.streamIdleTimeoutMs,
    limits.upstreamIdleTimeoutMs,
    limits.lingerTimeoutMs,
    limits.closeGraceMs,
  );
  return Math.min(TICK_MS_MAX, Math.max(TICK_MS_MIN, shortest / 8));
}
