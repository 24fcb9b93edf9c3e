/**
 * Who may look: a request must name this server as its host (a page of another name that resolves
 * to the loopback does not), and bring the cookie that the one-time token was changed for.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';

const COOKIE = 'mesh-inspect';

export class Gate {
  #token: string | undefined;
  readonly #cookie: string;
  readonly #session = randomBytes(32).toString('base64url');

  /** Browsers keep one cookie of a name for all ports of a host, so each kind of server has its own. */
  constructor(token: string, cookie: string = COOKIE) {
    this.#token = token;
    this.#cookie = cookie;
  }

  /** A further one-time token; the one before it, if nobody used it, is worth nothing any more. */
  invite(token: string): void {
    this.#token = token;
  }

  /** The cookie for the first who brings the token; nobody gets it twice. */
  redeem(token: string): string | undefined {
    if (this.#token === undefined || !isSame(token, this.#token)) return undefined;
    this.#token = undefined;
    return `${this.#cookie}=${this.#session}; HttpOnly; SameSite=Strict; Path=/`;
  }

  isKnown(cookies: string | undefined): boolean {
    return (cookies ?? '')
      .split(';')
      .map((one) => one.trim())
      .some(
        (one) =>
          one.startsWith(`${this.#cookie}=`) &&
          isSame(one.slice(this.#cookie.length + 1), this.#session),
      );
  }
}

/** `127.0.0.1:PORT`, `localhost:PORT` or `[::1]:PORT`. */
export function isOwnHost(host: string | undefined, port: number): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${port}`);
}

/** A browser always says where a WebSocket comes from; what says nothing is no browser. */
export function isOwnOrigin(origin: string | undefined, port: number): boolean {
  return origin === undefined || isOwnHost(origin.replace(/^http:\/\//, ''), port);
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
