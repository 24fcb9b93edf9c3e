import type { Socket } from 'node:net';
import type { ClientConnection } from './client-connection.ts';
import { CLOSE_FROM_CLIENT, CLOSE_FROM_SERVER, FrameFollower } from './wire/websocket-frames.ts';

/** A WebSocket between a client and an instance; bytes pass as they are, with back-pressure. */
export class Tunnel {
  /** Bytes from the instance to the client. */
  bytesOut = 0;
  readonly #client: ClientConnection;
  readonly #upstream: Socket;
  readonly #toClient = new FrameFollower();
  readonly #toUpstream = new FrameFollower();
  #isClosing = false;
  #clientTold = false;
  #upstreamTold = false;

  constructor(client: ClientConnection, upstream: Socket) {
    this.#client = client;
    this.#upstream = upstream;
  }

  /** `false` if the client takes no more for now. The bytes are only valid during the call. */
  fromUpstream(bytes: Buffer, start: number, end: number): boolean {
    if (this.#clientTold) return true;
    const stop = this.#toClient.feed(bytes, start, end, this.#isClosing);
    this.bytesOut += stop - start;
    const { socket } = this.#client;
    const wantsMore = stop <= start || socket.write(Buffer.from(bytes.subarray(start, stop)));
    if (this.#isClosing) this.#tellClient();
    return wantsMore;
  }

  fromClient(chunk: Buffer): void {
    if (!this.#upstreamTold) {
      const stop = this.#toUpstream.feed(chunk, 0, chunk.length, this.#isClosing);
      if (!this.#upstream.write(chunk.subarray(0, stop))) this.#client.pauseReading();
      if (!this.#isClosing) return;
      this.#tellUpstream();
      if (stop < chunk.length) this.#toUpstream.feed(chunk, stop, chunk.length, false);
    } else this.#toUpstream.feed(chunk, 0, chunk.length, false);
    const hasAnswered = this.#toUpstream.sawClose && this.#toUpstream.isAtBoundary;
    if (this.#clientTold && hasAnswered) this.#client.endConnection();
  }

  /** Tells both ends that the connection is going away, each between two frames. */
  close(): void {
    this.#isClosing = true;
    this.#tellClient();
    this.#tellUpstream();
  }

  #tellClient(): void {
    if (this.#clientTold || !this.#toClient.isAtBoundary) return;
    this.#clientTold = true;
    this.#client.socket.write(CLOSE_FROM_SERVER);
  }

  #tellUpstream(): void {
    if (this.#upstreamTold || !this.#toUpstream.isAtBoundary) return;
    this.#upstreamTold = true;
    this.#upstream.write(CLOSE_FROM_CLIENT);
  }
}
