import type { PeerStore } from '../../../actors/gossip/ports/peer-store.ts';
import type { MessageRow } from '../message-view.ts';

/** Rows read at once; the reader sets the pace. */
const PAGE = 200;

/**
 * Messages after a row as they become visible, each row once, oldest first, until the signal aborts.
 * What is told is only that there is more: the rows come from the store, so nothing is missed however
 * slow the reader is.
 */
export async function* tailOf(
  store: Pick<PeerStore, 'feed' | 'onFeed'>,
  toRows: (items: Awaited<ReturnType<PeerStore['feed']>>) => Promise<readonly MessageRow[]>,
  after: number,
  signal?: AbortSignal,
): AsyncGenerator<MessageRow> {
  let news = Promise.withResolvers<void>();
  const wake = (): void => {
    news.resolve();
  };
  const unlisten = store.onFeed(wake);
  signal?.addEventListener('abort', wake);
  const isLeft = (): boolean => signal?.aborted === true;
  try {
    for (let row = after; !isLeft();) {
      // Before the look: what comes during it wakes the next one.
      news = Promise.withResolvers();
      const items = await store.feed(row, PAGE);
      for (const message of await toRows(items)) yield message;
      row = items.at(-1)?.row ?? row;
      if (items.length === 0 && !isLeft()) await news.promise;
    }
  } finally {
    unlisten();
    signal?.removeEventListener('abort', wake);
  }
}
