/** Binds the removal of what has expired, and the second look at what waits for a key. */
import { fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { expiryMachine } from '../../machines/gossip/expiry.machine.ts';
import { PRUNE_BATCH_MAX } from '../../machines/gossip/session-limits.ts';
import { childSpec } from '../../supervisor/index.ts';
import { EXPIRY_ID } from './paths.ts';
import type { GossipPorts } from './ports/services.ts';
import { backfill } from './settle.ts';

type Provided = NonNullable<Parameters<typeof expiryMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type Ports = Pick<GossipPorts, 'clock' | 'store' | 'verifier' | 'counters'>;

export function createExpiryLogic(ports: Ports) {
  const { clock, store, counters } = ports;
  const actors: Bindings = {
    crash,
    sweepStore: fromPromise(async ({ signal }) => {
      const pruned = await store.prune(clock.now(), PRUNE_BATCH_MAX);
      counters.count('pruned', pruned);
      // First what has expired goes: it would be looked at again and again.
      const isMore = pruned >= PRUNE_BATCH_MAX || (await backfill(ports, signal));
      return { pruned, isMore };
    }),
  };
  return expiryMachine.provide({ actors });
}

/** Permanent; each batch is a transaction of its own. */
export const expiryChildSpec = (logic: ReturnType<typeof createExpiryLogic>) =>
  childSpec({
    id: EXPIRY_ID,
    logic,
    backoff: { minMs: 1_000, maxMs: 60_000, factor: 2, jitter: 0.2, resetAfterMs: 120_000 },
  });
