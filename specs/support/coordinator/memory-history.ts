/** A history in memory that several Coordinators of one spec share. It passes the same suite. */
import { hash } from 'node:crypto';
import { DELIVERIES_MAX } from '../../../actors/coordinator/ports/history.ts';
import type {
  Floor,
  GenerationFloor,
  History,
  StoredDelivery,
} from '../../../actors/coordinator/ports/history.ts';
import { historyError } from '../../../machines/coordinator/history-errors.ts';
import { decodeLatest, encodeLatest } from '../../../machines/coordinator/transition.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { Watchers, checkedContent, digestOf } from '../../../runtime/adapters/history/content.ts';

/** What all handles of one history share; a spec may tamper with it. */
export interface HistoryDisk {
  readonly content: Map<string, Uint8Array>;
  latest: Uint8Array | null;
  deliveries: StoredDelivery[];
  readonly handles: Set<Watchers>;
}

export const createDisk = (): HistoryDisk => ({
  content: new Map(),
  latest: null,
  deliveries: [],
  handles: new Set(),
});

/** One handle of a history; `hears: false` loses every event, as a network may. */
export function createMemoryHistory(
  disk: HistoryDisk = createDisk(),
  { hears = true }: { readonly hears?: boolean } = {},
): History {
  const watchers = new Watchers();
  if (hears) disk.handles.add(watchers);
  let isClosed = false;
  const open = (): HistoryDisk => {
    if (isClosed) throw historyError('MESH_ERR_HISTORY_UNAVAILABLE', 'The history is closed.');
    return disk;
  };
  const latest = () => {
    const bytes = open().latest;
    return bytes === null ? null : decodeLatest(bytes);
  };
  return {
    put: async (kind, bytes) => {
      const digest = digestOf(kind, bytes);
      open().content.set(`${kind}/${digest}`, Uint8Array.from(bytes));
      return digest;
    },
    get: async (kind, digest) =>
      checkedContent(kind, digest, open().content.get(`${kind}/${digest}`)),
    latest: async () => latest(),
    compareAndSwap: async (expected, next) => {
      try {
        const found = latest();
        if ((found?.transition ?? null) !== expected) return { type: 'mismatch', found };
        disk.latest = encodeLatest(next);
      } catch (cause) {
        return { type: 'unavailable', cause };
      }
      for (const handle of disk.handles) handle.changed();
      return { type: 'swapped' };
    },
    watch: (listener) => watchers.add(listener),
    keepDelivery: async (id, bytes) => {
      digestOf('deliveries', bytes);
      const others = open().deliveries.filter((one) => one.id !== id);
      disk.deliveries = [{ id, bytes }, ...others].slice(0, DELIVERIES_MAX);
    },
    deliveries: async () => open().deliveries,
    dropDelivery: async (id) => {
      disk.deliveries = open().deliveries.filter((one) => one.id !== id);
    },
    close: async () => {
      isClosed = true;
      disk.handles.delete(watchers);
      watchers.clear();
    },
  };
}

/** A floor in memory; it outlives the Coordinator that raised it, as a file does. */
export function createMemoryFloor(): GenerationFloor {
  let kept: Floor | null = null;
  return {
    read: async () => kept,
    raise: async (floor) => {
      if (kept === null || kept.generation < floor.generation) kept = floor;
    },
  };
}

export const sha256 = (bytes: Uint8Array): Digest => hash('sha256', bytes) as Digest;
