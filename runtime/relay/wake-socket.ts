/** Keeps a WebSocket to a relay open, as long as somebody listens to it. */
import { WebSocket } from 'ws';
import type { Clock, TimerId } from '../../machines/kernel/clock.ts';
import type { Random } from '../../machines/kernel/random.ts';

export interface WakeSocketOptions {
  readonly url: string;
  /** The headers of one attempt: each is signed anew. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly onWake: () => void;
}

/** First wait after a lost socket, doubled up to the longest; by lot between half and all of it. */
const BACKOFF_MIN_MS = 1000;
const BACKOFF_MAX_MS = 60_000;
/** A relay pings twice as often; what is silent longer is gone. */
const SILENCE_MAX_MS = 75_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A relay says one word. */
const MESSAGE_BYTES_MAX = 1024;

export class WakeSocket {
  readonly #options: WakeSocketOptions;
  #socket: WebSocket | undefined;
  #timer: TimerId;
  #failures = 0;
  #isOpen = true;

  constructor(options: WakeSocketOptions) {
    this.#options = options;
    this.#connect();
  }

  close(): void {
    this.#isOpen = false;
    this.#options.clock.clearTimeout(this.#timer);
    this.#socket?.terminate();
  }

  #connect(): void {
    const { url, headers, onWake } = this.#options;
    const socket = new WebSocket(url, {
      headers: headers(),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      maxPayload: MESSAGE_BYTES_MAX,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.#socket = socket;
    socket.on('open', () => {
      this.#failures = 0;
      this.#watch(socket);
      // What came while nobody was told is found by looking.
      onWake();
    });
    socket.on('message', () => {
      this.#watch(socket);
      onWake();
    });
    socket.on('ping', () => this.#watch(socket));
    // The close that follows does what is to be done: the inbox is polled meanwhile.
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#lost());
  }

  #watch(socket: WebSocket): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(() => socket.terminate(), SILENCE_MAX_MS);
  }

  #lost(): void {
    const { clock, random } = this.#options;
    clock.clearTimeout(this.#timer);
    if (!this.#isOpen) return;
    const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#failures++);
    this.#timer = clock.setTimeout(() => this.#connect(), fullMs * (1 - random.fraction() / 2));
  }
}
