/** What the page of the feed knows. */
import { computed, signal } from '@preact/signals';
import type { FeedPeer, FeedMessage } from './wire.types.ts';

/** Messages that the page keeps; older ones are in the store of the peer. */
export const MESSAGES_MAX = 2_000;

export const peer = signal<FeedPeer | null>(null);
/** By id: a message comes again when its author becomes known. */
export const messages = signal<ReadonlyMap<string, FeedMessage>>(new Map());
export const isLive = signal(false);
export const notice = signal<string | null>(null);
/** The text that is being written. */
export const draft = signal('');
export const isPosting = signal(false);
export const now = signal(Date.now());

/** Newest first. */
export const shown = computed(() => [...messages.value.values()].toSorted((a, b) => b.row - a.row));

/** Takes messages in; of one that came before, the newer row counts. */
export function take(rows: readonly FeedMessage[]): void {
  const next = new Map(messages.value);
  for (const row of rows) if (row.row >= (next.get(row.id)?.row ?? 0)) next.set(row.id, row);
  if (next.size > MESSAGES_MAX)
    for (const { id } of [...next.values()]
      .toSorted((a, b) => a.row - b.row)
      .slice(0, next.size - MESSAGES_MAX))
      next.delete(id);
  messages.value = next;
}
