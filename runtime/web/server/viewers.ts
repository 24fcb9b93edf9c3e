/** The open pages: each is told what changes, and may watch one actor. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import type { Delta } from '../recorder/recorder.ts';
import type { ViewName } from '../ui/views.types.ts';
import type { ServerMessage } from '../ui/wire.types.ts';
import { clientMessage } from './client-message.schema.ts';
import type { Gate } from './gate.ts';
import { isOwnHost, isOwnOrigin } from './gate.ts';
import type { ToMain } from './link.types.ts';
import type { Rows } from './rows.ts';

/** Pages at once; each costs a copy of every delta. */
const VIEWERS_MAX = 16;
/** A message of a page is a click. */
const FRAME_BYTES_MAX = 65_536;
/** A page that reads nothing is cut off before it costs memory; it resumes by its cursor. */
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;

export interface ViewersOptions {
  readonly gate: Gate;
  readonly title: string;
  readonly canSend: boolean;
  readonly rows: Rows;
  readonly tell: (message: ToMain) => void;
}

interface Viewer {
  readonly id: number;
  readonly socket: WebSocket;
  /** It was told everything; deltas follow. */
  isCurrent: boolean;
  cursor: number | undefined;
  watched: string | null;
  followed: ViewName | null;
}

export class Viewers {
  /** Of the server, once it listens. */
  port = 0;
  readonly #options: ViewersOptions;
  readonly #viewers = new Map<number, Viewer>();
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX });
  #next = 1;

  constructor(options: ViewersOptions) {
    this.#options = options;
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const status = this.#refusal(request);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (open) => this.#join(open));
  }

  tellRows(delta: Delta, isAll: boolean): void {
    const text = isAll ? undefined : JSON.stringify({ type: 'delta', ...delta });
    for (const viewer of this.#viewers.values())
      if (isAll || !viewer.isCurrent) this.#catchUp(viewer);
      else this.#write(viewer, text ?? '');
  }

  tellWatchers(path: string, message: ServerMessage): void {
    const text = JSON.stringify(message);
    for (const viewer of this.#viewers.values())
      if (viewer.watched === path) this.#write(viewer, text);
  }

  tellFollowers(view: ViewName, message: ServerMessage): void {
    const text = JSON.stringify(message);
    for (const viewer of this.#viewers.values())
      if (viewer.followed === view) this.#write(viewer, text);
  }

  tellOne(id: number, message: ServerMessage): void {
    const viewer = this.#viewers.get(id);
    if (viewer) this.#write(viewer, JSON.stringify(message));
  }

  #refusal({ headers, url }: IncomingMessage): string | undefined {
    if (!isOwnHost(headers.host, this.port) || !isOwnOrigin(headers.origin, this.port))
      return '403 Forbidden';
    if (!this.#options.gate.isKnown(headers.cookie)) return '401 Unauthorized';
    if (url !== '/live') return '404 Not Found';
    return this.#viewers.size >= VIEWERS_MAX ? '503 Service Unavailable' : undefined;
  }

  #join(socket: WebSocket): void {
    const viewer: Viewer = {
      id: this.#next++,
      socket,
      isCurrent: false,
      cursor: undefined,
      watched: null,
      followed: null,
    };
    this.#viewers.set(viewer.id, viewer);
    socket.on('message', (data) => this.#hear(viewer, data));
    // The close that follows does what is to be done.
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#leave(viewer));
    if (this.#viewers.size === 1) this.#options.tell({ type: 'looking', isOn: true });
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer.id);
    if (viewer.watched !== null) this.#tellWatched();
    if (viewer.followed !== null) this.#tellFollowed();
    if (this.#viewers.size === 0) this.#options.tell({ type: 'looking', isOn: false });
  }

  #hear(viewer: Viewer, data: RawData): void {
    const message = clientMessage(data);
    if (message === undefined) {
      this.#refuse(viewer, 'MESH_ERR_INSPECT_MESSAGE', 'This is no message of the page.');
      return;
    }
    if (message.type === 'resume') {
      viewer.cursor = message.cursor;
      this.#catchUp(viewer);
    } else if (message.type === 'watch') {
      viewer.watched = message.path;
      this.#tellWatched();
    } else if (message.type === 'follow') {
      viewer.followed = message.view;
      this.#tellFollowed();
    } else if (message.type === 'at') {
      this.#refuse(viewer, 'MESH_ERR_INSPECT_MESSAGE', 'Only a recording has moments to go to.');
    } else {
      if (!this.#options.canSend) {
        this.#refuse(viewer, 'MESH_ERR_INSPECT_READ_ONLY', 'Start it with --allow-send to send.');
        return;
      }
      const { path, event } = message;
      this.#options.tell({ type: 'send', viewer: viewer.id, path, event });
    }
  }

  #tellWatched(): void {
    const watched = [...this.#viewers.values()].map((viewer) => viewer.watched);
    const paths = [...new Set(watched)].filter((path) => path !== null);
    this.#options.tell({ type: 'watching', paths });
  }

  #tellFollowed(): void {
    const followed = [...this.#viewers.values()].map((viewer) => viewer.followed);
    const views = [...new Set(followed)].filter((view) => view !== null);
    this.#options.tell({ type: 'following', views });
  }

  /** What it missed, or everything. Waits for the first rows after a time when nobody looked. */
  #catchUp(viewer: Viewer): void {
    const { rows, title, canSend } = this.#options;
    if (viewer.cursor === undefined || rows.cursor === 0) return;
    const missed = viewer.isCurrent || viewer.cursor === 0 ? undefined : rows.since(viewer.cursor);
    viewer.isCurrent = true;
    if (missed === undefined) {
      const all = { cursor: rows.cursor, actors: rows.actors(), log: rows.log() };
      this.#write(viewer, JSON.stringify({ type: 'all', title, canSend, ...all }));
    } else
      for (const delta of missed) this.#write(viewer, JSON.stringify({ type: 'delta', ...delta }));
  }

  #refuse(viewer: Viewer, code: string, message: string): void {
    this.#write(viewer, JSON.stringify({ type: 'refused', code, message }));
  }

  #write({ socket }: Viewer, text: string): void {
    if (socket.bufferedAmount > BUFFERED_BYTES_MAX) socket.terminate();
    else socket.send(text);
  }
}
