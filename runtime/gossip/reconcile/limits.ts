/** Bounds of reconciliation. */
import { FRAME_BYTES_MAX } from '../../../machines/gossip/session-limits.ts';
import type { Splitting } from './negentropy.ts';

/**
 * Ten missing of 100,000 cost 8 kB and three answers so; 16 parts and 31 ids, as in the reference,
 * cost 14 kB and two.
 */
const BUCKETS = 8;
const IDS_MAX = 16;
/** Sessions whose set is kept from round to round, 7 MB for 100,000 messages; another one's is read anew. */
export const SETS_KEPT_MAX = 8;
/** A set that was read so recently serves another session, too. Milliseconds. */
export const SET_FRESH_MS = 2_000;

/** How this program splits ranges. */
export const SPLITTING: Splitting = {
  buckets: BUCKETS,
  idsMax: IDS_MAX,
  frameBytesMax: FRAME_BYTES_MAX,
};
