/** Walks everything that a machine can do, without a system beside it. */
import type { AnyStateMachine } from 'xstate';
import { chartError } from '../charts/errors.ts';
import { statesOf } from '../charts/chart.ts';
import type { Chart } from '../charts/chart.ts';
import type { Coverage } from '../charts/coverage.ts';
import { ModelCoverage } from './model-coverage.ts';
import { exploreMachine } from './model-paths.ts';
import type { Model, ModelOptions } from './model-paths.ts';
import { eventName, stateName } from './state-names.ts';

type AnyModel = Partial<ModelOptions<AnyStateMachine>>;

/** A guard or an action that threw. */
export interface MachineFailure {
  readonly state: string;
  readonly event: string;
  readonly message: string;
  /** The way there as a Mermaid state diagram. */
  readonly mermaid: string;
}

/** What a walk found. */
export interface MachineTest {
  readonly machine: string;
  readonly states: number;
  /** Transitions of the graph, which has one state for each context that matters. */
  readonly steps: number;
  readonly coverage: Coverage;
  /** Transitions of the chart that nothing takes, as `state: event`. */
  readonly uncovered: readonly string[];
  readonly failures: readonly MachineFailure[];
}

/**
 * Takes each transition that can be reached, effects that end, fail and time out included. Without
 * samples, each event comes bare. MESH_ERR_CHART_MODEL where the walk cannot begin or has no end.
 */
export function testMachine(machine: AnyStateMachine, given: AnyModel = {}): MachineTest {
  const failures: MachineFailure[] = [];
  const { found, model } = begin(machine, given, failures);
  for (const { from, event } of model.edges) found.add(from, event);
  return {
    machine: machine.id,
    states: model.states.length,
    steps: model.edges.length,
    coverage: found.coverage(),
    uncovered: found.uncovered(),
    failures,
  };
}

function begin(machine: AnyStateMachine, given: AnyModel, failures: MachineFailure[]) {
  try {
    const found = new ModelCoverage(machine, given.input);
    const options: ModelOptions<AnyStateMachine> = {
      ...given,
      input: given.input,
      samples: given.samples ?? bareEvents(found.chart),
      onThrow: ({ from, event, error, mermaid }) =>
        failures.push({
          state: stateName(from),
          event: eventName(event),
          message: error instanceof Error ? error.message : String(error),
          mermaid,
        }),
    };
    const model: Model<AnyStateMachine> = exploreMachine(machine, options);
    const [start] = model.states;
    if (start?.status === 'error') throw start.error;
    return { found, model };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw chartError('MESH_ERR_CHART_MODEL', `Walking ${machine.id} failed: ${why}`, { cause });
  }
}

function bareEvents(chart: Chart): { readonly type: string }[] {
  const all = [...statesOf(chart.root)].flatMap(({ transitions }) => transitions);
  const types = all.filter(({ kind }) => kind === 'event').map(({ event }) => event);
  return [...new Set(types)].filter((type) => !type.endsWith('*')).map((type) => ({ type }));
}
