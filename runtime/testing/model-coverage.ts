/** How often each transition of a machine's chart was taken, by a walk or by tests. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { chartOf, statesOf } from '../charts/chart.ts';
import type { Chart } from '../charts/chart.ts';
import { coverageOf, writeCoverage } from '../charts/coverage.ts';
import type { Coverage } from '../charts/coverage.ts';
import { createTaken } from './taken.ts';

/** Counts for one machine. */
export class ModelCoverage {
  readonly chart: Chart;
  readonly #takenBy: (from: AnyMachineSnapshot, event: EventObject) => readonly string[];
  readonly #counts = new Map<string, number>();
  #writing: Promise<void> = Promise.resolve();

  constructor(machine: AnyStateMachine, input: unknown) {
    this.chart = chartOf(machine);
    this.#takenBy = createTaken(machine, input);
  }

  /** A step that was taken. */
  add(from: AnyMachineSnapshot, event: EventObject): void {
    for (const id of this.#takenBy(from, event))
      this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  coverage(): Coverage {
    return coverageOf(this.chart, this.#counts);
  }

  /** `state: event` of each transition that was never taken; one by `always` has no event. */
  uncovered(): readonly string[] {
    const all = [...statesOf(this.chart.root)].flatMap(({ transitions }) => transitions);
    const names = all
      .filter(({ id }) => !this.#counts.has(id))
      .map(({ source, event }) => `${source || this.chart.name}: ${event || 'always'}`);
    return [...new Set(names)];
  }

  /** One after the other; the last one has everything. MESH_ERR_CHART_COVERAGE. */
  write(file: string): Promise<void> {
    const written = this.#writing.then(() => writeCoverage(file, this.coverage()));
    // The one who asked is told of a failure; the next one begins anew.
    this.#writing = written.catch(() => undefined);
    return written;
  }
}
