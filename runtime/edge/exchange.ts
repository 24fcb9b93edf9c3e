import type { ClientConnection } from './client-connection.ts';
import type { EdgeContext } from './edge-context.ts';
import type { EdgeErrorCode } from './errors.ts';
import type { AppRoute, UpstreamTarget } from './routing-table.ts';
import type { FailureKind, InFlight } from './target-state.ts';
import type { UpstreamUser } from './upstream-connection.ts';
import type { RequestHead } from './wire/request-head.ts';
import type { AskedFor, ResponseHead } from './wire/response-head.ts';
import { statusOf } from './own-response.ts';
import { Tunnel } from './tunnel.ts';
import { UpstreamConnection, takeIdle } from './upstream-connection.ts';
import { isIdempotent } from './wire/request-head.ts';
import { writeInterimHead, writeResponseHead } from './wire/response-head.ts';

/**
 * A request that must not be sent twice gets a connection that was in use this lately, or a new
 * one: the chance that the instance is closing it right now is then next to none.
 */
const FRESH_MS = 1_000;

/** One request and its response: it picks the instance, passes bytes both ways and may try again. */
export class Exchange implements UpstreamUser, InFlight {
  readonly head: RequestHead;
  readonly #context: EdgeContext;
  readonly #client: ClientConnection;
  readonly #route: AppRoute;
  readonly #startMs: number;
  #target: UpstreamTarget | null = null;
  #upstream: UpstreamConnection | null = null;
  /** All that was sent to the instance, for as long as that is the first piece only. */
  #replay: string | Buffer | null = null;
  #isRetry = false;
  /** The last connection failed because one of its ends could not prove itself. */
  #isUnproved = false;
  #response: ResponseHead | null = null;
  #interims = 0;
  #keepAlive = false;
  #tunnel: Tunnel | null = null;
  #isOver = false;

  constructor(context: EdgeContext, client: ClientConnection, route: AppRoute, head: RequestHead) {
    this.#context = context;
    this.#client = client;
    this.#route = route;
    this.head = head;
    this.#startMs = context.nowMs;
    route.counters.inFlight++;
  }

  get asked(): AskedFor {
    return this.head;
  }

  get isTunnel(): boolean {
    return this.#tunnel !== null;
  }

  /** Whether a final response head has gone to the client. */
  get hasResponded(): boolean {
    return this.#response !== null;
  }

  /** Sends the head, for the instance of that authority, and what is there of the body. */
  start(requestFor: (authority: string) => string | Buffer): void {
    this.#attempt(undefined, false, requestFor);
  }

