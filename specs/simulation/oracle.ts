/**
 * What is true, and what must never happen. It sees every message that is made, every commit of a store,
 * every message that reaches the relay and every acknowledgement, and says what was against the rules.
 */
import type { Settlement, SettlementResult } from '../../actors/gossip/ports/peer-store.ts';
import { expiresAt } from '../../machines/gossip/envelope.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import {
  FUTURE_SKEW_MS,
  QUARANTINE_MAX,
  QUARANTINE_PER_AUTHOR_MAX,
} from '../../machines/gossip/limits.ts';
import { metaMessageSchema } from '../../machines/gossip/meta-message.schema.ts';
import type { MetaMessage } from '../../machines/gossip/meta-message.schema.ts';
import { ATTEMPTS_MAX, QUERY_INTERVAL_MS } from '../../machines/gossip/session-limits.ts';
import { metaCodec } from '../../runtime/gossip/meta-codec.ts';
import type { PeerDisk } from './peer-disk.ts';

/** Of a peer, what the rules depend on. */
export interface Watched {
  readonly id: string;
  readonly name: string;
  readonly isHonest: boolean;
  readonly disk: PeerDisk;
  /** How far its wall clock is off. */
  readonly skewMs: number;
}

interface Query {
  readonly session: string;
  readonly atMs: number;
  /** How far the asker's clock had been set forward by then. */
  readonly forwardMs: number;
}

/** Asked once per attempt, and once more by a program that was killed before it had noted that. */
const TIMES_ASKED_MAX = 2 * ATTEMPTS_MAX;

export class Oracle {
  readonly violations: string[] = [];
  /** Every envelope that somebody signed and that a store may hold, by id. */
  readonly genuine = new Map<string, Envelope>();
  readonly #now: () => number;
  readonly #queries = new Map<string, Query>();
  readonly #questions = new Map<string, Set<string>>();
  readonly #answers = new Map<string, number>();
  readonly #forwardMs = new Map<string, number>();
  checks = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  signed(envelope: Envelope): void {
    if (envelope.header.kind !== 'meta') this.genuine.set(envelope.header.message_id, envelope);
  }

  /** The clock of that peer was set forward. */
  jumped(peer: string, byMs: number): void {
    this.#forwardMs.set(peer, (this.#forwardMs.get(peer) ?? 0) + Math.max(0, byMs));
  }

  /** Its database is gone, and with it what it knows of its queries. */
  wiped(peer: string): void {
    for (const key of this.#queries.keys()) if (key.startsWith(peer)) this.#queries.delete(key);
    // It has forgotten whom it had answered.
    for (const key of this.#answers.keys())
      if (key.split(' ')[1] === peer) this.#answers.delete(key);
  }

  /** A peer has noted that it asks another one from now on. */
  opened(peer: Watched, asked: string, session: string): void {
    const key = `${peer.id} ${asked}`;
    const before = this.#queries.get(key);
    const forwardMs = this.#forwardMs.get(peer.id) ?? 0;
    const atMs = this.#now();
    this.#queries.set(key, { session, atMs, forwardMs });
    if (before === undefined || !peer.isHonest) return;
    // A program that was down while its wall clock was set forward cannot know.
    const leastMs = QUERY_INTERVAL_MS - (forwardMs - before.forwardMs);
    if (atMs - before.atMs < leastMs)
      this.#violate(peer, `asked ${short(asked)} again after ${atMs - before.atMs} ms`);
  }

  /** After each commit of a settlement. */
  settled(peer: Watched, settlement: Settlement, result: SettlementResult): void {
    this.checks++;
    if (!peer.isHonest) return;
    const fresh = new Set<string>();
    for (const [at, { envelope }] of settlement.verified.entries()) {
      if (result.verified[at] !== 'stored') continue;
      const { header, signature } = envelope;
      const id = header.message_id;
      const truth = this.genuine.get(id);
      if (truth === undefined || truth.signature !== signature || truth.body !== envelope.body)
        this.#violate(peer, `stored ${short(id)} as verified, and nobody signed that`);
      if (fresh.has(id)) this.#violate(peer, `stored ${short(id)} twice`);
      fresh.add(id);
      const nowMs = this.#now() + peer.skewMs;
      if (nowMs >= expiresAt(header)) this.#violate(peer, `stored ${short(id)} after its end`);
      if (header.created_at > nowMs + FUTURE_SKEW_MS)
        this.#violate(peer, `stored ${short(id)}, which is of the future`);
      if (header.kind !== 'public' && header.recipient_id !== peer.id)
        this.#violate(peer, `stored ${short(id)}, which is for somebody else`);
    }
    this.#checkBounds(peer);
  }

  /** After each commit of anything else: rows that must not be there twice. */
  committed(peer: Watched): void {
    this.checks++;
    const rows = new Set<number>();
    for (const { row } of peer.disk.messages.values()) {
      if (rows.has(row)) this.#violate(peer, `has two messages in row ${row}`);
      rows.add(row);
    }
  }

  /** The relay was given a message by its sender. */
  posted(sender: Watched, recipient: Watched | undefined, envelope: Envelope): void {
    this.checks++;
    if (envelope.header.kind !== 'meta' || !sender.isHonest || recipient === undefined) return;
    const message = readMeta(envelope);
    if (message === undefined) return this.#violate(sender, 'sent a meta message that is none');
    if (message.type === 'message_request') this.#checkQuery(sender, recipient, message.session_id);
    if (message.type === 'mesh_available') this.#checkAvailable(sender, message.message_ids);
    if (message.type === 'mesh_delivery') this.#checkDelivery(sender, message.envelopes);
    this.#checkTraffic(sender, recipient, envelope, message);
  }

  /** A peer acknowledged a message: whatever it was is durably handled. */
  acknowledged(peer: Watched, envelope: unknown, isLie: boolean): void {
    this.checks++;
    const header = (envelope as Partial<Envelope> | undefined)?.header;
    if (!peer.isHonest || isLie || header?.recipient_id !== peer.id) return;
    const { kind, message_id: id, sender_id: sender } = header;
    const nowMs = this.#now() + peer.skewMs;
    const isAlive = nowMs < expiresAt(header) && header.created_at <= nowMs + FUTURE_SKEW_MS;
    if ((kind !== 'direct' && kind !== 'group') || !isAlive) return;
    const { messages, ended, quarantine } = peer.disk;
    const waiting = [...quarantine.values()].filter(
      (one) => one.envelope.header.sender_id === sender,
    );
    const isFull = waiting.length >= QUARANTINE_PER_AUTHOR_MAX;
    const isHeld = waiting.some((one) => one.envelope.header.message_id === id);
    if (!messages.has(id) && !ended.has(id) && !isHeld && !isFull)
      this.#violate(peer, `acknowledged ${short(id)} and does not have it`);
  }

  /** Something else that must not be: an actor that crashed, a count out of bounds. */
  report(peer: Watched, what: string): void {
    if (peer.isHonest) this.#violate(peer, what);
  }

  #checkQuery(sender: Watched, recipient: Watched, session: string): void {
    if (this.#queries.get(`${sender.id} ${recipient.id}`)?.session !== session)
      this.#violate(sender, `asked ${recipient.name} in a session that it has not noted`);
  }

  #checkAvailable(sender: Watched, ids: readonly string[]): void {
    for (const id of ids) {
      if (this.genuine.get(id)?.header.kind !== 'public')
        this.#violate(sender, `told of ${short(id)}, which is not public`);
      else if (!sender.disk.messages.has(id) && !sender.disk.ended.has(id))
        this.#violate(sender, `told of ${short(id)}, which it has not verified`);
    }
  }

  #checkDelivery(sender: Watched, envelopes: readonly unknown[]): void {
    for (const one of envelopes as readonly Envelope[])
      if (one.header.kind !== 'public')
        this.#violate(sender, `delivered ${short(one.header.message_id)}, which is not public`);
  }

