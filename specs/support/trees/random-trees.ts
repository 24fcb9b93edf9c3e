/** Random supervision trees with random commands, held against the reference step by step. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import type {
  AnyChildSpec,
  InputScope,
  RestartType,
  SupervisorSnapshot,
  SupervisorSpec,
  TreeNode,
} from '../../../supervisor/index.ts';
import { ReferenceSupervisor } from './reference-supervisor.ts';
import { SupervisedWorld, obedientMachine } from '../supervised.ts';
import { settle } from '../virtual-clock.ts';

const RESTARTS: readonly RestartType[] = ['permanent', 'transient', 'temporary'];

/** Paths whose next so many starts fail. */
export type Failures = Map<string, number>;

const hasFailed = (failures: Failures, path: string): boolean => {
  const left = failures.get(path) ?? 0;
  if (left > 0) failures.set(path, left - 1);
  return left > 0;
};

const worker = (
  id: string,
  restart: RestartType,
  isSignificant: boolean,
  failures: Failures,
): AnyChildSpec => ({
  id,
  restart,
  logic: obedientMachine,
  input: ({ path }: InputScope) => ({
    onStart: () => (hasFailed(failures, path) ? 'throw' : 'up'),
  }),
  significant: isSignificant && restart !== 'permanent',
});

const flags = fc.record({
  strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'),
  intensity: fc.integer({ min: 0, max: 6 }),
  autoShutdown: fc.constantFrom('never', 'never', 'any_significant', 'all_significant'),
  restart: fc.constantFrom(...RESTARTS),
});
/** A root that lasts a while: when it has ended, nothing more happens. */
const rootFlags = fc.record({
  strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'),
  intensity: fc.integer({ min: 2, max: 12 }),
  autoShutdown: fc.constantFrom('never', 'never', 'never', 'all_significant', 'any_significant'),
  restart: fc.constantFrom(...RESTARTS),
});
type Flags = typeof flags extends fc.Arbitrary<infer Value> ? Value : never;
type Worker = [RestartType, boolean];

const workers = fc.array(fc.tuple(fc.constantFrom(...RESTARTS), fc.boolean()), {
  maxLength: 4,
  size: 'max',
});

/** A tree that is made anew for each run, since its failures are its own. */
export type RandomTree = (failures: Failures) => SupervisorSpec;

/** What the flags cannot have is taken from the children, or the other way round. */
function fitting(id: string, set: Flags, children: AnyChildSpec[]): SupervisorSpec {
  const isSimple = set.strategy === 'simple_one_for_one';
  const template = children.find((child) => child.type !== 'supervisor');
  const isPlain = isSimple || set.autoShutdown === 'never';
  return {
    ...set,
    id,
    type: 'supervisor',
    strategy: isSimple && !template ? 'one_for_one' : set.strategy,
    autoShutdown: isSimple ? 'never' : set.autoShutdown,
    children: (isSimple && template ? [template] : children).map((child) =>
      isPlain ? { ...child, significant: false } : child,
    ),
  };
}

/** Two levels under the root, with every mixture of flags. */
export const trees: fc.Arbitrary<RandomTree> = fc
  .tuple(rootFlags, workers, fc.array(fc.tuple(flags, workers), { maxLength: 3, size: 'max' }))
  .map(([top, own, subs]) => {
    const build: RandomTree = (failures) => {
      const plain = (list: readonly Worker[]) =>
        list.map(([restart, isSignificant], at) =>
          worker(`w${at}`, restart, isSignificant, failures),
        );
      const nested = subs.map(([set, list], at) => fitting(`s${at}`, set, plain(list)));
      return fitting('root', top, [...plain(own), ...nested]);
    };
    // Shown with a counterexample.
    return Object.assign(build, { toString: () => JSON.stringify({ top, own, subs }) });
  });

const places = fc.constantFrom('', '', 's0', 's0', 's1', 's2');
const ids = fc.constantFrom('w0', 'w0', 'w1', 'w1', 'w2', 'w3', 's0', 's1', 'extra');

