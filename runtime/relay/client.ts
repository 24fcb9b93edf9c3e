/** A peer's way to its relay: signed requests over HTTP, and a socket that says when to look. */
import { z } from 'zod';
import type { InboxItem, PostResult, RelayClient } from '../../actors/gossip/ports/relay-client.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Random } from '../../machines/kernel/random.ts';
import type { Envelope } from '../../machines/gossip/envelope.schema.ts';
import { signingKeySchema } from '../../machines/gossip/envelope.schema.ts';
import { ENVELOPE_ERRORS } from '../../machines/gossip/envelope-errors.ts';
import { RELAY_ERRORS, relayError } from '../../machines/gossip/relay-errors.ts';
import { GOSSIP_STORE_ERRORS } from '../../machines/gossip/store-errors.ts';
import { encodeEnvelope } from '../gossip/envelope-codec.ts';
import type { PeerKey } from '../gossip/envelope-codec.ts';
import { HttpOrigin } from './http-call.ts';
import type { HttpAnswer, HttpCall } from './http-call.ts';
import { RELAY_LIMITS } from './limits.ts';
import { requestBodyHash, signRequest } from './request-proof.ts';
import { WakeSocket } from './wake-socket.ts';

export interface RelayClientOptions {
  /** The relay, `http://HOST:PORT` or `https://HOST`. */
  readonly url: string;
  readonly key: PeerKey;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds for one request. Default 15,000. */
  readonly timeoutMs?: number;
}

/** Also ends its connections. */
export interface ClosableRelayClient extends RelayClient {
  /** Idempotent; calls under way reject. */
  close(): void;
}

const TIMEOUT_MS_DEFAULT = 15_000;
/** As much as the relay takes and gives at once, and room for what is between the messages. */
const POST_BYTES_MAX = RELAY_LIMITS.bodyBytesMax;
const ANSWER_BYTES_MAX = RELAY_LIMITS.leaseBytesMax + 2 * 1024 * 1024;
const NONCE_BYTES = 16;
const OK = 200;
const ACCEPTED = 202;

/** Codes that a relay answers with: whoever counts them must not be made to count without end. */
const CODES: ReadonlySet<string> = new Set([
  ...Object.keys(RELAY_ERRORS),
  ...Object.keys(ENVELOPE_ERRORS),
  ...Object.keys(GOSSIP_STORE_ERRORS),
  'MESH_ERR_KERNEL_UNKNOWN',
]);
/** Characters of what a relay says that are repeated. */
const MESSAGE_MAX = 500;
const RETRY_AFTER_MAX_MS = 3_600_000;

const refusalSchema = z.object({
  code: z.string().refine((code) => CODES.has(code)),
  message: z.string().transform((message) => message.slice(0, MESSAGE_MAX)),
  retryable: z.boolean().optional(),
  retryAfterMs: z.number().min(0).max(RETRY_AFTER_MAX_MS).optional(),
  details: z.object({ nowMs: z.int().min(0) }).optional(),
});
const postedSchema = z.union([
  z.object({ result: z.enum(['accepted', 'duplicate']) }),
  refusalSchema.extend({ result: z.literal('refused'), retryable: z.boolean() }),
]);
const itemSchema = z.object({
  lease: z.string().max(32),
  sender_key: signingKeySchema.optional(),
  envelope: z.unknown(),
});

/** Makes the port; throws MESH_ERR_RELAY_REQUEST for an address that is none of HTTP. */
export function createRelayClient(options: RelayClientOptions): ClosableRelayClient {
  return new Client(options);
}

