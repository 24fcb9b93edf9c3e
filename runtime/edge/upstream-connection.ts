import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { EdgeContext } from './edge-context.ts';
import type { UpstreamTarget } from './routing-table.ts';
import type { IdleUpstream } from './target-state.ts';
import type { AskedFor, ResponseHead } from './wire/response-head.ts';
import { isRefusal } from './errors.ts';
import { BodyReader } from './wire/body-reader.ts';
import { HeadParser } from './wire/head-parser.ts';
import { readResponseHead } from './wire/response-head.ts';
import { isIdentityFault, secureSocketTo } from './upstream-tls.ts';

/** Whoever's request is on the connection. Calls come in the order of the methods. */
export interface UpstreamUser {
  readonly asked: AskedFor;
  upstreamConnected(): void;
  upstreamDrained(): void;
  /** A 1xx head but 101. */
  interim(head: ResponseHead): void;
  /** The final head; the user begins `body` with the framing that it wants. */
  responded(head: ResponseHead): void;
  /** Parts of the body are in the batch. `false` stops reading until `resume`. */
  bodyRead(): boolean;
  /** The response ended, and the connection with it unless `isClean`. */
  responseEnded(isClean: boolean): void;
  /** The instance broke the protocol. */
  responseMalformed(found: string): void;
  /** After a 101: bytes of the other protocol. `false` stops reading until `resume`. */
  switchedBytes(bytes: Buffer, start: number, end: number): boolean;
  /** The connection is gone, and the response had not ended. */
  upstreamClosed(): void;
}

/** An instance closes idle connections when it likes; it is trusted up to this before its word. */
const IDLE_MARGIN_MS = 1_000;

/** One connection to an instance: it reads responses, one after another, and does nothing else. */
export class UpstreamConnection implements IdleUpstream {
  readonly socket: Socket;
  readonly body = new BodyReader();
  isConnected = false;
  /** Whether it has carried a response before: then it may have been closed meanwhile. */
  isUsed = false;
  /** Whether any byte came back for the request at hand. */
  hasResponseBytes = false;
  idleUntilMs = 0;
  idleSinceMs = 0;
  /** One of its ends could not prove itself to the other. */
  isUnproved = false;
  readonly #context: EdgeContext;
  readonly #target: UpstreamTarget;
  readonly #head: HeadParser;
  #user: UpstreamUser | null = null;
  #reading: 'head' | 'body' | 'switched' = 'head';
  #idleTimeoutMs: number;
  /** Kept until the other end has proved itself: TLS would send it before. */
  #unsent: string | Buffer | null = null;
  readonly #isSecure: boolean;