/** What may happen, one after the other. */
export const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    do: fc.constantFrom(
      'crash',
      'crash',
      'crash',
      'finish',
      'break',
      'break',
      'terminateChild',
      'restartChild',
      'deleteChild',
      'startChild',
      'startChild',
      'wait',
    ),
    at: places,
    id: ids,
    times: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 30, size: 'max' },
);

/** One thing that happens to a tree. */
export interface Command {
  readonly do: string;
  /** The supervisor below the root, or the root. */
  readonly at: string;
  readonly id: string;
  /** Of `break`: starts that fail. */
  readonly times: number;
}

const pathOf = ({ at, id }: Command): string => (at === '' ? `root/${id}` : `root/${at}/${id}`);

/** Runs a command against the real tree; gives its answer. */
export async function perform(
  world: SupervisedWorld,
  command: Command,
  failures: Failures,
): Promise<string> {
  const path = command.at === '' ? 'root' : `root/${command.at}`;
  const { id } = command;
  switch (command.do) {
    case 'crash':
    case 'finish':
      world.tree.send(`${path}/${id}`, { type: command.do });
      return 'ok';
    case 'wait':
      await world.clock.advance(3000);
      return 'ok';
    case 'break':
      failures.set(pathOf(command), command.times);
      return 'ok';
    case 'startChild': {
      const seen = world.tree.snapshotOf(path) as SupervisorSnapshot | undefined;
      const isSimple = seen?.context?.strategy === 'simple_one_for_one';
      const spec = isSimple ? { id } : worker(id, 'transient', false, failures);
      const result = await world.tree.startChild(path, spec);
      return result.ok ? 'ok' : result.reason;
    }
    default: {
      const call = command.do as 'terminateChild' | 'restartChild' | 'deleteChild';
      const result = await world.tree[call](path, id);
      return result.ok ? 'ok' : result.reason;
    }
  }
}

function reference(root: ReferenceSupervisor, command: Command): string {
  const supervisor = command.at === '' ? root : root.find(command.at)?.nested;
  const { id } = command;
  if (!root.isUp || !supervisor) return command.do.endsWith('Child') ? 'not_found' : 'ok';
  switch (command.do) {
    case 'crash':
    case 'finish':
      if (supervisor.find(id)?.spec.type !== 'supervisor')
        supervisor.end(id, command.do === 'crash' ? 'error' : 'normal');
      return 'ok';
    case 'wait':
    case 'break':
      return 'ok';
    case 'startChild':
      return supervisor.startChild(worker(id, 'transient', false, new Map()));
    default:
      return supervisor[command.do as 'terminateChild' | 'restartChild' | 'deleteChild'](id);
  }
}

const show = (node: TreeNode): string[] =>
  node.children.flatMap((child) => [
    `${child.path}:${child.status === 'running' ? child.incarnation : child.status}`,
    ...show(child),
  ]);

/** What was compared. */
export interface Compared {
  commands: number;
  reports: number;
}

/** Runs both, and after each command expects the same answer, children, order and reports. */
export async function expectReference(
  tree: RandomTree,
  list: readonly Command[],
  compared: Compared,
): Promise<void> {
  const failures: Failures = new Map();
  const spec = tree(failures);
  await using world = await SupervisedWorld.up(spec.children ?? [], spec);
  const told: string[] = [];
  const modelFailures: Failures = new Map();
  const model = new ReferenceSupervisor(
    spec,
    'root',
    new Map(),
    {
      now: () => world.clock.monotonicNow(),
      fails: (path) => hasFailed(modelFailures, path),
      tell: (report) => told.push(report),
    },
    () => {},
  );
  model.start();
  told.length = 0;
  for (const command of list) {
    if (command.do === 'break') modelFailures.set(pathOf(command), command.times);
    const answer = await perform(world, command, failures);
    await settle();
    expect([command, answer]).toEqual([command, reference(model, command)]);
    expect(show(world.tree.describe())).toEqual(model.show());
    expect(world.reports.map(({ type, path }) => `${type} ${path}`)).toEqual(told);
    compared.commands++;
    compared.reports += told.length;
    world.reports.length = 0;
    told.length = 0;
  }
}
