/** The open pages: each is told what changes, and may watch one actor. */
import type { RawData, WebSocket } from 'ws';
import type { Delta } from '../recorder/recorder.ts';
import type { ViewName } from '../ui/views.types.ts';
import type { ServerMessage } from '../ui/wire.types.ts';
import { clientMessage } from './client-message.schema.ts';
import type { ToMain } from './link.types.ts';
import type { Rows } from './rows.ts';
import { refuseFrame, write } from './write.ts';

export interface ViewersOptions {
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
  readonly #options: ViewersOptions;
  readonly #viewers = new Map<number, Viewer>();
  #next = 1;

  constructor(options: ViewersOptions) {
    this.#options = options;
  }

  /** A page that may look. */
  join(socket: WebSocket): void {
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

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer.id);
    if (viewer.watched !== null) this.#tellWatched();
    if (viewer.followed !== null) this.#tellFollowed();
    if (this.#viewers.size === 0) this.#options.tell({ type: 'looking', isOn: false });
  }

  #hear(viewer: Viewer, data: RawData): void {
    const message = clientMessage(data);
    if (message === undefined) {
      refuseFrame(viewer.socket, 'MESH_ERR_INSPECT_MESSAGE', 'This is no message of the page.');
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
      refuseFrame(
        viewer.socket,
        'MESH_ERR_INSPECT_MESSAGE',
        'Only a recording has moments to go to.',
      );
    } else {
      if (!this.#options.canSend) {
        refuseFrame(
          viewer.socket,
          'MESH_ERR_INSPECT_READ_ONLY',
          'Start it with --allow-send to send.',
        );
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

  #write({ socket }: Viewer, text: string): void {
    write(socket, text);
  }
}
