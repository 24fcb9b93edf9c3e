/** What envelopes are worth: form and hashes here, signatures in batches on the worker pool. */
import type {
  EnvelopeCheck,
  EnvelopeVerifier,
  Opened,
} from '../../actors/gossip/ports/envelopes.ts';
import type { SignatureCheck, WorkerPool } from '../../actors/pool/ports.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { checkEnvelope, refuseUntimely } from '../../machines/gossip/envelope.ts';
import { integrityFault, isKeyOf, peerIdOf, signedText } from '../workers/envelope-proof.ts';

/** What the verifier works with. */
export interface EnvelopeVerifierOptions {
  /** Envelopes of another mesh are refused. */
  readonly meshId: string;
  readonly pool: Pick<WorkerPool, 'verifySignatures'>;
}

/** Keys whose id is remembered: a delivery of a thousand messages is of a few authors. */
const KNOWN_KEYS_MAX = 4096;
/** Envelopes opened before others get a turn: about a millisecond of work. */
const SLICE = 128;

/** Makes the port; `pool` is its owner's to close. */
export function createEnvelopeVerifier({
  meshId,
  pool,
}: EnvelopeVerifierOptions): EnvelopeVerifier {
  const keys = new KnownKeys();
  return {
    peerIdOf: (publicKey) => keys.get(publicKey)?.peerId,
    async open(items, nowMs) {
      const opened: Opened[] = [];
      for (const item of items) {
        if (opened.length > 0 && opened.length % SLICE === 0) await nextTurn();
        opened.push(openOne(item, meshId, nowMs));
      }
      return opened;
    },
    verify: (checks, signal) => verifyAll(pool, keys, checks, signal),
  };
}

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

function openOne(item: unknown, meshId: string, nowMs: number): Opened {
  try {
    const envelope = checkEnvelope(item);
    const messageId = envelope.header.message_id;
    const fault = integrityFault(envelope);
    if (fault !== undefined) return { ok: false, code: fault, messageId };
    try {
      refuseUntimely(envelope.header, meshId, nowMs);
      return { ok: true, envelope };
    } catch (error) {
      return { ok: false, code: codeIn(error), messageId };
    }
  } catch (error) {
    return { ok: false, code: codeIn(error) };
  }
}

/** A fault of the program is thrown on; a refusal becomes its code. */
function codeIn(error: unknown): string {
  const code = codeOf(error);
  if (code?.startsWith('MESH_ERR_ENVELOPE_')) return code;
  throw error;
}

async function verifyAll(
  pool: Pick<WorkerPool, 'verifySignatures'>,
  keys: KnownKeys,
  checks: readonly EnvelopeCheck[],
  signal?: AbortSignal,
): Promise<readonly boolean[]> {
  const verdicts: boolean[] = checks.map(() => false);
  const places: number[] = [];
  const signatures: SignatureCheck[] = [];
  for (const [place, { envelope, publicKey }] of checks.entries()) {
    const key = keys.get(publicKey);
    if (key === undefined || key.peerId !== envelope.header.sender_id) continue;
    places.push(place);
    signatures.push({
      publicKey: key.bytes,
      signature: Buffer.from(envelope.signature, 'base64'),
      message: Buffer.from(signedText(envelope.header), 'latin1'),
    });
  }
  const found = await pool.verifySignatures(signatures, signal === undefined ? {} : { signal });
  for (const [at, place] of places.entries()) verdicts[place] = found[at] === true;
  return verdicts;
}

/** Ids of keys that count; those that do not are looked at each time, so that junk displaces nothing. */
class KnownKeys {
  readonly #known = new Map<string, { readonly bytes: Uint8Array; readonly peerId: string }>();

  get(publicKey: string): { readonly bytes: Uint8Array; readonly peerId: string } | undefined {
    const known = this.#known.get(publicKey);
    if (known !== undefined) return known;
    if (!KEY.test(publicKey)) return undefined;
    const bytes = Uint8Array.from(Buffer.from(publicKey, 'hex'));
    const peerId = peerIdOf(bytes);
    if (!isKeyOf(bytes, peerId)) return undefined;
    const oldest = this.#known.keys().next();
    if (this.#known.size >= KNOWN_KEYS_MAX && !oldest.done) this.#known.delete(oldest.value);
    const key = { bytes, peerId };
    this.#known.set(publicKey, key);
    return key;
  }
}

const KEY = /^[0-9a-f]{64}$/;
