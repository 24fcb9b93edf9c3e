import type { PeerStore } from '../../../actors/gossip/ports/peer-store.ts';
import type { Reconciler } from '../../../actors/gossip/ports/reconciler.ts';
import { RESPONDER_IDLE_MS } from '../../../machines/gossip/session-limits.ts';
import type { Clock } from '../../../machines/kernel/clock.ts';
import { malformed } from './frame.ts';
import { SETS_KEPT_MAX, SET_FRESH_MS, SPLITTING } from './limits.ts';
import { initiate, reconcile } from './negentropy.ts';
import type { Difference } from './negentropy.ts';
import { SealedSet } from './sealed-set.ts';

/** What reconciliation works with. */
export interface ReconcilerParts {
  readonly store: Pick<PeerStore, 'publicSet'>;
  readonly clock: Clock;
}

interface Reading {
  readonly set: Promise<SealedSet>;
  readonly atMs: number;
}

/**
 * Reconciles with the messages of a store. A session keeps the set that it began with, as long as
 * there is room: what is stored meanwhile is found by the next session.
 */
export function createReconciler({ store, clock }: ReconcilerParts): Reconciler {
  const readings = new Map<string, Reading>();
  let newest: Reading | undefined;

  const read = (): Reading => {
    if (newest !== undefined && clock.monotonicNow() - newest.atMs < SET_FRESH_MS) return newest;
    const set = store
      .publicSet(clock.now())
      .then((rows) => new SealedSet(rows.map(([id, createdAt]) => ({ id, createdAt }))));
    const reading = { set, atMs: clock.monotonicNow() };
    newest = reading;
    // Whoever waits for it is told; the next one shall read again.
    set.catch(() => {
      if (newest === reading) newest = undefined;
      for (const [session, kept] of readings) if (kept === reading) readings.delete(session);
    });
    return reading;
  };
  const setOf = (session: string): Promise<SealedSet> => {
    for (const [other, { atMs }] of readings)
      if (clock.monotonicNow() - atMs > RESPONDER_IDLE_MS) readings.delete(other);
    const reading = readings.get(session) ?? read();
    readings.delete(session);
    readings.set(session, reading);
    const oldest = readings.keys().next();
    if (readings.size > SETS_KEPT_MAX && !oldest.done) readings.delete(oldest.value);
    return reading.set;
  };

  return {
    initiate: async (session) => hex(initiate(await setOf(session), SPLITTING)),
    reconcile: async (session, frame) => {
      const found: Difference = { have: [], need: [] };
      const options = { ...SPLITTING, role: 'requester', found } as const;
      const next = reconcile(await setOf(session), bytesOf(frame), options);
      return { need: found.need, next: next === null ? null : hex(next) };
    },
    respond: async (session, frame) => {
      const set = await setOf(session);
      // A responder always answers, if only with the version.
      return hex(reconcile(set, bytesOf(frame), { ...SPLITTING, role: 'responder' }));
    },
    forget: (session) => {
      readings.delete(session);
      // Between sessions nobody pays for a set.
      if (readings.size === 0) newest = undefined;
    },
  };
}

const hex = (bytes: Uint8Array | null): string => Buffer.from(bytes ?? []).toString('hex');

function bytesOf(frame: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(frame)) throw malformed('it is not lower-case hex');
  return Buffer.from(frame, 'hex');
}
