/** Every bound of an envelope and of the handshake. Sizes in bytes, times as the name says. */

/** Octets of a body that is not a meta message: a long post with a small picture. */
export const BODY_BYTES_MAX = 64 * 1024;
/** Octets of an encoded envelope that is no meta message: its body in base64, and room for a header. */
export const ENVELOPE_BYTES_MAX = 96 * 1024;
/** Octets of an encoded meta message: one full delivery, which is base64 of base64. */
export const META_ENVELOPE_BYTES_MAX = 1024 * 1024;
/** Octets of a meta body: what fits into its envelope as base64, beside a header. */
export const META_BODY_BYTES_MAX = 720 * 1024;
/** Characters of base64 of the longest body of all. */
export const BODY_CHARS_MAX = (META_BODY_BYTES_MAX / 3) * 4;
/** Longest lifetime: after it a peer may forget that it has seen the message. 7 days. */
export const TTL_SECONDS_MAX = 7 * 24 * 60 * 60;
/** How far an author's clock may run ahead of ours. NTP holds seconds; a hand-set clock, minutes. */
export const FUTURE_SKEW_MS = 5 * 60 * 1000;

/** Seconds between two queries to the same peer, on a monotonic clock, also over restarts. */
export const MESH_QUERY_INTERVAL_SECS = 600;
/** Seconds that a query looks back when the last completed session is more recent than that. */
export const DEFAULT_MESH_WINDOW_SECS = 24 * 60 * 60;
/** Ids of one `mesh_available`: 2,000 take 134 kB, which is a tenth of a second on a slow line. */
export const AVAILABLE_IDS_MAX = 2000;
/** Ids of one `mesh_request`: more than one delivery holds even of small messages. */
export const REQUESTED_IDS_MAX = 500;
/** Octets of the encoded envelopes of one `mesh_delivery`: base64 makes them 683 kB. */
export const DELIVERY_BYTES_MAX = 512 * 1024;

/** Envelopes kept without their author's key, of one author: a forger costs no more than this. */
export const QUARANTINE_PER_AUTHOR_MAX = 64;
/** Envelopes kept without a key, of all authors. */
export const QUARANTINE_MAX = 4096;
