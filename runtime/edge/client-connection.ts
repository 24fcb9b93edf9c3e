import type { Socket } from 'node:net';
import type { EdgeContext } from './edge-context.ts';
import type { EdgeErrorCode, Refusal } from './errors.ts';
import type { RequestHead } from './wire/request-head.ts';
import { countRefusal } from './edge-context.ts';
import { EDGE_ERRORS, isRefusal } from './errors.ts';
import { Exchange } from './exchange.ts';
import { writeOwnResponse } from './own-response.ts';
import { BodyReader } from './wire/body-reader.ts';
import { HeadParser } from './wire/head-parser.ts';
import { readRequestHead, writeRequestHead } from './wire/request-head.ts';

/** What a refused message was, as far as it is known. */
interface Asked {
  readonly isHead: boolean;
  readonly isHttp10: boolean;
}

const UNKNOWN: Asked = { isHead: false, isHttp10: false };

/**
 * One client: it reads requests one after another, hands each to an exchange and answers in order.
 * Requests that a client sends ahead wait, up to a limit, until the one before them is answered.
 */
export class ClientConnection {
  readonly socket: Socket;
  readonly body = new BodyReader();
  /** Monotonic milliseconds at which `deadlinePassed` is due. */
  deadlineMs: number;
  readonly #context: EdgeContext;
  readonly #parser: HeadParser;
  readonly #address: string;
  #exchange: Exchange | null = null;
  /** Bytes behind the request at hand. */
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #isPaused = false;
  #isPumping = false;
  #isEnding = false;

