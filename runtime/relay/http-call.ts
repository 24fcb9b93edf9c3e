/** One HTTP request with a deadline and bounded answer, over connections that are kept. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../machines/kernel/clock.ts';
import { relayError } from '../../machines/gossip/relay-errors.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly timeoutMs: number;
  /** A longer answer is MESH_ERR_RELAY_ANSWER. */
  readonly answerBytesMax: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Connections to one relay: one that waits for mail, and some for what is to be sent. */
const CONNECTIONS_MAX = 8;
/** Kept this long; a relay keeps them a little longer. */
const KEEP_MS = 60_000;

/** Requests to one origin. */
export class HttpOrigin {
  readonly #origin: URL;
  readonly #clock: Clock;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(origin: string, clock: Clock) {
    this.#origin = new URL(origin);
    this.#clock = clock;
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: KEEP_MS };
    this.#agent = this.isTls ? new HttpsAgent(options) : new HttpAgent(options);
  }

  get isTls(): boolean {
    return this.#origin.protocol === 'https:';
  }

  /** MESH_ERR_RELAY_UNAVAILABLE, MESH_ERR_RELAY_ANSWER; what `signal` is aborted with counts as the first. */
  async call(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const ending = new AbortController();
    const what = `${call.method} ${call.path.slice(0, 100)} of ${this.#origin.origin}`;
    const timer = this.#clock.setTimeout(
      () => ending.abort(new Error(`no answer within ${call.timeoutMs} ms`)),
      call.timeoutMs,
    );
    try {
      return await this.#send(call, AbortSignal.any([signal, ending.signal]));
    } catch (cause) {
      if (cause instanceof LongAnswer)
        throw relayError('MESH_ERR_RELAY_ANSWER', `${what}: the answer is too long.`, { cause });
      const reason = ending.signal.aborted ? (ending.signal.reason as Error) : cause;
      const found = reason instanceof Error ? reason.message : String(reason);
      throw relayError('MESH_ERR_RELAY_UNAVAILABLE', `${what}: ${found}.`, { cause });
    } finally {
      this.#clock.clearTimeout(timer);
    }
  }

  /** Ends kept connections. */
  close(): void {
    this.#agent.destroy();
  }

  async #send(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const send = this.isTls ? httpsRequest : httpRequest;
    const { method, path, headers, body } = call;
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const request = send(new URL(path, this.#origin), {
      method,
      agent: this.#agent,
      headers: { ...headers, ...length },
      signal,
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
    const response = await promise;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > call.answerBytesMax) {
        request.destroy();
        throw new LongAnswer(`over ${call.answerBytesMax} octets`);
      }
      chunks.push(chunk);
    }
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
  }
}

class LongAnswer extends Error {}
