import type { Strategy } from './child-spec.ts';
import type { Supervisor } from './supervisor.ts';

/** `restarting` is only said while a group restarts; the chart is `supervisor.machine.ts`. */
export type SupervisorStatus = 'starting' | 'running' | 'restarting' | 'stopping' | 'stopped';

/** What a supervisor shows of itself, in the shape of an XState snapshot. */
export interface SupervisorSnapshot {
  readonly status: 'active' | 'stopped';
  readonly output: undefined;
  readonly error: undefined;
  readonly value: SupervisorStatus;
  readonly context: {
    readonly path: string;
    readonly strategy: Strategy;
    readonly children: number;
    readonly active: number;
  };
}

/** The supervisor as it is at this moment. */
export const snapshotOf = ({ status, path, strategy, table }: Supervisor): SupervisorSnapshot => ({
  status: status === 'stopped' ? 'stopped' : 'active',
  output: undefined,
  error: undefined,
  value: status,
  context: { path, strategy, children: table.size, active: table.active },
});
