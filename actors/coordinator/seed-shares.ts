/**
 * Delivery of the seed shares. They are kept, sealed, from before the first manifest counts until
 * their reception is confirmed: without them a mesh whose Coordinators all died is lost.
 */
import { coordinatorError } from '../../machines/coordinator/errors.ts';
import { historyError } from '../../machines/coordinator/history-errors.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { isDigest } from '../../machines/kernel/ids.ts';
import type { Digest } from '../../machines/kernel/ids.ts';
import { bytesOfHex, concatBytes, hexOf } from '../../machines/coordinator/bytes.ts';
import { encodeLatest } from '../../machines/coordinator/transition.ts';
import type { CoordinatorState } from './coordinator-state.ts';
import type { SealedShare } from './ports/keys.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import type { SetManifestRequest, SetManifestResponse } from './set-manifest.ts';

/** A kept delivery, as JSON. Nothing in it is secret. */
interface Delivery {
  /** SHA-256 over the idempotency key and the manifest. */
  readonly request: Digest;
  /** Whose seed it is: SubjectPublicKeyInfo of the key that signs transitions, hex. */
  readonly signingKey: string;
  readonly transition: Digest;
  readonly rootCertificate: string;
  readonly meshCertificate: string;
  readonly shares: readonly SealedShare[];
}

const utf8 = new TextEncoder();

/** MESH_ERR_COORDINATOR_IDEMPOTENCY_KEY for one that is too short to be unguessable, or malformed. */
export function checkIdempotencyKey(key: string): void {
  if (/^[0-9a-f]{32,128}$/.test(key)) return;
  throw coordinatorError(
    'MESH_ERR_COORDINATOR_IDEMPOTENCY_KEY',
    `Setting a manifest: an idempotency key of ${key.length} characters is not 32 to 128 hex digits.`,
  );
}

const requestDigest = (
  { keys }: CoordinatorPorts,
  { idempotencyKey, manifest }: Pick<SetManifestRequest, 'idempotencyKey' | 'manifest'>,
): Digest => keys.digest(concatBytes(utf8.encode(`${idempotencyKey}\0`), manifest));

/** Keeps what a first set is going to answer; resolves to its id once that is durable. */
export async function keepShares(
  ports: CoordinatorPorts,
  { record, engine }: CoordinatorState,
  request: SetManifestRequest,
  response: SetManifestResponse,
): Promise<Digest> {
  const id = ports.keys.digest(encodeLatest(record));
  const delivery: Delivery = {
    request: requestDigest(ports, request),
    signingKey: hexOf(engine.signingKey),
    transition: response.transition,
    rootCertificate: hexOf(response.rootCertificate),
    meshCertificate: hexOf(response.meshCertificate),
    shares: response.shares,
  };
  await ports.history.keepDelivery(id, utf8.encode(JSON.stringify(delivery)));
  return id;
}

/** The first set lost. Where it may have won, the delivery stays. */
export async function withdrawShares(
  ports: CoordinatorPorts,
  id: Digest,
  error: unknown,
): Promise<void> {
  if (codeOf(error) !== 'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT') return;
  await ports.history.dropDelivery(id).catch((cause: unknown) => {
    // It is of no use to anybody, and makes room when its turn comes.
    ports.notice('dropping seed shares that lost', cause);
  });
}

/**
 * The answer to a first set that is repeated, also by a Coordinator that has since lost its memory;
 * `undefined` where this request never set anything, or was confirmed.
 */
export async function redeliver(
  ports: CoordinatorPorts,
  request: SetManifestRequest,
): Promise<SetManifestResponse | undefined> {
  if (request.previous !== null) return undefined;
  const wanted = requestDigest(ports, request);
  const kept = (await ports.history.deliveries()).map(({ bytes }) => parseDelivery(bytes));
  const candidates = kept.filter(({ request }) => request === wanted);
  if (candidates.length === 0) return undefined;
  const latest = await ports.history.latest();
  // Repeated attempts made a seed each; the one that counts is the one that signs the history.
  const own = candidates.find(
    ({ signingKey }) =>
      latest !== null && ports.keys.isSignedBy(bytesOfHex(signingKey) ?? new Uint8Array(), latest),
  );
  if (own === undefined) return undefined;
  return {
    transition: own.transition,
    generation: 1,
    rootCertificate: bytesOfHex(own.rootCertificate) ?? new Uint8Array(),
    meshCertificate: bytesOfHex(own.meshCertificate) ?? new Uint8Array(),
    shares: own.shares,
  };
}

/** The shares arrived: they are not given out again. Idempotent. */
export async function confirmShares(
  ports: CoordinatorPorts,
  request: Pick<SetManifestRequest, 'idempotencyKey' | 'manifest'>,
): Promise<void> {
  checkIdempotencyKey(request.idempotencyKey);
  const wanted = requestDigest(ports, request);
  for (const { id, bytes } of await ports.history.deliveries())
    if (parseDelivery(bytes).request === wanted) await ports.history.dropDelivery(id);
}

const isShare = (value: unknown): value is SealedShare =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<SealedShare>).owner === 'string' &&
  typeof (value as Partial<SealedShare>).ciphertext === 'string';

const isHex = (value: unknown): value is string =>
  typeof value === 'string' && bytesOfHex(value) !== undefined;

function isDelivery(value: unknown): value is Delivery {
  const one = value as Partial<Delivery> | null;
  return (
    typeof one === 'object' &&
    one !== null &&
    isDigest(String(one.request)) &&
    isDigest(String(one.transition)) &&
    [one.signingKey, one.rootCertificate, one.meshCertificate].every(isHex) &&
    Array.isArray(one.shares) &&
    one.shares.every(isShare)
  );
}

function parseDelivery(bytes: Uint8Array): Delivery {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isDelivery(value)) return value;
  } catch {
    // What cannot be parsed is reported like what has the wrong form.
  }
  throw historyError('MESH_ERR_HISTORY_CORRUPT', 'Reading kept seed shares: they are malformed.');
}
