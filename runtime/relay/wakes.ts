/** Who wants to hear that something is in an inbox: open sockets, and requests that wait. */
import type { WebSocket } from 'ws';
import { relayError } from '../../machines/gossip/relay-errors.ts';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import type { RelayLimits } from './limits.ts';

type Waiter = (hasMail: boolean) => void;

interface Watcher {
  readonly socket: WebSocket;
  answered: boolean;
}

/** Close code of a socket whose other end is gone: RFC 6455 §7.4.1. */
const GOING_AWAY = 1001;
/** A policy is violated: RFC 6455 §7.4.1. */
const POLICY = 1008;

export class Wakes {
  readonly #limits: RelayLimits;
  readonly #clock: Clock;
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  #sockets = 0;
  #waiting = 0;
  #timer: TimerId;

  constructor(limits: RelayLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get watchers(): number {
    return this.#sockets;
  }

  /** MESH_ERR_RELAY_BUSY before a socket is opened that there is no room for. */
  refuseBeyond(peer: string): void {
    const { wakesMax, wakesOfPeerMax } = this.#limits;
    const ofPeer = this.#watchers.get(peer)?.size ?? 0;
    if (this.#sockets < wakesMax && ofPeer < wakesOfPeerMax) return;
    throw relayError(
      'MESH_ERR_RELAY_BUSY',
      `Watching the inbox of ${peer}: ${ofPeer} sockets of it are open, ${this.#sockets} in all.`,
    );
  }

  /** A peer that proved itself; `isAwaited` says that something is there already. */
  join(peer: string, socket: WebSocket, isAwaited: boolean): void {
    const watcher = { socket, answered: true };
    const all = this.#watchers.get(peer) ?? new Set();
    this.#watchers.set(peer, all.add(watcher));
    this.#sockets++;
    socket.on('pong', () => (watcher.answered = true));
    // Nobody has anything to say here; the close that follows an error does what is to be done.
    socket.on('message', () => socket.close(POLICY));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#sockets--;
      all.delete(watcher);
      if (all.size === 0 && this.#watchers.get(peer) === all) this.#watchers.delete(peer);
    });
    if (isAwaited) socket.send('mail');
    this.#timer ??= this.#clock.setTimeout(() => this.#ping(), this.#limits.pingIntervalMs);
  }

  /** Resolves with true when something comes, with false after `waitMs`, on abort, or without room. */
  wait(peer: string, waitMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#waiting >= this.#limits.waitersMax || signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const all = this.#waiters.get(peer) ?? new Set();
      const end = (hasMail: boolean): void => {
        if (!all.delete(end)) return;
        this.#waiting--;
        if (all.size === 0 && this.#waiters.get(peer) === all) this.#waiters.delete(peer);
        this.#clock.clearTimeout(timer);
        signal.removeEventListener('abort', leave);
        resolve(hasMail);
      };
      const leave = (): void => end(false);
      const timer = this.#clock.setTimeout(leave, waitMs);
      this.#waiters.set(peer, all.add(end));
      this.#waiting++;
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  wake(peer: string): void {
    for (const end of this.#waiters.get(peer) ?? []) end(true);
    for (const { socket } of this.#watchers.get(peer) ?? [])
      // What a slow reader has not taken says the same.
      if (socket.bufferedAmount === 0) socket.send('mail');
  }

  /** Ends all of them. */
  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const all of this.#waiters.values()) for (const end of all) end(false);
    for (const all of this.#watchers.values())
      for (const { socket } of all) {
        socket.close(GOING_AWAY);
        socket.terminate();
      }
  }

  #ping(): void {
    this.#timer = undefined;
    for (const all of this.#watchers.values())
      for (const watcher of all)
        if (watcher.answered) {
          watcher.answered = false;
          watcher.socket.ping();
        } else watcher.socket.terminate();
    if (this.#sockets === 0) return;
    this.#timer = this.#clock.setTimeout(() => this.#ping(), this.#limits.pingIntervalMs);
  }
}
