import type { Socket } from 'node:net';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import { transportError } from './errors.ts';
import type { ListenerLimits } from './limits.ts';

/** A connection that has not proved anything yet. */
export interface PendingConnection {
  readonly id: string;
  /** Both addresses; no two open connections share them. */
  readonly key: string;
  /** Aborts, with a coded error, when it is given up. */
  readonly signal: AbortSignal;
}

interface Entry extends PendingConnection {
  readonly socket: Socket;
  readonly giveUp: AbortController;
  readonly timer: TimerId;
  /** TLS is done, so that whoever attests the connection can still tell the client why. */
  isSecure: boolean;
}

/** For the last frame of a connection that is given up. */
const GRACE_MS = 250;

/**
 * Half-open connections, oldest first. Each has a deadline from its accept on; one more than the
 * limit closes the oldest. A client that means it needs milliseconds, so a flood of those that say
 * nothing drives out itself.
 */
export class PendingConnections {
  readonly #limits: ListenerLimits;
  readonly #clock: Clock;
  readonly #onRefused: ((error: unknown) => void) | undefined;
  /** By key, in the order of their accept. */
  readonly #entries = new Map<string, Entry>();
  #accepted = 0;

  constructor(limits: ListenerLimits, clock: Clock, onRefused?: (error: unknown) => void) {
    this.#limits = limits;
    this.#clock = clock;
    this.#onRefused = onRefused;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(socket: Socket): void {
    const { handshakeTimeoutMs, pendingMax } = this.#limits;
    const [oldest] = this.#entries.values();
    if (this.#entries.size >= pendingMax && oldest !== undefined) {
      const found = `Attesting connection ${oldest.id}: ${pendingMax} wait for their handshake.`;
      this.#drop(oldest, transportError('MESH_ERR_TRANSPORT_BUSY', found));
    }
    const giveUp = new AbortController();
    const id = `c${++this.#accepted}`;
    const timer = this.#clock.setTimeout(() => {
      const found = `Attesting connection ${id}: not done within ${handshakeTimeoutMs} ms.`;
      this.#drop(entry, transportError('MESH_ERR_TRANSPORT_DEADLINE', found));
    }, handshakeTimeoutMs);
    const key = keyOf(socket);
    const { signal } = giveUp;
    const entry: Entry = { id, key, signal, socket, giveUp, timer, isSecure: false };
    this.#entries.set(key, entry);
    socket.once('close', () => this.settle(entry));
  }

  /** Nobody will serve them: the listener ends. */
  giveUp(): void {
    const found = 'the listener ends';
    for (const entry of this.#entries.values())
      this.#drop(
        entry,
        transportError('MESH_ERR_TRANSPORT_CLOSED', `Attesting connection ${entry.id}: ${found}.`),
      );
  }

  has(socket: Socket): boolean {
    return this.#entries.has(keyOf(socket));
  }

  /** The entry of a socket that has finished TLS; it shares both addresses with the accepted one. */
  secure(socket: Socket): PendingConnection | undefined {
    const entry = this.#entries.get(keyOf(socket));
    if (entry !== undefined) entry.isSecure = true;
    return entry;
  }

  /** It is attested, plain or closed: neither counted nor timed any more. Idempotent. */
  settle({ id, key }: PendingConnection): void {
    const entry = this.#entries.get(key);
    if (entry?.id !== id) return;
    this.#clock.clearTimeout(entry.timer);
    this.#entries.delete(key);
  }

  #drop(entry: Entry, error: Error): void {
    this.settle(entry);
    this.#onRefused?.(error);
    entry.giveUp.abort(error);
    const { socket } = entry;
    if (entry.isSecure) this.#clock.setTimeout(() => socket.destroy(), GRACE_MS);
    else socket.destroy();
  }
}

const keyOf = ({ remoteAddress, remotePort, localPort }: Socket): string =>
  `${remoteAddress}|${remotePort}|${localPort}`;
