/** Every bound of a conversation between two peers. Times in milliseconds unless the name says else. */
import { DEFAULT_MESH_WINDOW_SECS, MESH_QUERY_INTERVAL_SECS, TTL_SECONDS_MAX } from './limits.ts';

/** How long after a query another one may go to the same peer. */
export const QUERY_INTERVAL_MS = MESH_QUERY_INTERVAL_SECS * 1000;
/** How far the first query looks back: no message lives longer. */
export const LOOK_BACK_MAX_MS = TTL_SECONDS_MAX * 1000;
/** How far any query looks back at least. */
export const LOOK_BACK_MIN_MS = DEFAULT_MESH_WINDOW_SECS * 1000;
/** Two honest clocks differ by less; the look-back begins so much earlier. */
export const CLOCK_SKEW_MS = 5 * 60_000;

/** A requester begins within this time, by lot, so that peers started together do not ask in step. */
export const START_SPREAD_MS = 2_000;
/** The store and the relay answer in milliseconds; what takes so long hangs. */
export const STEP_TIMEOUT_MS = 30_000;
/** An answer goes through two inboxes, which are read at least twice as often. */
export const ANSWER_TIMEOUT_MS = 60_000;
/** Times that one question is asked: three losses in a row are no accident any more. */
export const ATTEMPTS_MAX = 4;
/** Pages and rounds of one session: a million ids of 500 in each take 2,000. */
export const PAGES_MAX = 4096;

/** Characters of a cursor, which is the responder's to read. */
export const CURSOR_CHARS_MAX = 128;
/** Bytes of one reconciliation frame: 4,096 ids, in hexadecimal a quarter of a meta message. */
export const FRAME_BYTES_MAX = 128 * 1024;
/** Ids that one frame can ask for. */
export const FRAME_IDS_MAX = FRAME_BYTES_MAX / 32;
/** Capabilities that one peer may announce. */
export const CAPABILITIES_MAX = 16;
/** Lifetime of a meta message: whoever reads it later has been asked anew. Seconds. */
export const META_TTL_SECONDS = 600;

/** A responder without a question ends; its requester asks four times within this. */
export const RESPONDER_IDLE_MS = 5 * 60_000;
/** Answers of one session: every page, and every delivery for it. */
export const ANSWERS_MAX = 16_384;
/** Responders for one peer: one that is at work, one whose requester has forgotten it, two to spare. */
export const RESPONDERS_PER_PEER_MAX = 4;
/** Responders for all peers; each holds at most one question. */
export const RESPONDERS_MAX = 256;
/** Sessions that one peer may begin within one query interval; an honest one begins one. */
export const SESSIONS_PER_INTERVAL_MAX = 8;
/** Peers whose sessions are counted; the one that began longest ago is forgotten first. */
export const COUNTED_PEERS_MAX = 4096;
/** Peers that are asked at the same time. */
export const REQUESTERS_MAX = 8;

/** The sync loop looks at least so often who is due: clocks jump, and peers are added. */
export const SYNC_TICK_MS = 30_000;

/** Without a wake-up the inbox is read so often. */
export const INBOX_POLL_MS = 30_000;
/** Messages leased at once: a quarter of the lease of a minute is ample for them. */
export const INBOX_BATCH_MAX = 64;
/** First wait after the relay could not be reached, doubled up to the longest. */
export const RELAY_BACKOFF_MIN_MS = 1_000;
/** Longest wait for the relay: a minute after its return everybody is back. */
export const RELAY_BACKOFF_MAX_MS = 60_000;

/** Messages sent at once. */
export const OUTBOX_BATCH_MAX = 32;
/** The outbox is looked through so often even if nobody says that something is new. */
export const OUTBOX_POLL_MS = 60_000;
/** First wait after a message could not be sent, doubled up to the longest. */
export const OUTBOX_BACKOFF_MIN_MS = 2_000;
/** Longest wait between two attempts for one message. */
export const OUTBOX_BACKOFF_MAX_MS = 15 * 60_000;

/** Expired messages are removed so often. */
export const PRUNE_INTERVAL_MS = 60_000;
/** Rows removed in one transaction: it holds the writer for milliseconds. */
export const PRUNE_BATCH_MAX = 1000;