  /** No question is asked without an end, and none is answered twice. */
  #checkTraffic(
    sender: Watched,
    recipient: Watched,
    envelope: Envelope,
    message: MetaMessage,
  ): void {
    const isQuestion = message.type === 'message_request' || message.type === 'mesh_request';
    const asker = isQuestion ? sender.id : recipient.id;
    const asked = isQuestion ? recipient.id : sender.id;
    const isPage = message.type === 'message_request' || message.type === 'mesh_available';
    const cursor = message.type === 'mesh_available' ? message.answers : message.cursor;
    const key = [asker, asked, message.session_id, isPage, cursor].join(' ');
    if (isQuestion) {
      const ids = this.#questions.get(key) ?? new Set();
      this.#questions.set(key, ids.add(envelope.header.message_id));
      if (isPage && ids.size > TIMES_ASKED_MAX)
        this.#violate(sender, `asked ${recipient.name} the same ${ids.size} times`);
      return;
    }
    const answers = (this.#answers.get(key) ?? 0) + 1;
    this.#answers.set(key, answers);
    if (answers > (this.#questions.get(key)?.size ?? 0) && recipient.isHonest)
      this.#violate(
        sender,
        `answered ${recipient.name} ${answers} times, who had asked less often`,
      );
  }

  #checkBounds(peer: Watched): void {
    const byAuthor = new Map<string, number>();
    for (const { envelope } of peer.disk.quarantine.values()) {
      const { sender_id: author } = envelope.header;
      byAuthor.set(author, (byAuthor.get(author) ?? 0) + 1);
    }
    if (Math.max(0, ...byAuthor.values()) > QUARANTINE_PER_AUTHOR_MAX)
      this.#violate(peer, 'keeps more of one author in quarantine than it may');
    if (peer.disk.quarantine.size > QUARANTINE_MAX)
      this.#violate(peer, 'keeps more in quarantine than it may');
  }

  #violate(peer: Watched, what: string): void {
    if (this.violations.length < VIOLATIONS_MAX) this.violations.push(`${peer.name} ${what}`);
  }
}

const VIOLATIONS_MAX = 20;

/** Enough of an id to find it in a trace. */
export const short = (id: string): string => id.slice(0, 8);

/** The message in an envelope; undefined for what is none. */
export function readMeta(envelope: Envelope): MetaMessage | undefined {
  try {
    return metaMessageSchema.parse(metaCodec.decode(envelope.body));
  } catch {
    // Of a liar; whoever it is for refuses it.
    return undefined;
  }
}
