/** Binds the guard to the state in memory and to the history. */
import { fromCallback, fromPromise } from 'xstate';
import { stateguardMachine } from '../../machines/coordinator/stateguard.machine.ts';
import type {
  StateguardContext,
  StateguardFact,
  StateguardInput,
} from '../../machines/coordinator/stateguard.machine.ts';
import { childSpec } from '../../supervisor/index.ts';
import { STATEGUARD_ID } from './paths.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { lookAtHistory } from './read-history.ts';

type Provided = NonNullable<Parameters<typeof stateguardMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type Ports = Pick<CoordinatorPorts, 'cell' | 'history' | 'floor'>;

export function createStateguardLogic(ports: Ports) {
  const { cell } = ports;
  const actors: Bindings = {
    readHistory: fromPromise(async () => {
      await lookAtHistory(ports);
      return cell.view();
    }),
    watchCell: fromCallback<StateguardFact, Record<string, never>>(({ sendBack }) => {
      const stop = cell.onFact(sendBack);
      // A guard that was restarted finds what its predecessor knew.
      if (cell.observed !== undefined) sendBack({ type: 'history.observed', view: cell.view() });
      return stop;
    }),
  };
  return stateguardMachine.provide({
    actors,
    actions: { publishStatus: (_, published) => cell.publish(published) },
  });
}

/**
 * Permanent: without it nothing is served. It never goes on as ready, because what it guards died
 * with the program; it begins anew, and knows only which state that was.
 */
export const stateguardChildSpec = (logic: ReturnType<typeof createStateguardLogic>) =>
  childSpec({
    id: STATEGUARD_ID,
    logic,
    resume: {
      from: 'snapshot',
      durability: { everyMs: 1_000, everyEvents: 100 },
      beginAnew: ({ snapshot }): StateguardInput => ({
        served: (snapshot as { readonly context: StateguardContext }).context.served,
      }),
    },
    backoff: { minMs: 10, maxMs: 5_000, factor: 2, jitter: 0.2, resetAfterMs: 30_000 },
  });