  constructor(context: EdgeContext, target: UpstreamTarget) {
    this.#context = context;
    this.#target = target;
    this.#head = new HeadParser('response', context.limits);
    this.#idleTimeoutMs = context.limits.upstreamIdleTimeoutMs;
    const { host, port, tls } = target.target;
    this.#isSecure = tls !== undefined;
    const callback = (bytes: number): boolean => this.#read(bytes);
    const onread = { buffer: context.readBuffer, callback };
    this.socket = this.#isSecure
      ? secureSocketTo(context.tls, target.target, onread)
      : connect({ host, port, noDelay: true, onread });
    this.socket
      .on(this.#isSecure ? 'secureConnect' : 'connect', () => this.#connected())
      .on('drain', () => this.#user?.upstreamDrained())
      .on('end', () => this.#ended())
      // What else went wrong does not matter: `close` always follows and says that it is over.
      .on('error', (error) => {
        this.isUnproved = this.#isSecure && isIdentityFault(this.socket, error);
      })
      .on('close', () => this.#closed());
  }

  /** Puts a request on the connection. */
  begin(user: UpstreamUser, request: string | Buffer): void {
    this.#user = user;
    this.#reading = 'head';
    this.hasResponseBytes = false;
    if (this.#isSecure && !this.isConnected) this.#unsent = request;
    else this.#send(request);
  }

  #send(request: string | Buffer): void {
    if (typeof request === 'string') this.socket.write(request, 'latin1');
    else this.socket.write(request);
  }

  #connected(): void {
    this.isConnected = true;
    if (this.#unsent !== null) this.#send(this.#unsent);
    this.#unsent = null;
    this.#user?.upstreamConnected();
  }

  /** Lets go of it: into the target's stack if it may be used again, else closed. */
  release(isReusable: boolean): void {
    this.#user = null;
    const { idle, keepsIdle } = this.#target;
    const { idleUpstreamsMax } = this.#context.limits;
    const isCurrent = !this.#isSecure || this.#context.tls?.mayKeep(this.socket) === true;
    if (
      !isReusable ||
      !isCurrent ||
      !keepsIdle ||
      idle.length >= idleUpstreamsMax ||
      this.socket.destroyed
    ) {
      this.socket.destroy();
      return;
    }
    this.isUsed = true;
    this.idleSinceMs = this.#context.nowMs;
    this.idleUntilMs = this.#context.nowMs + this.#idleTimeoutMs;
    idle.push(this);
  }

  close(): void {
    this.socket.destroy();
  }

  resume(): void {
    this.socket.resume();
  }

  #read(end: number): boolean {
    const bytes = this.#context.readBuffer;
    // Bytes that no request asked for: the next response could be taken for another's.
    if (this.#user === null) {
      this.socket.destroy();
      return false;
    }
    this.hasResponseBytes = true;
    let at = 0;
    while (this.#reading === 'head') {
      at = this.#readHead(this.#user, bytes, at, end);
      if (at === -1) return !this.socket.destroyed;
    }
    return this.#reading === 'switched'
      ? this.#user.switchedBytes(bytes, at, end)
      : this.#readBody(this.#user, bytes, at, end);
  }

  /** The offset behind one whole head, or -1 if there is none to go on from. */
  #readHead(user: UpstreamUser, bytes: Buffer, start: number, end: number): number {
    const parser = this.#head;
    const at = parser.push(bytes, start, end);
    if (parser.refused !== null) {
      user.responseMalformed(parser.refused.found);
      return -1;
    }
    if (parser.text === null) return -1;
    const head = readResponseHead(parser.text, parser.marks, user.asked);
    parser.reset();
    if (isRefusal(head)) {
      user.responseMalformed(head.found);
      return -1;
    }
    if (head.status < 200 && head.status !== 101) {
      user.interim(head);
      return this.#user === null ? -1 : at;
    }
    if (head.idleTimeoutMs !== undefined)
      this.#idleTimeoutMs = Math.min(
        this.#context.limits.upstreamIdleTimeoutMs,
        Math.max(0, head.idleTimeoutMs - IDLE_MARGIN_MS),
      );
    this.#reading = head.status === 101 ? 'switched' : 'body';
    user.responded(head);
    return this.#user === null ? -1 : at;
  }

  #readBody(user: UpstreamUser, bytes: Buffer, start: number, end: number): boolean {
    const { body } = this;
    const at = body.feed(bytes, start, end, this.#context.batch);
    if (body.failed !== null) {
      this.#context.batch.clear();
      user.responseMalformed(body.failed);
      return false;
    }
    const wantsMore = user.bodyRead();
    if (!body.done) return wantsMore;
    user.responseEnded(at === end);
    return true;
  }

  #ended(): void {
    if (this.#user && this.#reading === 'body' && this.body.framing === 'untilClose')
      this.#user.responseEnded(false);
    this.socket.destroy();
  }

  #closed(): void {
    const { idle } = this.#target;
    const at = idle.indexOf(this);
    if (at !== -1) idle.splice(at, 1);
    const user = this.#user;
    this.#user = null;
    user?.upstreamClosed();
  }
}

/** The connection used last, if it is young enough; those that are too old are closed. */
export function takeIdle(
  target: UpstreamTarget,
  nowMs: number,
  idleMsMax: number,
): UpstreamConnection | undefined {
  for (let last = target.idle.at(-1); last; last = target.idle.at(-1)) {
    if (last.idleUntilMs > nowMs && !last.socket.destroyed) {
      if (nowMs - last.idleSinceMs > idleMsMax) return undefined;
      target.idle.pop();
      return last;
    }
    target.idle.pop();
    last.close();
  }
  return undefined;
}
