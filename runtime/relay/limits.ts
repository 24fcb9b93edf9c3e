/** Every bound of a relay. Times in milliseconds, sizes in octets. */
export interface RelayLimits {
  /** Connections at once; a further one is closed unheard. */
  readonly connectionsMax: number;
  /** From the first octet of a head to its end. */
  readonly headTimeoutMs: number;
  /** From the first octet of a request to its last. */
  readonly requestTimeoutMs: number;
  /** Without an octet either way. */
  readonly idleTimeoutMs: number;
  /** Body of one request: two full deliveries. */
  readonly bodyBytesMax: number;
  /** Bodies that are being read, together. */
  readonly readingBytesMax: number;
  /** Envelopes of one request. */
  readonly batchMax: number;
  /** Messages leased at once, and their octets unless the first alone is longer. */
  readonly leaseMax: number;
  readonly leaseBytesMax: number;
  /** How long a leased message is nobody else's. */
  readonly leaseMs: number;
  /** Longest wait for the first message of an empty inbox. */
  readonly waitMaxMs: number;
  /** Requests that wait so. */
  readonly waitersMax: number;
  /** Acknowledgements of one request. */
  readonly acksMax: number;
  /** How far the time of a request may be behind and ahead of the relay's. */
  readonly behindMs: number;
  readonly aheadMs: number;
  /** Nonces remembered; beyond that the window in which a request counts becomes shorter. */
  readonly noncesMax: number;
  /** Requests and envelopes a second of one peer, in the long run and at once. */
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  readonly envelopesPerSecond: number;
  readonly envelopesBurst: number;
  /** Peers whose rate is remembered; the one that was silent longest is forgotten first. */
  readonly ratedPeersMax: number;
  /** What waits in one inbox, of all and of one sender. */
  readonly inboxItemsMax: number;
  readonly inboxBytesMax: number;
  readonly inboxItemsOfSenderMax: number;
  /** What waits of one sender in all inboxes. */
  readonly senderItemsMax: number;
  readonly senderBytesMax: number;
  /** Wake-up sockets of one peer, and of all. */
  readonly wakesOfPeerMax: number;
  readonly wakesMax: number;
  /** A wake-up socket that answers no ping within this is closed. */
  readonly pingIntervalMs: number;
  /** Expired messages are removed so often, that many at once. */
  readonly pruneIntervalMs: number;
  readonly pruneBatchMax: number;
  /** How long requests in flight may take at the end. */
  readonly drainMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  connectionsMax: 1024,
  headTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 65_000,
  bodyBytesMax: 2 * 1024 * 1024,
  readingBytesMax: 64 * 1024 * 1024,
  batchMax: 64,
  leaseMax: 256,
  leaseBytesMax: 4 * 1024 * 1024,
  leaseMs: 60_000,
  waitMaxMs: 25_000,
  waitersMax: 256,
  acksMax: 1024,
  behindMs: 60_000,
  aheadMs: 10_000,
  noncesMax: 131_072,
  requestsPerSecond: 100,
  requestsBurst: 400,
  envelopesPerSecond: 500,
  envelopesBurst: 4000,
  ratedPeersMax: 16_384,
  inboxItemsMax: 8192,
  inboxBytesMax: 128 * 1024 * 1024,
  inboxItemsOfSenderMax: 2048,
  senderItemsMax: 16_384,
  senderBytesMax: 256 * 1024 * 1024,
  wakesOfPeerMax: 4,
  wakesMax: 512,
  pingIntervalMs: 30_000,
  pruneIntervalMs: 10_000,
  pruneBatchMax: 1000,
  drainMs: 2_000,
};
