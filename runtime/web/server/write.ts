import type { WebSocket } from 'ws';

/** A page that reads nothing is cut off before it costs memory; it resumes by its cursor. */
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;

/** Sends a text, or ends the connection of somebody who does not read. */
export function write(socket: WebSocket, text: string, bytesMax = BUFFERED_BYTES_MAX): void {
  if (socket.bufferedAmount > bytesMax) socket.terminate();
  else socket.send(text);
}

/** Tells a page that it asked for what it does not get. */
export function refuseFrame(socket: WebSocket, code: string, message: string): void {
  write(socket, JSON.stringify({ type: 'refused', code, message }));
}
