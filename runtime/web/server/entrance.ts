/** Where WebSockets come in: the same conditions for all, then each to the room of its path. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { isOwnHost, isOwnOrigin } from './gate.ts';
import type { Gate } from './gate.ts';

/** Sockets at once; each page costs a copy of every delta. */
const SOCKETS_MAX = 16;
/** A message of a page is a click. */
const FRAME_BYTES_MAX = 65_536;

/** What is behind a path. */
export interface Room {
  /** Whether the address itself lets in who has no cookie. Default: it does not. */
  readonly lets?: (url: URL) => boolean;
  /** Undefined where there is nothing for that address. */
  readonly find: (url: URL) => ((socket: WebSocket) => void) | undefined;
}

export class Entrance {
  /** Of the server, once it listens. */
  port = 0;
  readonly #gate: Gate;
  readonly #rooms: Readonly<Record<string, Room>>;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX });

  constructor(gate: Gate, rooms: Readonly<Record<string, Room>>) {
    this.#gate = gate;
    this.#rooms = rooms;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const found = this.#find(request);
    if (typeof found !== 'string') {
      this.#server.handleUpgrade(request, socket, head, found);
      return;
    }
    socket.end(`HTTP/1.1 ${found}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  /** Whoever takes the socket, or the status of the refusal. */
  #find({ headers, url: target = '/' }: IncomingMessage): ((socket: WebSocket) => void) | string {
    if (!isOwnHost(headers.host, this.port) || !isOwnOrigin(headers.origin, this.port))
      return '403 Forbidden';
    const url = new URL(target, 'http://inspector');
    const room = this.#rooms[url.pathname];
    if (!this.#gate.isKnown(headers.cookie) && room?.lets?.(url) !== true)
      return '401 Unauthorized';
    if (this.#server.clients.size >= SOCKETS_MAX) return '503 Service Unavailable';
    return room?.find(url) ?? '404 Not Found';
  }
}
