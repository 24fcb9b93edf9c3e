/** The relay of a simulation: what it has answered is on its disk, leases are not; and it can lie. */
import type { InboxItem, PostResult } from '../../actors/gossip/ports/relay-client.ts';
import { expiresAt, isAlive } from '../../machines/gossip/envelope.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import type { Random } from '../../machines/kernel/random.ts';

/** How often the relay does, of each message, what it must not. */
export interface Lies {
  /** Answers that it has taken the message, and throws it away. */
  readonly loses: number;
  /** Gives an acknowledged message again. */
  readonly replays: number;
  /** Gives a message to somebody else as well. */
  readonly misdelivers: number;
  /** Changes a message. */
  readonly corrupts: number;
}

export const HONEST: Lies = { loses: 0, replays: 0, misdelivers: 0, corrupts: 0 };

/** As long as the relay itself lets a client handle a batch. */
export const LEASE_MS = 60_000;

interface Item {
  readonly envelope: unknown;
  readonly senderKey: string;
  readonly expiresAtMs: number;
  leasedUntilMs: number;
}

/** Whoever posts has proven that this is its key. */
export interface Poster {
  readonly id: string;
  readonly publicKey: string;
}

export class SimRelay {
  readonly #now: () => number;
  readonly #random: Random;
  readonly #inboxes = new Map<string, Map<string, Item>>();
  readonly #known = new Map<string, number>();
  readonly #acked: { readonly recipient: string; readonly key: string; readonly item: Item }[] = [];
  #number = 0;
  lies: Lies = HONEST;
  isUp = true;
  /** Ids that it threw away or changed on purpose: their recipients may miss them. */
  readonly lost = new Set<string>();
  /** Told of each recipient that has mail. */
  onMail: (recipient: string) => void = () => undefined;

  constructor(now: () => number, random: Random) {
    this.#now = now;
    this.#random = random;
  }

  post(poster: Poster, envelopes: readonly Envelope[]): readonly PostResult[] {
    return envelopes.map((envelope) => this.#take(poster, envelope));
  }

  lease(recipient: string, max: number): readonly InboxItem[] {
    const nowMs = this.#now();
    const inbox = this.#inboxOf(recipient);
    if (this.#happens(this.lies.replays)) this.#replay(recipient, inbox);
    const items: InboxItem[] = [];
    for (const [key, item] of inbox) {
      if (item.expiresAtMs <= nowMs) inbox.delete(key);
      else if (item.leasedUntilMs <= nowMs && items.length < max) {
        item.leasedUntilMs = nowMs + LEASE_MS;
        items.push({ lease: key, envelope: item.envelope, senderKey: item.senderKey });
      }
    }
    return items;
  }

  ack(recipient: string, leases: readonly string[]): void {
    const inbox = this.#inboxOf(recipient);
    for (const key of leases) {
      const item = inbox.get(key);
      if (item === undefined) continue;
      inbox.delete(key);
      if (this.lies.replays > 0) this.#acked.push({ recipient, key, item });
    }
    this.#acked.splice(0, Math.max(0, this.#acked.length - ACKED_MAX));
  }

  /** Leases are forgotten, messages are not. */
  crash(): void {
    this.isUp = false;
    for (const inbox of this.#inboxes.values())
      for (const item of inbox.values()) item.leasedUntilMs = 0;
  }

  /** Messages that wait. */
  get waiting(): number {
    let count = 0;
    for (const inbox of this.#inboxes.values()) count += inbox.size;
    return count;
  }

  #take(poster: Poster, envelope: Envelope): PostResult {
    const { header } = envelope;
    const nowMs = this.#now();
    const recipient = header.recipient_id;
    if (header.sender_id !== poster.id || recipient === '*' || !isAlive(header, nowMs - SLACK_MS))
      return refusal(`${header.message_id} is not the poster's to send.`);
    const pair = `${recipient} ${header.message_id}`;
    if (this.#known.has(pair)) return { type: 'duplicate' };
    this.#known.set(pair, expiresAt(header));
    if (this.#known.size > KNOWN_MAX) this.#forgetEnded(nowMs);
    if (this.#happens(this.lies.loses)) this.lost.add(header.message_id);
    else this.#keep(recipient, poster, envelope);
    return { type: 'accepted' };
  }

  #keep(recipient: string, poster: Poster, envelope: Envelope): void {
    const isChanged = this.#happens(this.lies.corrupts);
    if (isChanged) this.lost.add(envelope.header.message_id);
    const item = {
      envelope: isChanged ? this.#changed(envelope) : envelope,
      senderKey: poster.publicKey,
      expiresAtMs: expiresAt(envelope.header) + SLACK_MS,
      leasedUntilMs: 0,
    };
    this.#inboxOf(recipient).set(`${envelope.header.message_id}#${this.#number++}`, item);
    this.onMail(recipient);
    if (!this.#happens(this.lies.misdelivers)) return;
    const others = [...this.#inboxes.keys()];
    const other = others[Math.floor(this.#random.fraction() * others.length)];
    if (other !== undefined) this.#inboxOf(other).set(`stray#${this.#number++}`, { ...item });
  }

  #changed(envelope: Envelope): unknown {
    const { header, body, signature } = envelope;
    const swapped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    const choices: readonly unknown[] = [
      { header, body, signature: swapped },
      { header, body: `AAAA${body}`, signature },
      { header: { ...header, seq: header.seq + 1 }, body, signature },
      { header: 'none' },
    ];
    return choices[Math.floor(this.#random.fraction() * choices.length)];
  }

  #replay(recipient: string, inbox: Map<string, Item>): void {
    const old = this.#acked.findLast((one) => one.recipient === recipient);
    if (old) inbox.set(`${old.key}r${this.#number++}`, { ...old.item, leasedUntilMs: 0 });
  }

  #forgetEnded(nowMs: number): void {
    for (const [pair, endMs] of this.#known) if (endMs <= nowMs) this.#known.delete(pair);
  }

  #inboxOf(recipient: string): Map<string, Item> {
    let inbox = this.#inboxes.get(recipient);
    if (inbox === undefined) this.#inboxes.set(recipient, (inbox = new Map()));
    return inbox;
  }

  #happens(probability: number): boolean {
    return probability > 0 && this.#random.fraction() < probability;
  }
}

/** Clocks of peers are off by less than this. */
const SLACK_MS = 10 * 60_000;
const ACKED_MAX = 200;
const KNOWN_MAX = 100_000;

const refusal = (message: string): PostResult => ({
  type: 'refused',
  code: 'MESH_ERR_RELAY_PROOF',
  message,
  retryable: false,
});
