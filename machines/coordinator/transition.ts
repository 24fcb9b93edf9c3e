/**
 * Transitions, as they lie in the history.
 *
 *     transition        offset 0   32 bytes   SHA-256 of the manifest's exact bytes
 *     (64 bytes)        offset 32  32 bytes   id of the transition before, zeros for the first
 *     latest            offset 0   32 bytes   id of the latest transition
 *     (128 bytes)       offset 32  96 bytes   ECDSA P-384 with SHA-384, r ‖ s (IEEE P1363)
 *
 * The id of a transition is the SHA-256 of its 64 bytes. The signature of `latest` covers
 * `latestMessage`. Any other length is MESH_ERR_HISTORY_CORRUPT. Version history: 1 is the first.
 */
import type { Digest } from '../kernel/ids.ts';
import { bytesOfHex, concatBytes, hexOf } from './bytes.ts';
import { historyError } from './history-errors.ts';

/** One step of the history. */
export interface Transition {
  readonly manifest: Digest;
  /** `null` for the first one. */
  readonly previous: Digest | null;
}

/** What `latest` says: which transition, vouched for by the seed's signing key. */
export interface LatestRecord {
  readonly transition: Digest;
  /** 192 hex digits. */
  readonly signature: string;
}

/** Bytes of an encoded transition. */
export const TRANSITION_BYTES = 64;
/** Bytes of the encoded latest record. */
export const LATEST_BYTES = 128;
/** Bytes of a P-384 signature, r ‖ s. */
export const SIGNATURE_BYTES = 96;
/** Transitions that a history may have: a manifest every ten minutes for a year. */
export const GENERATIONS_MAX = 52_560;

const DIGEST_BYTES = 32;
const ZEROS = new Uint8Array(DIGEST_BYTES);
const LATEST_DOMAIN = new TextEncoder().encode('mycelium-mesh/latest-transition/v1\0');

const digestBytes = (digest: Digest): Uint8Array => bytesOfHex(digest) ?? ZEROS;

/** The 64 bytes of a transition. */
export const encodeTransition = ({ manifest, previous }: Transition): Uint8Array<ArrayBuffer> =>
  concatBytes(digestBytes(manifest), previous === null ? ZEROS : digestBytes(previous));

/** Reads the 64 bytes of a transition; MESH_ERR_HISTORY_CORRUPT for another length. */
export function decodeTransition(bytes: Uint8Array): Transition {
  if (bytes.length !== TRANSITION_BYTES) throw lengthError('transition', bytes, TRANSITION_BYTES);
  const previous = bytes.subarray(DIGEST_BYTES);
  return {
    manifest: hexOf(bytes.subarray(0, DIGEST_BYTES)) as Digest,
    previous: previous.every((byte) => byte === 0) ? null : (hexOf(previous) as Digest),
  };
}

/** The 128 bytes of `latest`; MESH_ERR_HISTORY_CORRUPT for a signature of another length. */
export function encodeLatest({ transition, signature }: LatestRecord): Uint8Array<ArrayBuffer> {
  const bytes = bytesOfHex(signature) ?? new Uint8Array();
  if (bytes.length !== SIGNATURE_BYTES) throw lengthError('signature', bytes, SIGNATURE_BYTES);
  return concatBytes(digestBytes(transition), bytes);
}

/** Reads the 128 bytes of `latest`; MESH_ERR_HISTORY_CORRUPT for another length. */
export function decodeLatest(bytes: Uint8Array): LatestRecord {
  if (bytes.length !== LATEST_BYTES) throw lengthError('latest transition', bytes, LATEST_BYTES);
  return {
    transition: hexOf(bytes.subarray(0, DIGEST_BYTES)) as Digest,
    signature: hexOf(bytes.subarray(DIGEST_BYTES)),
  };
}

/** What is signed for a latest transition. */
export const latestMessage = (transition: Digest): Uint8Array<ArrayBuffer> =>
  concatBytes(LATEST_DOMAIN, digestBytes(transition));

/** Two records are one only with the same signature: two seeds can sign the same transition. */
export const isSameRecord = (one: LatestRecord | null, other: LatestRecord | null): boolean =>
  one?.transition === other?.transition && one?.signature === other?.signature;

function lengthError(what: string, { length }: Uint8Array, due: number): Error {
  return historyError(
    'MESH_ERR_HISTORY_CORRUPT',
    `Reading a ${what}: it has ${length} bytes, ${due} are due.`,
  );
}
