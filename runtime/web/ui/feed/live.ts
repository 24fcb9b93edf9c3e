/** The stream of messages, opened again from its last row whenever it breaks, and posting. */
import { draft, isLive, isPosting, notice, now, peer, take } from './store.ts';
import type { FeedNews, FeedPeer, FeedMessage } from './wire.types.ts';

const RECONNECT_MS = 1_000;
const CLOCK_MS = 1_000;

/** The newest row that is here: the next stream begins after it. */
let last = 0;

/** Loads what there is, then listens. */
export async function begin(): Promise<void> {
  setInterval(() => (now.value = Date.now()), CLOCK_MS);
  try {
    peer.value = await fetchJson<FeedPeer>('/api/peer');
    const rows = await fetchJson<FeedMessage[]>('/api/messages');
    take(rows);
    last = rows.at(-1)?.row ?? 0;
  } catch (error) {
    notice.value = String(error);
    setTimeout(() => void begin(), RECONNECT_MS);
    return;
  }
  open();
}

function open(): void {
  const socket = new WebSocket(`ws://${location.host}/live?after=${last}`);
  socket.addEventListener('open', () => (isLive.value = true));
  socket.addEventListener('message', ({ data }) => {
    const news = JSON.parse(data as string) as FeedNews;
    last = Math.max(last, news.seq);
    take([news.message]);
  });
  socket.addEventListener('close', () => {
    isLive.value = false;
    setTimeout(open, RECONNECT_MS);
  });
}

/** Posts what is written, as this peer; it then arrives as any other message does. */
export async function post(): Promise<void> {
  const text = draft.value.trim();
  if (text === '' || isPosting.value) return;
  isPosting.value = true;
  notice.value = null;
  try {
    await fetchJson('/api/messages', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    draft.value = '';
  } catch (error) {
    notice.value = `It was not posted: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    isPosting.value = false;
  }
}

async function fetchJson<Body>(path: string, init: RequestInit = {}): Promise<Body> {
  const response = await fetch(path, init);
  const body = (await response.json()) as Body & { error?: { code: string; message: string } };
  if (response.ok) return body;
  throw new Error(`${body.error?.message ?? response.statusText} (${body.error?.code ?? ''})`);
}
