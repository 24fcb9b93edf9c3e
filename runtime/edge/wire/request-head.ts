import { METHODS } from 'node:http';
import type { Refusal } from '../errors.ts';
import { refusal } from '../errors.ts';
import type { ConnectionOptions } from './fields.ts';
import type { Framing } from './body-reader.ts';
import {
  NO_OPTIONS,
  REQUEST_ROLES,
  connectionOptions,
  contentLengthOf,
  isCanonical,
  isHost,
  roleOf,
  valueOf,
  withoutNominated,
} from './fields.ts';

/** A request that is safe to forward: its framing is certain and its fields are separated. */
export interface RequestHead {
  readonly method: string;
  /** The first path segment, as it came. */
  readonly app: string;
  /** What the instance is asked for: the target without its first segment. */
  readonly target: string;
  readonly isHttp10: boolean;
  /** `null` only in HTTP/1.0. */
  readonly host: string | null;
  readonly framing: Framing;
  /** Of the framing `length`. */
  readonly contentLength: number;
  /** Whether the client wants to go on with this connection (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
  /** Whether it asks for the WebSocket protocol; no other upgrade is forwarded. */
  readonly upgrade: boolean;
  /** End-to-end field lines as they are forwarded, each with its line end. */
  readonly lines: string;
}

/** CONNECT makes tunnels to anywhere; this is no forward proxy. */
const FORWARDED_METHODS = new Set(METHODS.filter((method) => method !== 'CONNECT'));
/** RFC 9110 §9.2.2. */
const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export const isIdempotent = (method: string): boolean => IDEMPOTENT_METHODS.has(method);

const SLASH = 0x2f;
const QUESTION = 0x3f;
const ZERO = 0x30;

/** Where the first segment of an origin-form target ends. */
function segmentEnd(text: string, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === SLASH || code === QUESTION) return at;
  }
  return end;
}

/** What the fields of one head say, while they are read. */
class RequestFields {
  options: ConnectionOptions = NO_OPTIONS;
  host: string | null = null;
  contentLength = -1;
  isChunked = false;
  isWebSocket = false;
  lines = '';
  refused: Refusal | null = null;

  /** Start of a run of lines that pass as they are, -1 if there is none. */
  #run = -1;

  read(text: string, marks: readonly number[]): void {
    let lineEnd = 0;
    for (let at = 3; at < marks.length && this.refused === null; at += 3) {
      const start = marks[at] as number;
      const colon = marks[at + 1] as number;
      lineEnd = marks[at + 2] as number;
      const role = roleOf(REQUEST_ROLES, text, start, colon);
      if (role === undefined && isCanonical(text, colon, lineEnd)) {
        if (this.#run === -1) this.#run = start;
        continue;
      }
      this.#endRun(text, start);
      const value = valueOf(text, colon, lineEnd);
      if (role === undefined) this.lines += `${text.slice(start, colon)}: ${value}\r\n`;
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
    if (role === 'host') {
      if (this.host !== null) this.refused = refusal('MESH_ERR_EDGE_HOST_INVALID', 'several Hosts');
      else if (!isHost(value)) this.refused = refusal('MESH_ERR_EDGE_HOST_INVALID', 'a bad Host');
      else this.host = value;
    } else if (role === 'connection') this.options = connectionOptions(value, this.options);
    else if (role === 'contentLength') this.#takeContentLength(value);
    else if (role === 'transferEncoding') this.#takeTransferEncoding(value);
    else if (role === 'upgrade') this.isWebSocket = value.toLowerCase() === 'websocket';
    else if (role === 'expect') this.lines += `Expect: ${value}\r\n`;
  }

  #takeContentLength(value: string): void {
    const length = contentLengthOf(value);
    if (length === undefined || this.contentLength !== -1)
      this.#ambiguous('a Content-Length that is not one plain number');
    else this.contentLength = length;
  }

  #takeTransferEncoding(value: string): void {
    if (this.isChunked || value.toLowerCase() !== 'chunked')
      this.#ambiguous('a Transfer-Encoding other than one `chunked`');
    else this.isChunked = true;
  }

