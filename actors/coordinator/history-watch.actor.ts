/** Binds the watch of the history: every event, and every poll, looks at the latest transition. */
import { fromCallback } from 'xstate';
import { historyWatchMachine } from '../../machines/coordinator/history-watch.machine.ts';
import type { HistoryWatchFact } from '../../machines/coordinator/history-watch.machine.ts';
import { childSpec } from '../../supervisor/index.ts';
import { HISTORY_WATCH_ID } from './paths.ts';
import type { CoordinatorPorts } from './ports/services.ts';
import { floorOf, lookAtHistory } from './read-history.ts';

type Provided = NonNullable<Parameters<typeof historyWatchMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;
type Ports = Pick<CoordinatorPorts, 'cell' | 'history' | 'floor' | 'clock' | 'notice'>;

/** A look, and the floor raised to what is held, if an earlier attempt failed. */
async function look(ports: Ports): Promise<void> {
  await lookAtHistory(ports);
  const { held } = ports.cell;
  const floor = held === null ? null : await ports.floor.read();
  if (held !== null && (floor?.generation ?? 0) < held.generation)
    await ports.floor.raise(floorOf(held));
}

export function createHistoryWatchLogic(ports: Ports) {
  const lookAndTell = async (sendBack: (fact: HistoryWatchFact) => void): Promise<void> => {
    try {
      await look(ports);
      sendBack({ type: 'latest.observed' });
    } catch (error) {
      ports.notice('looking at the history', error);
      sendBack({ type: 'watch.failed', message: String(error) });
    }
  };
  const actors: Bindings = {
    watchLatest: fromCallback<HistoryWatchFact, Record<string, never>>(({ sendBack }) => {
      let isLooking = false;
      let isDue = false;
      let isOver = false;
      // Events that come during a look are answered by one more look, however many they are.
      const run = async (): Promise<void> => {
        if (isLooking) {
          isDue = true;
          return;
        }
        isLooking = true;
        do {
          isDue = false;
          await lookAndTell((fact) => {
            if (!isOver) sendBack(fact);
          });
        } while (isDue && !isOver);
        isLooking = false;
      };
      const stop = ports.history.watch((event) => {
        if (event.type === 'failed') sendBack({ type: 'watch.failed', message: event.message });
        else void run();
      });
      return () => {
        isOver = true;
        stop();
      };
    }),
    pollLatest: fromCallback<HistoryWatchFact, { intervalMs: number }>(({ input, sendBack }) => {
      let timer: unknown;
      let isOver = false;
      const poll = async (): Promise<void> => {
        await lookAndTell((fact) => {
          if (!isOver) sendBack(fact);
        });
        if (!isOver) timer = ports.clock.setTimeout(() => void poll(), input.intervalMs);
      };
      void poll();
      return () => {
        isOver = true;
        ports.clock.clearTimeout(timer);
      };
    }),
  };
  return historyWatchMachine.provide({ actors });
}

/** Permanent. A watch that throws is set up again by a restart, after as long as one that fails. */
export const historyWatchChildSpec = (logic: ReturnType<typeof createHistoryWatchLogic>) =>
  childSpec({
    id: HISTORY_WATCH_ID,
    logic,
    backoff: { minMs: 1_000, maxMs: 5_000, factor: 5, jitter: 0, resetAfterMs: 30_000 },
  });