  constructor(context: EdgeContext, socket: Socket) {
    this.#context = context;
    this.socket = socket;
    this.#parser = new HeadParser('request', context.limits);
    this.#address = socket.remoteAddress ?? 'unknown';
    this.deadlineMs = context.nowMs + context.limits.keepAliveTimeoutMs;
    socket
      .on('data', (chunk: Buffer) => this.#read(chunk))
      .on('drain', () => this.#drained())
      .on('end', () => this.#left())
      // What went wrong does not matter here: `close` always follows and says that it is over.
      .on('error', () => {})
      .on('close', () => this.#left());
  }

  /** Whether no request is under way, not even a part of one. */
  get isIdle(): boolean {
    return this.#exchange === null && !this.#parser.isUnderWay && this.#aheadBytes === 0;
  }

  get exchange(): Exchange | null {
    return this.#exchange;
  }

  setDeadline(afterMs: number): void {
    this.deadlineMs = this.#context.nowMs + afterMs;
  }

  pauseReading(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  resumeReading(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Takes the bytes behind the request, which belong to the protocol that was switched to. */
  takeAhead(): Buffer {
    const ahead = Buffer.concat(this.#ahead);
    this.#ahead = [];
    this.#aheadBytes = 0;
    return ahead;
  }

  deadlinePassed(): void {
    if (this.#isEnding) this.socket.destroy();
    else if (this.#exchange) this.#exchange.deadlinePassed();
    else if (this.#parser.isUnderWay)
      this.#refuse({ refused: 'MESH_ERR_EDGE_REQUEST_TIMEOUT', found: 'a head that did not end' });
    else this.endConnection();
  }

  /** Ends after what is written has been sent; what still comes in is read and thrown away. */
  endConnection(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#exchange?.clientGone();
    this.#exchange = null;
    this.takeAhead();
    this.setDeadline(this.#context.limits.lingerTimeoutMs);
    this.resumeReading();
    this.socket.end();
  }

  /** Ends in the middle of a response; `hard` if a plain close would look like its end. */
  cutOff(hard: boolean): void {
    this.#isEnding = true;
    this.#exchange = null;
    if (hard) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  exchangeEnded(keepAlive: boolean): void {
    this.#exchange = null;
    if (!keepAlive || !this.body.done || this.#context.isClosing) return this.endConnection();
    this.setDeadline(this.#context.limits.keepAliveTimeoutMs);
    return this.#pump();
  }

  /** Answers for an exchange that got no response. */
  answerFailed(code: EdgeErrorCode, head: RequestHead): void {
    this.#exchange = null;
    const keepAlive = head.keepAlive && this.body.done && !this.#context.isClosing;
    this.#answer(code, failureMessage(code, head.app), keepAlive, askedBy(head));
  }

  #read(chunk: Buffer): void {
    if (this.#isEnding) return;
    if (this.#exchange === null) this.#readRequest(chunk);
    else if (this.#exchange.isTunnel) this.#exchange.tunnelRead(chunk);
    else if (!this.body.done) this.#readBody(this.#exchange, chunk);
    else this.#keepAhead(chunk);
  }

  #keepAhead(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#ahead.push(chunk);
    this.#aheadBytes += chunk.length;
    if (this.#aheadBytes >= this.#context.limits.pipelinedBytesMax) this.pauseReading();
  }

  /** Goes on with what was sent ahead, once the client has taken the responses before it. */
  #pump(): void {
    this.resumeReading();
    if (this.#isPumping || this.#aheadBytes === 0) return;
    this.#isPumping = true;
    while (this.#exchange === null && this.#aheadBytes > 0 && !this.#isEnding) {
      if (this.socket.writableNeedDrain) {
        this.pauseReading();
        break;
      }
      this.#readRequest(this.takeAhead());
    }
    this.#isPumping = false;
  }

  #readRequest(chunk: Buffer): void {
    const parser = this.#parser;
    const wasUnderWay = parser.isUnderWay;
    const at = parser.push(chunk, 0, chunk.length);
    if (parser.refused !== null) return this.#refuse(parser.refused);
    if (parser.text === null) {
      if (!wasUnderWay && parser.isUnderWay) this.#beginHead();
      return undefined;
    }
    const head = readRequestHead(parser.text, parser.marks);
    parser.reset();
    if (isRefusal(head)) return this.#refuse(head);
    return this.#begin(head, chunk, at);
  }

  #beginHead(): void {
    this.#context.nowMs = this.#context.clock.monotonicNow();
    this.setDeadline(this.#context.limits.headTimeoutMs);
  }

  #begin(head: RequestHead, chunk: Buffer, start: number): void {
    const context = this.#context;
    const { body } = this;
    context.nowMs = context.clock.monotonicNow();
    body.begin(head.framing, head.contentLength);
    if (head.contentLength > context.limits.bodyBytesMax) return this.#refuseBody(head);
    const at = body.feed(chunk, start, chunk.length, context.batch);
    const refused = this.#bodyRefusal();
    if (refused) {
      context.batch.clear();
      return this.#refuse(refused, askedBy(head));
    }
    this.#keepAhead(at === 0 ? chunk : chunk.subarray(at));
    const route = context.routes.routeOf(head.app);
    if (route === undefined) {
      context.batch.clear();
      return this.#answerUnknown(head);
    }
    const exchange = new Exchange(context, this, route, head);
    this.#exchange = exchange;
    return exchange.start((authority) =>
      context.batch.take(
        writeRequestHead(head, { clientAddress: this.#address, targetAuthority: authority }),
      ),
    );
  }

  #readBody(exchange: Exchange, chunk: Buffer): void {
    const at = this.body.feed(chunk, 0, chunk.length, this.#context.batch);
    const refused = this.#bodyRefusal();
    if (refused) {
      this.#context.batch.clear();
      countRefusal(this.#context, refused.refused);
      return exchange.refuse(refused.refused);
    }
    if (at < chunk.length) this.#keepAhead(chunk.subarray(at));
    return exchange.requestRead();
  }

  #bodyRefusal(): Refusal | null {
    const { body } = this;
    if (body.failed !== null)
      return { refused: 'MESH_ERR_EDGE_BODY_MALFORMED', found: body.failed };
    if (body.payloadBytes <= this.#context.limits.bodyBytesMax) return null;
    return { refused: 'MESH_ERR_EDGE_BODY_TOO_LARGE', found: this.#bodyLimit() };
  }

  #bodyLimit(): string {
    return `a body over ${this.#context.limits.bodyBytesMax} bytes`;
  }

  #refuseBody(head: RequestHead): void {
    this.#refuse(
      { refused: 'MESH_ERR_EDGE_BODY_TOO_LARGE', found: this.#bodyLimit() },
      askedBy(head),
    );
  }

  /** A message that cannot be forwarded: what follows it cannot be told apart from it. */
  #refuse(refused: Refusal, asked: Asked = UNKNOWN): void {
    countRefusal(this.#context, refused.refused);
    this.#answer(refused.refused, `Reading a request: found ${refused.found}.`, false, asked);
  }

  #answerUnknown(head: RequestHead): void {
    const code = 'MESH_ERR_EDGE_APP_UNKNOWN';
    countRefusal(this.#context, code);
    const keepAlive = head.keepAlive && this.body.done && !this.#context.isClosing;
    const message = `Routing a request: no app is called ${JSON.stringify(head.app)}.`;
    this.#answer(code, message, keepAlive, askedBy(head));
  }

  #answer(code: EdgeErrorCode, message: string, keepAlive: boolean, asked: Asked): void {
    if (this.socket.destroyed || this.#isEnding) return;
    const response = { code, message, keepAlive, ...asked };
    this.socket.write(writeOwnResponse(response, this.#context.stamp), 'latin1');
    if (!keepAlive) return this.endConnection();
    this.setDeadline(this.#context.limits.keepAliveTimeoutMs);
    return this.#pump();
  }

  #drained(): void {
    if (this.#exchange) this.#exchange.clientDrained();
    else if (!this.#isEnding) this.#pump();
  }

  /** The client closed, or at least says that it sends no more: nobody waits for a response. */
  #left(): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#isEnding = true;
    if (exchange === null) return;
    exchange.clientGone();
    this.socket.destroy();
  }
}

const askedBy = (head: RequestHead): Asked => ({
  isHead: head.method === 'HEAD',
  isHttp10: head.isHttp10,
});

function failureMessage(code: EdgeErrorCode, app: string): string {
  const status = EDGE_ERRORS[code].status;
  return `Forwarding a request to ${app}: ${FAILURES[code] ?? `failed with ${status}`}.`;
}

const FAILURES: Partial<Record<EdgeErrorCode, string>> = {
  MESH_ERR_EDGE_NO_TARGET: 'none of its instances may take traffic',
  MESH_ERR_EDGE_UPSTREAM_UNREACHABLE: 'its instance does not accept connections',
  MESH_ERR_EDGE_UPSTREAM_CLOSED: 'its instance closed the connection without a response',
  MESH_ERR_EDGE_RESPONSE_MALFORMED: 'its instance sent a malformed response',
  MESH_ERR_EDGE_UPSTREAM_TIMEOUT: 'its instance did not respond in time',
  MESH_ERR_EDGE_DRAINED: 'its instance was drained before it responded',
  MESH_ERR_EDGE_REQUEST_TIMEOUT: 'the body did not arrive in time',
  MESH_ERR_EDGE_BODY_TOO_LARGE: 'the body is too long',
  MESH_ERR_EDGE_BODY_MALFORMED: 'the body broke its framing',
};
