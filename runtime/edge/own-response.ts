import { STATUS_CODES } from 'node:http';
import type { EdgeErrorCode } from './errors.ts';
import type { Stamp } from './stamp.ts';
import { EDGE_ERRORS } from './errors.ts';

/** Seconds after which a client may try again what failed for want of an instance. */
const RETRY_AFTER_S = 1;

export interface OwnResponse {
  readonly code: EdgeErrorCode;
  readonly message: string;
  readonly keepAlive: boolean;
  /** A response to HEAD has the fields of the body but not the body. */
  readonly isHead: boolean;
  readonly isHttp10: boolean;
}

export const statusOf = (code: EdgeErrorCode): number => EDGE_ERRORS[code].status;

/** The edge's own answer: `{"error":{"code","message"}}` with the status of its code. */
export function writeOwnResponse(response: OwnResponse, stamp: Stamp): string {
  const { code, message } = response;
  const status = statusOf(code);
  const body = JSON.stringify({ error: { code, message } });
  const connection = response.keepAlive
    ? response.isHttp10
      ? 'Connection: keep-alive\r\n'
      : ''
    : 'Connection: close\r\n';
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n` +
    'Content-Type: application/json; charset=utf-8\r\n' +
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\nCache-Control: no-store\r\n` +
    (status === 503 ? `Retry-After: ${RETRY_AFTER_S}\r\n` : '') +
    `${connection}${stamp.dateLine()}${stamp.lines()}\r\n${response.isHead ? '' : body}`
  );
}