class Client implements ClosableRelayClient {
  readonly #options: RelayClientOptions;
  readonly #url: string;
  readonly #origin: HttpOrigin;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  #wakes: WakeSocket | undefined;
  /** How far the clock of the relay is ahead, as far as it matters for its window. */
  #skewMs = 0;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    this.#url = originOf(options.url);
    this.#origin = new HttpOrigin(this.#url, options.clock);
  }

  async post(envelopes: readonly Envelope[], signal: AbortSignal): Promise<readonly PostResult[]> {
    const results: PostResult[] = [];
    for (const batch of batchesOf(envelopes.map(encodeEnvelope)))
      results.push(...(await this.#postBatch(batch, signal)));
    return results;
  }

  async lease(max: number, signal: AbortSignal): Promise<readonly InboxItem[]> {
    const { body } = await this.#call('GET', `${this.#inbox()}?max=${max}`, undefined, OK, signal);
    const items = linesOf(body).map((line) => this.#itemOf(line));
    if (items.length <= max) return items;
    throw this.#answer(`it gave ${items.length} messages, asked for ${max}`);
  }

  async ack(leases: readonly string[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < leases.length; from += RELAY_LIMITS.acksMax) {
      const some = leases.slice(from, from + RELAY_LIMITS.acksMax);
      const body = Buffer.from(JSON.stringify({ leases: some }));
      await this.#call('POST', `${this.#inbox()}/ack`, body, OK, signal);
    }
  }

  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#wakes ??= this.#openWakes();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#wakes?.close();
      this.#wakes = undefined;
    };
  }

  close(): void {
    this.#closing.abort(new Error('the client was closed'));
    this.#listeners.clear();
    this.#wakes?.close();
    this.#wakes = undefined;
    this.#origin.close();
  }

  #inbox(): string {
    return `/inbox/${this.#options.key.id}`;
  }

  #openWakes(): WakeSocket {
    const { clock, random } = this.#options;
    const path = `${this.#inbox()}/wake`;
    return new WakeSocket({
      url: `${this.#url.replace(/^http/, 'ws')}${path}`,
      headers: () => this.#signed('GET', path, undefined),
      clock,
      random,
      onWake: () => {
        for (const listener of this.#listeners) listener();
      },
    });
  }

  async #postBatch(
    batch: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<readonly PostResult[]> {
    const body = Buffer.concat(batch.flatMap((one) => [one, LINE_FEED]));
    try {
      const answer = await this.#call('POST', '/envelopes', body, ACCEPTED, signal);
      const results = linesOf(answer.body).map((line) => this.#resultOf(line));
      if (results.length === batch.length) return results;
      throw this.#answer(`it gave ${results.length} results for ${batch.length} messages`);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { code, message, retryable } = error;
      return batch.map(() => ({ type: 'refused', code, message, retryable }));
    }
  }

  /** Once more where only the clocks differ. */
  async #call(
    method: HttpCall['method'],
    path: string,
    body: Uint8Array | undefined,
    status: number,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const first = await this.#request(method, path, body, signal);
    if (first.status === status) return first;
    const refusal = this.#refusalOf(first);
    if (refusal.code !== 'MESH_ERR_RELAY_CLOCK') throw refusal;
    const relayNowMs = refusal.details?.['nowMs'];
    if (typeof relayNowMs === 'number') this.#skewMs = relayNowMs - this.#options.clock.now();
    const second = await this.#request(method, path, body, signal);
    if (second.status === status) return second;
    throw this.#refusalOf(second);
  }

  #request(
    method: HttpCall['method'],
    path: string,
    body: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { timeoutMs = TIMEOUT_MS_DEFAULT } = this.#options;
    const headers = this.#signed(method, path, body);
    const call = { method, path, headers, timeoutMs, answerBytesMax: ANSWER_BYTES_MAX };
    return this.#origin.call(
      { ...call, ...(body === undefined ? {} : { body }) },
      AbortSignal.any([signal, this.#closing.signal]),
    );
  }

  #signed(method: string, path: string, body: Uint8Array | undefined): Record<string, string> {
    const { clock, key, random } = this.#options;
    const facts = {
      relay: this.#url,
      method,
      path,
      bodyHash: requestBodyHash(body),
      timeMs: Math.max(0, Math.round(clock.now() + this.#skewMs)),
      nonce: random.hex(NONCE_BYTES),
    };
    return { authorization: signRequest(facts, key) };
  }

  #resultOf(line: Buffer): PostResult {
    const parsed = postedSchema.safeParse(jsonOf(line));
    if (!parsed.success) throw this.#answer('one of its results has another form');
    const posted = parsed.data;
    if (posted.result !== 'refused') return { type: posted.result };
    const { code, message, retryable } = posted;
    return { type: 'refused', code, message, retryable };
  }

  #itemOf(line: Buffer): InboxItem {
    const parsed = itemSchema.safeParse(jsonOf(line));
    if (!parsed.success) throw this.#answer('one of its messages has another form');
    const { lease, envelope, sender_key: senderKey } = parsed.data;
    return { lease, envelope, ...(senderKey === undefined ? {} : { senderKey }) };
  }

  #refusalOf({ status, body }: HttpAnswer): CodedError {
    const parsed = refusalSchema.safeParse(jsonOf(body));
    if (!parsed.success) return this.#answer(`its status is ${status}`);
    return CodedError.fromJSON(parsed.data);
  }

  #answer(found: string): CodedError {
    return relayError('MESH_ERR_RELAY_ANSWER', `Asking ${this.#url}: ${found}.`);
  }
}

const LINE_FEED = Buffer.from('\n');

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol) && url.pathname === '/') return url.origin;
  throw relayError(
    'MESH_ERR_RELAY_REQUEST',
    `Finding a relay at ${JSON.stringify(text.slice(0, 200))}: it is no http://HOST:PORT.`,
  );
}

/** What the relay said itself, beside what this side found. */
const isRefusal = (error: unknown): error is CodedError =>
  error instanceof CodedError &&
  error.code !== 'MESH_ERR_RELAY_UNAVAILABLE' &&
  error.code !== 'MESH_ERR_RELAY_ANSWER';

/** As few requests as the relay's bounds allow. */
function batchesOf(encoded: readonly Uint8Array[]): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const one of encoded) {
    const last = batches.at(-1);
    bytes += one.length + 1;
    if (last && bytes <= POST_BYTES_MAX && last.length < RELAY_LIMITS.batchMax) last.push(one);
    else {
      batches.push([one]);
      bytes = one.length + 1;
    }
  }
  return batches;
}

function linesOf(body: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < body.length;) {
    const found = body.indexOf(0x0a, from);
    const to = found === -1 ? body.length : found;
    if (to > from) lines.push(body.subarray(from, to));
    from = to + 1;
  }
  return lines;
}

/** Undefined, which no form allows, for what is no JSON. */
function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    // Whoever asked says that the answer has another form.
    return undefined;
  }
}
