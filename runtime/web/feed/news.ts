import type { WebSocket } from 'ws';
import type { MessageRow } from '../../gossip/message-view.ts';
import type { FeedNews } from '../ui/feed/wire.types.ts';
import type { FeedSource } from './feed-app.ts';

/** What a page may leave unread before it is waited for. */
const BUFFERED_BYTES_MAX = 1024 * 1024;
/** A page that reads nothing for so long is gone; it comes back with its last row. Milliseconds. */
const STALLED_MS = 15_000;
const LOOK_MS = 20;
/** RFC 6455 §7.4.1: going away. */
const GOING_AWAY = 1001;

/** Tells one page every message after a row, at the page's own pace, until it leaves. */
export async function tellNews(
  socket: WebSocket,
  source: FeedSource,
  after: number,
  ended: AbortSignal,
): Promise<void> {
  const left = new AbortController();
  socket.on('close', () => left.abort());
  // The close that follows does what is to be done.
  socket.on('error', () => socket.terminate());
  const signal = AbortSignal.any([left.signal, ended]);
  try {
    for await (const message of source.tail(after, signal)) {
      socket.send(JSON.stringify(newsOf(message)));
      if (!(await isRead(socket))) break;
    }
    socket.close(GOING_AWAY);
  } catch {
    // The store is closing, or failed: the page reconnects and is told by REST what is wrong.
    socket.terminate();
  }
}

const newsOf = (message: MessageRow): FeedNews => ({
  type: 'NewMessage',
  seq: message.row,
  message,
});

async function isRead(socket: WebSocket): Promise<boolean> {
  const untilMs = performance.now() + STALLED_MS;
  while (socket.bufferedAmount > BUFFERED_BYTES_MAX) {
    if (performance.now() > untilMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}