  #ambiguous(found: string): void {
    this.refused = refusal('MESH_ERR_EDGE_FRAMING_AMBIGUOUS', found);
  }

  /** Rules that need the whole head (RFC 9112 §3.2, §6.1, §6.3). */
  check(isHttp10: boolean): Refusal | null {
    if (this.refused !== null) return this.refused;
    if (this.host === null && !isHttp10)
      return refusal('MESH_ERR_EDGE_HOST_INVALID', 'no Host in an HTTP/1.1 request');
    if (this.isChunked && this.contentLength !== -1)
      return refusal('MESH_ERR_EDGE_FRAMING_AMBIGUOUS', 'Content-Length with Transfer-Encoding');
    if (this.isChunked && isHttp10)
      return refusal('MESH_ERR_EDGE_FRAMING_AMBIGUOUS', 'Transfer-Encoding in HTTP/1.0');
    return null;
  }
}

/** Reads a head that fits the grammar; refuses what two recipients could read differently. */
export function readRequestHead(text: string, marks: readonly number[]): RequestHead | Refusal {
  const methodEnd = marks[1] as number;
  const targetEnd = marks[2] as number;
  const method = text.slice(marks[0], methodEnd);
  const isHttp10 = text.charCodeAt(targetEnd + 8) === ZERO;
  if (method !== 'CONNECT' && !FORWARDED_METHODS.has(method))
    return refusal('MESH_ERR_EDGE_METHOD_UNKNOWN', 'a method that is not registered');
  if (method === 'CONNECT' || text.charCodeAt(methodEnd + 1) !== SLASH)
    return refusal('MESH_ERR_EDGE_TARGET_FORM', 'a request target that is no path');
  const fields = new RequestFields();
  fields.read(text, marks);
  const refused = fields.check(isHttp10);
  if (refused !== null) return refused;
  const { options, contentLength, isChunked } = fields;
  const appEnd = segmentEnd(text, methodEnd + 2, targetEnd);
  const rest = text.slice(appEnd, targetEnd);
  const hasBody = isChunked || contentLength > 0;
  return {
    method,
    app: text.slice(methodEnd + 2, appEnd),
    target: rest.charCodeAt(0) === SLASH ? rest : `/${rest}`,
    isHttp10,
    host: fields.host,
    framing: isChunked ? 'chunked' : contentLength === -1 ? 'none' : 'length',
    contentLength,
    keepAlive: isHttp10 ? options.keepAlive && !options.close : !options.close,
    // An upgrade with a body would put the body between two protocols.
    upgrade: fields.isWebSocket && options.upgrade && method === 'GET' && !isHttp10 && !hasBody,
    lines: isHttp10 ? fields.lines.replace(/^Expect: .*\r\n/m, '') : fields.lines,
  };
}

/** Who forwards the request, and for whom. */
export interface ForwardedBy {
  /** Address of the client's socket. */
  readonly clientAddress: string;
  /** For a request without Host. */
  readonly targetAuthority: string;
}

/** The head that the instance gets: HTTP/1.1, one Host, exact framing, hop-by-hop fields renewed. */
export function writeRequestHead(head: RequestHead, by: ForwardedBy): string {
  const framing =
    head.framing === 'chunked'
      ? 'Transfer-Encoding: chunked\r\n'
      : head.framing === 'length'
        ? `Content-Length: ${head.contentLength}\r\n`
        : '';
  const upgrade = head.upgrade ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : '';
  const forwardedHost = head.host === null ? '' : `X-Forwarded-Host: ${head.host}\r\n`;
  return (
    `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.host ?? by.targetAuthority}\r\n` +
    `${head.lines}${framing}${upgrade}Via: ${head.isHttp10 ? '1.0' : '1.1'} mycelium\r\n` +
    `X-Forwarded-For: ${by.clientAddress}\r\nX-Forwarded-Proto: http\r\n${forwardedHost}\r\n`
  );
}
