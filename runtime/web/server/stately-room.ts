/** The receivers of `@statelyai/inspect`, which keep no cookie and send nothing. */
import type { WebSocket } from 'ws';
import type { Room } from './entrance.ts';
import { Gate } from './gate.ts';
import type { ToMain } from './link.types.ts';
import { write } from './write.ts';

export class StatelyRoom implements Room {
  readonly #tell: (message: ToMain) => void;
  readonly #receivers = new Map<number, WebSocket>();
  #gate: Gate | undefined;
  #next = 1;

  constructor(tell: (message: ToMain) => void) {
    this.#tell = tell;
  }

  /** From now on there is such a socket; whoever brings the token first comes in without a cookie. */
  invite(token: string): void {
    this.#gate ??= new Gate(token);
    this.#gate.invite(token);
  }

  readonly lets = ({ searchParams }: URL): boolean =>
    this.#gate?.redeem(searchParams.get('token') ?? '') !== undefined;

  readonly find = (): ((socket: WebSocket) => void) | undefined =>
    this.#gate === undefined ? undefined : (socket) => this.#join(socket);

  say(receiver: number, frames: readonly string[]): void {
    const socket = this.#receivers.get(receiver);
    if (socket) for (const frame of frames) write(socket, frame);
  }

  #join(socket: WebSocket): void {
    const id = this.#next++;
    this.#receivers.set(id, socket);
    // The close that follows does what is to be done.
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#receivers.delete(id);
      this.#tell({ type: 'receiving', receiver: id, isOn: false });
    });
    this.#tell({ type: 'receiving', receiver: id, isOn: true });
  }
}
