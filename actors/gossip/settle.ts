/** Stores what was examined, and makes up for what waited for a key. */
import { isAlive } from '../../machines/gossip/envelope.ts';
import { examine } from './examine.ts';
import type { Settlement } from './ports/peer-store.ts';
import type { GossipPorts } from './ports/services.ts';

/** What storing came to, in messages. */
export interface SettledCounts {
  readonly stored: number;
  readonly duplicates: number;
  readonly quarantined: number;
  readonly refused: number;
}

type Ports = Pick<GossipPorts, 'clock' | 'store' | 'verifier' | 'counters'>;

/** Quarantined messages looked at in one transaction. */
export const BACKFILL_BATCH = 64;

const howMany = <Item>(items: readonly Item[], wanted: Item): number =>
  items.filter((item) => item === wanted).length;

/** Stores a settlement as of now: what has expired since it was made is left out. Idempotent. */
export async function settle(
  { clock, store, counters }: Pick<Ports, 'clock' | 'store' | 'counters'>,
  settlement: Settlement,
): Promise<SettledCounts> {
  const nowMs = clock.now();
  const living = settlement.verified.filter(({ envelope }) => isAlive(envelope.header, nowMs));
  const quarantined = settlement.quarantined.filter(({ envelope }) =>
    isAlive(envelope.header, nowMs),
  );
  const result = await store.settle({ ...settlement, nowMs, verified: living, quarantined });
  const counts = {
    stored: howMany(result.verified, 'stored'),
    duplicates: howMany([...result.verified, ...result.quarantined], 'duplicate'),
    quarantined: howMany(result.quarantined, 'quarantined'),
    refused: howMany(result.quarantined, 'quarantineFull'),
  };
  counters.count('messagesStored', counts.stored);
  counters.count('messagesQuarantined', counts.quarantined);
  for (const [at, { from }] of quarantined.entries())
    if (result.quarantined[at] === 'quarantineFull')
      counters.refuse('MESH_ERR_GOSSIP_QUARANTINE', from);
  return counts;
}

/**
 * Verifies quarantined messages whose author's key has come, one batch; true when another one may
 * follow at once.
 */
export async function backfill(ports: Ports, signal?: AbortSignal): Promise<boolean> {
  const waiting = await ports.store.backfillable(BACKFILL_BATCH);
  if (waiting.length === 0) return false;
  const [first] = waiting;
  const { settlement } = await examine(
    ports,
    {
      from: first?.from ?? '',
      items: waiting.map(({ envelope }) => envelope),
      senderKeys: {},
      refusalOf: () => null,
    },
    signal,
  );
  const counts = await settle(ports, settlement);
  ports.counters.count('messagesBackfilled', counts.stored);
  const isProgress = counts.stored + settlement.rejected.length > 0;
  return isProgress && waiting.length === BACKFILL_BATCH;
}