  #attempt(
    except: UpstreamTarget | undefined,
    mayRepeat: boolean,
    requestFor?: (authority: string) => string | Buffer,
  ): void {
    const { limits, nowMs, routes } = this.#context;
    const target = routes.begin(this.#route, this, except, mayRepeat);
    if (!target) {
      this.#context.batch.clear();
      return this.#fail(except ? this.#unmet() : 'MESH_ERR_EDGE_NO_TARGET');
    }
    this.#target = target;
    this.#replay ??= requestFor?.(target.authority) ?? null;
    const idleMsMax = isIdempotent(this.head.method) ? Infinity : FRESH_MS;
    const pooled = this.#isRetry ? undefined : takeIdle(target, nowMs, idleMsMax);
    const upstream = pooled ?? new UpstreamConnection(this.#context, target);
    this.#upstream = upstream;
    upstream.begin(this, this.#replay ?? '');
    if (upstream.isConnected) return this.#awaitNext();
    // More of the body would make the request impossible to repeat if this connection fails.
    if (!this.#client.body.done) this.#client.pauseReading();
    return this.#client.setDeadline(limits.connectTimeoutMs);
  }

  /** Sets the deadline of whatever is waited for now. */
  #awaitNext(): void {
    const { limits } = this.#context;
    if (this.#response !== null) this.#client.setDeadline(limits.streamIdleTimeoutMs);
    else if (this.#client.body.done) this.#client.setDeadline(limits.responseTimeoutMs);
    else this.#client.setDeadline(limits.bodyIdleTimeoutMs);
  }

  // What the client does.

  /** More of the request body is in the batch. */
  requestRead(): void {
    this.#replay = null;
    const upstream = this.#upstream;
    if (upstream === null) return this.#context.batch.clear();
    if (!this.#context.batch.flush(upstream.socket) && !this.#client.body.done)
      this.#client.pauseReading();
    return this.#awaitNext();
  }

  /** Bytes from a client whose connection has switched protocols. */
  tunnelRead(chunk: Buffer): void {
    this.#tunnel?.fromClient(chunk);
    this.#awaitNext();
  }

  clientDrained(): void {
    this.#upstream?.resume();
    this.#awaitNext();
  }

  /** The client left: whatever the instance still does for it is in vain. */
  clientGone(): void {
    this.#end(false);
  }

  deadlinePassed(): void {
    if (this.#tunnel !== null || this.#response !== null) this.#breakOff();
    else if (this.#upstream?.isConnected === false) this.#connectionFailed('timeout');
    else if (this.#client.body.done) {
      this.#reportFailure('timeout');
      this.#fail('MESH_ERR_EDGE_UPSTREAM_TIMEOUT');
    } else this.#fail('MESH_ERR_EDGE_REQUEST_TIMEOUT');
  }

  /** The target's drain, or the edge's own stop, is at its deadline. */
  cancel(): void {
    if (this.#tunnel !== null) {
      this.#tunnel.close();
      this.#client.setDeadline(this.#context.limits.closeGraceMs);
    } else if (this.#response !== null) this.#breakOff();
    else this.#fail('MESH_ERR_EDGE_DRAINED');
  }

  /** Fails for a reason on the client's side. */
  refuse(code: EdgeErrorCode): void {
    if (this.#response !== null) this.#breakOff();
    else this.#fail(code);
  }

  // What the instance does.

  upstreamConnected(): void {
    this.#client.resumeReading();
    this.#awaitNext();
  }

  upstreamDrained(): void {
    if (this.#tunnel !== null || !this.#client.body.done) this.#client.resumeReading();
    this.#awaitNext();
  }

  interim(head: ResponseHead): void {
    if (++this.#interims > this.#context.limits.interimResponsesMax)
      return this.responseMalformed('too many interim responses');
    if (!this.head.isHttp10) this.#client.socket.write(writeInterimHead(head), 'latin1');
    return this.#awaitNext();
  }

  responded(head: ResponseHead): void {
    const { batch, routes, stamp } = this.#context;
    const isHttp10Client = this.head.isHttp10;
    const payloadOnly = isHttp10Client && head.framing === 'chunked';
    this.#response = head;
    this.#keepAlive =
      this.head.keepAlive &&
      !this.#context.isClosing &&
      !payloadOnly &&
      head.framing !== 'untilClose';
    if (this.#target) routes.responded(this.#target);
    const text = writeResponseHead(head, {
      isHttp10Client,
      keepAlive: this.#keepAlive,
      stamp: stamp.lines(),
      date: head.hasDate ? '' : stamp.dateLine(),
    });
    if (head.status === 101) this.#switch(text);
    else {
      batch.text(text);
      this.#upstream?.body.begin(head.framing, head.contentLength, payloadOnly);
    }
  }

  #switch(text: string): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    this.#client.socket.write(text, 'latin1');
    this.#tunnel = new Tunnel(this.#client, upstream.socket);
    const ahead = this.#client.takeAhead();
    if (ahead.length > 0) this.#tunnel.fromClient(ahead);
  }

  bodyRead(): boolean {
    const wantsMore = this.#context.batch.flush(this.#client.socket);
    this.#awaitNext();
    return wantsMore;
  }

  responseEnded(isClean: boolean): void {
    const response = this.#response;
    const isReusable = isClean && response?.reusable === true && this.#client.body.done;
    this.#end(true, isReusable);
    this.#client.exchangeEnded(this.#keepAlive);
  }

  responseMalformed(_found: string): void {
    if (this.#response !== null) this.#breakOff();
    else this.#fail('MESH_ERR_EDGE_RESPONSE_MALFORMED');
  }

  switchedBytes(bytes: Buffer, start: number, end: number): boolean {
    this.#awaitNext();
    return this.#tunnel?.fromUpstream(bytes, start, end) ?? false;
  }

  upstreamClosed(): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    if (this.#tunnel !== null) {
      this.#end(true);
      this.#client.endConnection();
    } else if (this.#response !== null) {
      this.#reportFailure('reset');
      this.#breakOff();
    } else this.#connectionFailed(upstream.isConnected ? 'reset' : 'connect');
  }

  // Failing, trying again, ending.

  /** A connection failed before a response head; once, that may be made good elsewhere. */
  #connectionFailed(kind: FailureKind): void {
    const upstream = this.#upstream;
    const target = this.#target;
    if (upstream === null || target === null) return;
    this.#isUnproved = upstream.isUnproved;
    const isStale = upstream.isUsed && kind === 'reset';
    // Closing an idle connection is an instance's right, and no sign that it is ill.
    if (!isStale) this.#reportFailure(kind);
    const wasNeverSent = !upstream.isConnected;
    const mayRetry =
      !this.#isRetry &&
      this.#replay !== null &&
      !upstream.hasResponseBytes &&
      (wasNeverSent || isIdempotent(this.head.method));
    if (!mayRetry) {
      if (!wasNeverSent && !this.#isUnproved) return this.#fail('MESH_ERR_EDGE_UPSTREAM_CLOSED');
      if (kind === 'timeout') return this.#fail('MESH_ERR_EDGE_UPSTREAM_TIMEOUT');
      return this.#fail(this.#unmet());
    }
    this.#isRetry = true;
    this.#route.counters.retries++;
    this.#letGo(false);
    return this.#attempt(target, !wasNeverSent);
  }

  #unmet(): EdgeErrorCode {
    return this.#isUnproved
      ? 'MESH_ERR_EDGE_UPSTREAM_IDENTITY'
      : 'MESH_ERR_EDGE_UPSTREAM_UNREACHABLE';
  }

  #reportFailure(kind: FailureKind): void {
    if (this.#target) this.#context.routes.failed(this.#target, kind);
  }

  /** Ends without a response of the instance: the client gets the edge's own. */
  #fail(code: EdgeErrorCode): void {
    if (this.#isOver) return;
    this.#end(false, false, code);
    this.#client.answerFailed(code, this.head);
  }

  /** Ends in the middle of a response: closing is the only way left to say so. */
  #breakOff(): void {
    if (this.#isOver) return;
    const isUntilClose = this.#upstream?.body.framing === 'untilClose' || this.head.isHttp10;
    this.#end(false);
    this.#client.cutOff(isUntilClose);
  }

  #letGo(isReusable: boolean): void {
    const upstream = this.#upstream;
    const target = this.#target;
    this.#upstream = null;
    this.#target = null;
    upstream?.release(isReusable);
    if (target) this.#context.routes.end(target, this);
  }

  #end(isAnswered: boolean, isReusable = false, code?: EdgeErrorCode): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { counters } = this.#route;
    counters.inFlight--;
    counters.bytesIn += this.#client.body.payloadBytes;
    counters.bytesOut += this.#tunnel?.bytesOut ?? this.#upstream?.body.payloadBytes ?? 0;
    const latencyMs = this.#context.clock.monotonicNow() - this.#startMs;
    if (code !== undefined) counters.answered(statusOf(code), latencyMs);
    else if ((isAnswered || this.#tunnel) && this.#response)
      counters.answered(this.#response.status, latencyMs);
    else counters.aborted++;
    this.#letGo(isReusable);
  }
}
