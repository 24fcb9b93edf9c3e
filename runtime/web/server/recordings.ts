/** Recordings that somebody opened, and the pages that look at one. */
import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import { RECORDING_BYTES_MAX } from '../recording/bounds.ts';
import { readRecording } from '../recording/read-recording.ts';
import type { Moment } from '../recording/moment.ts';
import { Replay } from '../recording/replay.ts';
import type { OpenedRecording } from '../ui/views.types.ts';
import type { ServerMessage } from '../ui/wire.types.ts';
import { clientMessage } from './client-message.schema.ts';
import { refuseFrame, write } from './write.ts';

/** Recordings that are kept; each may take some hundred megabytes. */
const KEPT_MAX = 2;

export class Recordings {
  readonly #kept = new Map<string, Replay>();
  #standing: Replay | undefined;

  /** The one that is shown where none is named: what the server was started for. */
  stand(text: string): void {
    this.#standing = new Replay(readRecording(text));
  }

  get isStanding(): boolean {
    return this.#standing !== undefined;
  }

  /** Keeps it under an id of its own; the oldest gives way. Throws as `readRecording`. */
  open(text: string): OpenedRecording {
    const replay = new Replay(readRecording(text));
    const id = randomUUID();
    this.#kept.set(id, replay);
    for (const oldest of this.#kept.keys())
      if (this.#kept.size > KEPT_MAX) this.#kept.delete(oldest);
    return { id, recording: replay.info };
  }

  /** That of an id, or where there is none the standing one. */
  get(id: string | null | undefined): Replay | undefined {
    return id === null || id === undefined ? this.#standing : this.#kept.get(id);
  }
}

/** One page that looks at a recording. */
export class ReplayViewer {
  readonly #replay: Replay;
  readonly #socket: WebSocket;
  readonly #moment: Moment;
  #cursor = 0;
  #watched: string | null = null;

  constructor(replay: Replay, socket: WebSocket) {
    this.#replay = replay;
    this.#socket = socket;
    this.#moment = replay.moment();
    socket.on('message', (data) => this.#hear(data));
    // The close that follows does what is to be done.
    socket.on('error', () => socket.terminate());
  }

  #hear(data: RawData): void {
    const message = clientMessage(data);
    if (message === undefined) {
      refuseFrame(this.#socket, 'MESH_ERR_INSPECT_MESSAGE', 'This is no message of the page.');
      return;
    }
    switch (message.type) {
      case 'resume':
        this.#tellAll();
        return;
      case 'watch':
        this.#watched = message.path;
        this.#tellDetails();
        return;
      case 'at':
        this.#goTo(message.seq);
        return;
      case 'follow':
        if (message.view !== null) void this.#tellView(message.view);
        return;
      case 'send':
        refuseFrame(
          this.#socket,
          'MESH_ERR_INSPECT_READ_ONLY',
          'A recording can be looked at, and not changed.',
        );
    }
  }

  /** All of it, whatever the page had: it may have been another one. */
  #tellAll(): void {
    this.#moment.goTo(null);
    this.#say({
      type: 'all',
      title: this.#replay.info.title,
      canSend: false,
      cursor: ++this.#cursor,
      actors: this.#moment.rows(),
      log: this.#replay.log,
      recording: this.#replay.info,
    });
  }

  #goTo(seq: number | null): void {
    const { actors, gone } = this.#moment.goTo(seq);
    const at = this.#moment.seq;
    this.#say({ type: 'delta', cursor: ++this.#cursor, actors, gone, log: [], at });
    this.#tellDetails();
  }

  #tellDetails(): void {
    const path = this.#watched;
    if (path === null) return;
    const details = this.#replay.detailsAt(this.#moment, path);
    this.#say(details ? { type: 'details', details } : { type: 'absent', path });
  }

  async #tellView(view: 'workloads' | 'mesh' | 'messages'): Promise<void> {
    const body = await this.#replay.answer({ what: 'view', view });
    this.#say({ type: 'view', view, body } as ServerMessage);
  }

  #say(message: ServerMessage): void {
    // The log of a recording comes as one message, and is never sent unasked.
    write(this.#socket, JSON.stringify(message), RECORDING_BYTES_MAX);
  }
}
