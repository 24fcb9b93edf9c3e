/**
 * Tests of a system against the machine that describes it: one for each transition that the machine
 * can take, by the shortest way to it. The machine says what to do and what must be so afterwards;
 * the system under test says how that is done and looked at.
 */
import { transition } from 'xstate';
import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  EventFrom,
  EventObject,
  SnapshotFrom,
} from 'xstate';
import { exploreMachine } from './model-paths.ts';
import type { EdgePath, Model, ModelOptions } from './model-paths.ts';

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
  /** Transitions of the chart that no sample takes, as `state: event`; those by `always` are not listed. */
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
  { events, sut, input, ...rest }: ModelTestOptions<TMachine>,
): ModelTests {
  const options = { ...rest, samples: events, input } as ModelOptions<TMachine>;
  const model = exploreMachine(machine, options);
  const start = model.states[0] as SnapshotFrom<TMachine>;
  const cases = model.edges.map((edge) => ({
    name: edge.name,
    run: () => walk(machine, start, edge, sut),
  }));
  return { cases, uncovered: uncoveredOf(machine, model) };
}

async function walk<TMachine extends AnyStateMachine>(
  machine: TMachine,
  start: SnapshotFrom<TMachine>,
  { prefix, event: last }: EdgePath<TMachine>,
  sut: ModelTestOptions<TMachine>['sut'],
): Promise<void> {
  const system = await sut();
  try {
    let expected = start as AnyMachineSnapshot;
    await system.check(start);
    for (const event of [...prefix, last]) {
      expected = transition(machine as AnyStateMachine, expected, event)[0];
      await system.apply(event as EventFrom<TMachine>);
      await system.check(expected as SnapshotFrom<TMachine>);
    }
  } finally {
    await system.dispose?.();
  }
}

const nodesBelow = (node: AnyStateNode): readonly AnyStateNode[] => [
  node,
  ...Object.values(node.states).flatMap(nodesBelow),
];

/** What XState finds for an event in a state; stable in shape, and not in its types. */
interface Taken {
  getTransitionData(snapshot: unknown, event: EventObject): readonly object[];
}

function uncoveredOf<TMachine extends AnyStateMachine>(
  machine: TMachine,
  { edges }: Model<TMachine>,
): readonly string[] {
  const taken = new Set(
    edges.flatMap(({ from, event }) =>
      (machine as unknown as Taken).getTransitionData(from, event),
    ),
  );
  const all = nodesBelow(machine.root).flatMap((node) =>
    [...node.transitions.values()].flatMap((transitions) =>
      transitions
        .filter((one) => !taken.has(one))
        .map(({ eventType }) => `${node.path.join('.') || machine.id}: ${eventType}`),
    ),
  );
  return [...new Set(all)];
}
