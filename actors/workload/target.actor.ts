/** Binds the target machine to the edge's routing table. */
import { fromCallback, fromPromise } from 'xstate';
import type {
  TargetFact,
  TargetFailure,
  TargetInput,
} from '../../machines/workload/target.machine.ts';
import type { ChildSpec } from '../../supervisor/index.ts';
import type { RequestDrain } from './ports/instance.ts';
import { targetMachine } from '../../machines/workload/target.machine.ts';
import { childSpec } from '../../supervisor/index.ts';

/** The edge's side of its targets, off the path of requests. */
export interface TargetTraffic {
  readonly requests: RequestDrain;
  /** Whether the table names this instance already. */
  isPublished(instance: string): boolean;
  /**
   * Calls `listener` when any of these happens to the instance, synchronously on the request's
   * path, so the listener must only send. Returns how to stop that; idempotent.
   */
  watch(instance: string, listener: (fact: TargetFact) => void): () => void;
  /** Takes the instance out of, or back into, the round. Idempotent; unknown ones are ignored. */
  setAvailable(instance: string, available: boolean): void;
}

/** What the routing table offers, as `trafficOf` needs it. */
export interface TargetTable {
  has(instance: string): boolean;
  setAvailable(instance: string, available: boolean): void;
  onTargetPublished(listener: (instance: string) => void): () => void;
  onTargetFailure(
    listener: (instance: string, kind: TargetFailure, failuresInRow: number) => void,
  ): () => void;
  onTargetRecovery(listener: (instance: string) => void): () => void;
}

/** The port on a routing table. */
export function trafficOf(table: TargetTable, requests: RequestDrain): TargetTraffic {
  return {
    requests,
    isPublished: (instance) => table.has(instance),
    setAvailable: (instance, available) => table.setAvailable(instance, available),
    watch: (instance, listener) => {
      const only = (name: string, fact: TargetFact): void => {
        if (name === instance) listener(fact);
      };
      const stops = [
        table.onTargetPublished((name) => only(name, { type: 'target.published' })),
        table.onTargetRecovery((name) => only(name, { type: 'connection.recovered' })),
        table.onTargetFailure((name, kind, failuresInRow) =>
          only(name, { type: 'connection.failed', kind, failuresInRow }),
        ),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

type Provided = NonNullable<Parameters<typeof targetMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

export function createTargetLogic(traffic: TargetTraffic) {
  const actors: Bindings = {
    watchConnections: fromCallback<TargetFact, { instance: string }>(
      ({ input: { instance }, sendBack }) => {
        const stop = traffic.watch(instance, sendBack);
        if (traffic.isPublished(instance)) sendBack({ type: 'target.published' });
        return stop;
      },
    ),
    drainRequests: fromPromise(({ input: { instance, deadlineMs }, signal }) =>
      traffic.requests.drain(instance, { deadlineMs, signal }),
    ),
  };
  return targetMachine.provide({
    actors,
    actions: {
      setAvailable: (_, { instance, available }) => traffic.setAvailable(instance, available),
    },
  });
}

/** `transient`: it ends by itself once the target is removed, and only a crash restarts it. */
export const targetChildSpec = (
  logic: ReturnType<typeof createTargetLogic>,
  input: TargetInput,
): ChildSpec => childSpec({ id: input.instance, logic, input, restart: 'transient' });
