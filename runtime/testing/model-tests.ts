/**
 * Tests of a system against the machine that describes it: one for each transition that the machine
 * can take, by the shortest way to it. The machine says what to do and what must be so afterwards;
 * the system under test says how that is done and looked at.
 */
import { transition } from 'xstate';
import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFrom,
  EventObject,
  SnapshotFrom,
} from 'xstate';
import { ModelCoverage } from './model-coverage.ts';
import { exploreMachine } from './model-paths.ts';
import type { EdgePath, ModelOptions } from './model-paths.ts';
import { pathMermaid } from './path-mermaid.ts';
import type { PathStep } from './path-mermaid.ts';
import { eventName, stateName } from './state-names.ts';
import { withWay } from './watched.ts';

/** One fresh system, for one test. */
export interface SystemUnderTest<TMachine extends AnyStateMachine> {
  /**
   * Makes happen what the event stands for. An effect that ends comes as `xstate.done.actor.ID` or
   * `xstate.error.actor.ID`, a delay that is over as `xstate.after.…`.
   */
  apply(event: EventFrom<TMachine>): void | Promise<void>;
  /** Throws unless the system is as the machine says; called at the start and after each event. */
  check(expected: SnapshotFrom<TMachine>): void | Promise<void>;
  /** Called at the end, however it came. */
  dispose?(): void | Promise<void>;
}

/** What a test of a machine is made of. */
export interface ModelTestOptions<TMachine extends AnyStateMachine> extends Omit<
  ModelOptions<TMachine>,
  'samples' | 'input'
> {
  /** At least one sample of each event that the machine takes from outside. */
  readonly events: readonly EventFrom<TMachine>[];
  readonly input?: ModelOptions<TMachine>['input'];
  /** Makes the system, once for each test. */
  sut(this: void): SystemUnderTest<TMachine> | Promise<SystemUnderTest<TMachine>>;
  /**
   * A file that says how often the tests took each transition, written anew after each one that
   * passed; in `MESH_HOME/coverage` it paints the charts of the inspector. Default: none.
   */
  readonly coverage?: { readonly file: string };
}

/** One test: `it(name, run)`. */
export interface ModelTest {
  /** `closed: open → ajar`; unique. */
  readonly name: string;
  run(this: void): Promise<void>;
}

/** The tests of one machine. */
export interface ModelTests {
  readonly cases: readonly ModelTest[];
  /** Transitions of the chart that no sample takes, as `state: event`. */
  readonly uncovered: readonly string[];
}

/**
 * Makes the tests. Throws where an action of the machine throws on a sample, and where it has more
 * states than `statesMax`: then `serialize` leaves out of the context what only counts up.
 *
 * @example
 * const tests = modelTests(doorMachine, { events: [{ type: 'open' }], sut: () => new DoorDriver() });
 * it.each(tests.cases)('$name', ({ run }) => run());
 * it('leaves nothing out', () => expect(tests.uncovered).toEqual([]));
 */
export function modelTests<TMachine extends AnyStateMachine>(
  machine: TMachine,
  { events, sut, input, coverage, ...rest }: ModelTestOptions<TMachine>,
): ModelTests {
  const options = { ...rest, samples: events, input } as ModelOptions<TMachine>;
  const model = exploreMachine(machine, options);
  const start = model.states[0] as SnapshotFrom<TMachine>;
  const passed = new ModelCoverage(machine, input);
  const cases = model.edges.map((edge) => ({
    name: edge.name,
    run: async () => {
      await walk(machine, start, edge, sut);
      if (coverage === undefined) return;
      for (const [from, event] of stepsOf(start, edge)) passed.add(from, event);
      await passed.write(coverage.file);
    },
  }));
  const found = new ModelCoverage(machine, input);
  for (const { from, event } of model.edges) found.add(from, event);
  return { cases, uncovered: found.uncovered() };
}

/** From where each event of a path is taken. */
function* stepsOf<TMachine extends AnyStateMachine>(
  start: SnapshotFrom<TMachine>,
  { prefix, via, event }: EdgePath<TMachine>,
): Generator<readonly [AnyMachineSnapshot, EventObject]> {
  let from = start as AnyMachineSnapshot;
  for (const [index, one] of [...prefix, event].entries()) {
    yield [from, one];
    from = via[index] ?? from;
  }
}

async function walk<TMachine extends AnyStateMachine>(
  machine: TMachine,
  start: SnapshotFrom<TMachine>,
  { prefix, event: last }: EdgePath<TMachine>,
  sut: ModelTestOptions<TMachine>['sut'],
): Promise<void> {
  const system = await sut();
  const steps: PathStep[] = [];
  try {
    let expected = start as AnyMachineSnapshot;
    await system.check(start);
    for (const event of [...prefix, last]) {
      expected = transition(machine as AnyStateMachine, expected, event)[0];
      steps.push({ event: eventName(event), to: stateName(expected) });
      await system.apply(event as EventFrom<TMachine>);
      await system.check(expected as SnapshotFrom<TMachine>);
    }
  } catch (error) {
    throw withWay(error, pathMermaid(stateName(start as AnyMachineSnapshot), steps));
  } finally {
    await system.dispose?.();
  }
}
