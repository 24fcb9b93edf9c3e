/**
 * What delivered envelopes are worth, each on its own: form and id, wanted, known, key, signature. Nothing is
 * stored here; the settlement that comes of it is plain JSON and can be stored at any later time.
 */
import type { Envelope, EnvelopeHeader } from '../../machines/gossip/envelope.schema.ts';
import { expiresAt } from '../../machines/gossip/envelope.ts';
import type { GossipErrorCode } from '../../machines/gossip/gossip-errors.ts';
import type { Opened } from './ports/envelopes.ts';
import type { Settlement, Tombstone, VerifiedItem } from './ports/peer-store.ts';
import type { GossipPorts } from './ports/services.ts';

/** What came, from whom, and which of it is wanted. */
export interface Delivered {
  /** Who delivered it; proven. */
  readonly from: string;
  readonly items: readonly unknown[];
  /** By peer id; nothing of it is proven. */
  readonly senderKeys: Readonly<Record<string, string>>;
  /** Why an envelope is not wanted at all; null when it is. */
  readonly refusalOf: (header: EnvelopeHeader) => GossipErrorCode | null;
}

/** What is to be stored, and what is known now. */
export interface Examined {
  readonly settlement: Settlement;
  /** Ids about which something is known now, good or bad. */
  readonly settled: readonly string[];
  readonly refused: number;
  readonly duplicates: number;
}

type Ports = Pick<GossipPorts, 'clock' | 'store' | 'verifier' | 'counters'>;

/** Rejects only where the store or the worker pool does; a bad item is a count. */
export async function examine(
  ports: Ports,
  delivered: Delivered,
  signal?: AbortSignal,
): Promise<Examined> {
  const nowMs = ports.clock.now();
  const sieve = new Sieve(ports, delivered);
  for (const opened of await ports.verifier.open(delivered.items, nowMs)) sieve.take(opened);
  await sieve.dropKnown();
  const keys = await sieve.keys();
  const proofs = await sieve.prove(keys, signal);
  const authors = new Set(proofs.verified.map(({ envelope }) => envelope.header.sender_id));
  return {
    settlement: {
      nowMs,
      keys: Object.fromEntries(Object.entries(keys).filter(([peer]) => authors.has(peer))),
      ...proofs,
    },
    settled: [...sieve.settled],
    refused: sieve.refused,
    duplicates: sieve.duplicates,
  };
}

const pairOf = ({ header, signature }: Envelope) => ({ messageId: header.message_id, signature });

/** The envelopes of one delivery that are still in question, and what became of the others. */
class Sieve {
  readonly settled = new Set<string>();
  refused = 0;
  duplicates = 0;
  readonly #ports: Ports;
  readonly #delivered: Delivered;
  #left: Envelope[] = [];
  /** The id does not cover the signature, so a bad copy must not hide a good one beside it. */
  readonly #pairs = new Set<string>();

  constructor(ports: Ports, delivered: Delivered) {
    this.#ports = ports;
    this.#delivered = delivered;
  }

  take(opened: Opened): void {
    if (!opened.ok) {
      this.#refuse(opened.code);
      if (opened.messageId !== undefined) this.settled.add(opened.messageId);
      return;
    }
    const { envelope } = opened;
    const refusal = this.#delivered.refusalOf(envelope.header);
    if (refusal !== null) return this.#refuse(refusal);
    const pair = `${envelope.header.message_id} ${envelope.signature}`;
    if (this.#pairs.has(pair)) return this.#repeat();
    this.#pairs.add(pair);
    this.settled.add(envelope.header.message_id);
    this.#left.push(envelope);
  }

  /** Leaves out what is stored, what has ended, and pairs that were proven bad before. */
  async dropKnown(): Promise<void> {
    const { store } = this.#ports;
    if (this.#left.length === 0) return;
    const ids = [...new Set(this.#left.map(({ header }) => header.message_id))];
    const missing = new Set(await store.missingOf(ids));
    const news = this.#left.filter(({ header }) => missing.has(header.message_id));
    for (let known = news.length; known < this.#left.length; known++) this.#repeat();
    const buried = new Set(await store.tombstonesAmong(news.map(pairOf)));
    for (let dead = 0; dead < buried.size; dead++) this.#refuse('MESH_ERR_ENVELOPE_SIGNATURE');
    this.#left = news.filter((_, at) => !buried.has(at));
  }

  /** Keys of the authors that are left: known ones first, then those given along that prove themselves. */
  async keys(): Promise<Readonly<Record<string, string>>> {
    const authors = [...new Set(this.#left.map(({ header }) => header.sender_id))];
    const keys = { ...(await this.#ports.store.keysOf(authors)) };
    for (const author of authors) {
      const given = this.#delivered.senderKeys[author];
      if (keys[author] !== undefined || given === undefined) continue;
      if (this.#ports.verifier.peerIdOf(given) === author) keys[author] = given;
      else this.#refuse('MESH_ERR_ENVELOPE_KEY');
    }
    return keys;
  }

  async prove(
    keys: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<Pick<Settlement, 'verified' | 'quarantined' | 'rejected'>> {
    const { from } = this.#delivered;
    const verified: VerifiedItem[] = [];
    const rejected: Tombstone[] = [];
    const quarantined: VerifiedItem[] = [];
    const checks = [];
    for (const envelope of this.#left) {
      const publicKey = keys[envelope.header.sender_id];
      if (publicKey === undefined) quarantined.push({ envelope, from });
      else checks.push({ envelope, publicKey });
    }
    const verdicts = checks.length === 0 ? [] : await this.#ports.verifier.verify(checks, signal);
    for (const [at, { envelope }] of checks.entries())
      if (verdicts[at] === true) verified.push({ envelope, from });
      else {
        rejected.push({ ...pairOf(envelope), from, expiresAtMs: expiresAt(envelope.header) });
        this.#refuse('MESH_ERR_ENVELOPE_SIGNATURE');
      }
    return { verified, quarantined, rejected };
  }

  #refuse(code: string): void {
    this.refused++;
    this.#ports.counters.refuse(code, this.#delivered.from);
  }

  #repeat(): void {
    this.duplicates++;
    this.#ports.counters.count('duplicates');
  }
}
