import type { Refusal } from '../errors.ts';
import { refusal } from '../errors.ts';
import type { Framing } from './body-reader.ts';
import type { ConnectionOptions } from './fields.ts';
import {
  NO_OPTIONS,
  RESPONSE_ROLES,
  connectionOptions,
  contentLengthOf,
  isCanonical,
  keepAliveTimeoutMs,
  roleOf,
  valueOf,
  withoutNominated,
} from './fields.ts';

/** A response that is safe to pass on. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly framing: Framing;
  /** -1 without a Content-Length; may be set without a body, for HEAD and 304. */
  readonly contentLength: number;
  /** Whether the instance's connection may be used again after the body's end. */
  readonly reusable: boolean;
  /** How long the instance keeps idle connections, if it says so. */
  readonly idleTimeoutMs: number | undefined;
  readonly hasDate: boolean;
  /** End-to-end field lines as they are passed on, each with its line end. */
  readonly lines: string;
}

/** What the request says about the response's framing. */
export interface AskedFor {
  readonly method: string;
  readonly upgrade: boolean;
}

class ResponseFields {
  options: ConnectionOptions = NO_OPTIONS;
  contentLength = -1;
  isChunked = false;
  isWebSocket = false;
  hasDate = false;
  idleTimeoutMs: number | undefined;
  lines = '';
  /** What is wrong, if anything. */
  bad: string | null = null;

  #run = -1;

  read(text: string, marks: readonly number[]): void {
    let lineEnd = 0;
    for (let at = 1; at < marks.length && this.bad === null; at += 3) {
      const start = marks[at] as number;
      const colon = marks[at + 1] as number;
      lineEnd = marks[at + 2] as number;
      const role = roleOf(RESPONSE_ROLES, text, start, colon);
      if (role === 'date') this.hasDate = true;
      const passes = role === undefined || role === 'date';
      if (passes && isCanonical(text, colon, lineEnd)) {
        if (this.#run === -1) this.#run = start;
        continue;
      }
      this.#endRun(text, start);
      const value = valueOf(text, colon, lineEnd);
      if (passes) this.lines += `${text.slice(start, colon)}: ${value}\r\n`;
      else this.#take(role, value);
    }
    this.#endRun(text, lineEnd + 2);
    if (this.options.nominated.length > 0)
      this.lines = withoutNominated(this.lines, this.options.nominated);
  }

  #endRun(text: string, end: number): void {
    if (this.#run === -1) return;
    this.lines += text.slice(this.#run, end);
    this.#run = -1;
  }

  #take(role: string, value: string): void {
    if (role === 'connection') this.options = connectionOptions(value, this.options);
    else if (role === 'contentLength') {
      const length = contentLengthOf(value);
      if (length === undefined || this.contentLength !== -1)
        this.bad = 'a Content-Length that is not one plain number';
      else this.contentLength = length;
    } else if (role === 'transferEncoding') {
      if (this.isChunked || value.toLowerCase() !== 'chunked')
        this.bad = 'a Transfer-Encoding other than one `chunked`';
      else this.isChunked = true;
    } else if (role === 'upgrade') this.isWebSocket = value.toLowerCase() === 'websocket';
    else if (role === 'keepAlive') this.idleTimeoutMs = keepAliveTimeoutMs(value);
  }

  /** Rules that need the whole head (RFC 9110 §15.2.2, RFC 9112 §6.1, §6.3). */
  check(status: number, isHttp10: boolean, asked: AskedFor): string | null {
    if (this.bad !== null) return this.bad;
    const isEmpty = status < 200 || status === 204;
    if (this.isChunked && this.contentLength !== -1) return 'Content-Length with Transfer-Encoding';
    if (this.isChunked && isHttp10) return 'Transfer-Encoding in HTTP/1.0';
    if (isEmpty && (this.isChunked || this.contentLength > 0))
      return `a body announced in a ${status} response`;
    if (status === 101 && !(asked.upgrade && this.options.upgrade && this.isWebSocket))
      return 'a switch of protocols that nobody asked for';
    return null;
  }

  framing(status: number, method: string): Framing {
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none';
    if (this.isChunked) return 'chunked';
    return this.contentLength === -1 ? 'untilClose' : 'length';
  }
}

const ZERO = 0x30;
/** `HTTP/1.1 200` without the reason. */
const STATUS_CODE_END = 12;

/** Reads a head that fits the grammar; refuses what two recipients could read differently. */
export function readResponseHead(
  text: string,
  marks: readonly number[],
  asked: AskedFor,
): ResponseHead | Refusal {
  const status = Number(text.slice(9, STATUS_CODE_END));
  const isHttp10 = text.charCodeAt(7) === ZERO;
  const fields = new ResponseFields();
  fields.read(text, marks);
  const bad = fields.check(status, isHttp10, asked);
  if (bad !== null) return refusal('MESH_ERR_EDGE_RESPONSE_MALFORMED', bad);
  const framing = fields.framing(status, asked.method);
  const { options } = fields;
  return {
    status,
    reason: text.slice(STATUS_CODE_END + 1, marks[0]),
    framing,
    contentLength: fields.contentLength,
    reusable:
      framing !== 'untilClose' &&
      !options.close &&
      (!isHttp10 || options.keepAlive) &&
      status !== 101,
    idleTimeoutMs: fields.idleTimeoutMs,
    hasDate: fields.hasDate,
    lines: fields.lines,
  };
}

/** What the edge adds to a response. */
export interface ResponseAdditions {
  readonly isHttp10Client: boolean;
  /** The connection to the client goes on after this response. */
  readonly keepAlive: boolean;
  /** `X-Mycelium-Edge` and `Via` lines. */
  readonly stamp: string;
  /** A `Date` line for a response without one (RFC 9110 §6.6.1). */
  readonly date: string;
}

function framingLines(head: ResponseHead, isHttp10Client: boolean): string {
  if (head.framing === 'chunked') return isHttp10Client ? '' : 'Transfer-Encoding: chunked\r\n';
  const isEmpty = head.status < 200 || head.status === 204;
  return head.contentLength === -1 || isEmpty ? '' : `Content-Length: ${head.contentLength}\r\n`;
}

function connectionLines(head: ResponseHead, additions: ResponseAdditions): string {
  if (head.status === 101) return 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  if (!additions.keepAlive) return 'Connection: close\r\n';
  return additions.isHttp10Client ? 'Connection: keep-alive\r\n' : '';
}

/** The final head that the client gets. */
export function writeResponseHead(head: ResponseHead, additions: ResponseAdditions): string {
  return (
    `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.lines}` +
    framingLines(head, additions.isHttp10Client) +
    connectionLines(head, additions) +
    `${head.hasDate ? '' : additions.date}${additions.stamp}\r\n`
  );
}

/** An interim head (1xx but 101); its fields pass, the edge adds nothing. */
export const writeInterimHead = (head: ResponseHead): string =>
  `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.lines}\r\n`;
