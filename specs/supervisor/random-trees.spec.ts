import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  AnyChildSpec,
  RestartType,
  SupervisorSpec,
  TreeNode,
} from '../../supervisor/index.ts';
import { ReferenceSupervisor } from '../support/reference-supervisor.ts';
import { SupervisedWorld, obedientMachine } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

const RESTARTS: readonly RestartType[] = ['permanent', 'transient', 'temporary'];

interface Living {
  count: number;
}

const worker = (id: string, restart: RestartType, isSignificant: boolean): AnyChildSpec => ({
  id,
  restart,
  logic: obedientMachine,
  input: {},
  significant: isSignificant && restart !== 'permanent',
});

const flags = fc.record({
  strategy: fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
  intensity: fc.integer({ min: 0, max: 4 }),
  autoShutdown: fc.constantFrom('never', 'never', 'any_significant', 'all_significant'),
  restart: fc.constantFrom(...RESTARTS),
});

const workers = fc.array(fc.tuple(fc.constantFrom(...RESTARTS), fc.boolean()), { maxLength: 4 });

/** Two levels under the root, with every mixture of flags. */
const trees: fc.Arbitrary<SupervisorSpec> = fc
  .tuple(flags, workers, fc.array(fc.tuple(flags, workers), { maxLength: 3 }))
  .map(([top, own, subs]) => {
    const build = (id: string, set: typeof top, children: AnyChildSpec[]): SupervisorSpec => ({
      ...set,
      id,
      type: 'supervisor',
      children:
        set.autoShutdown === 'never'
          ? children.map((child) => ({ ...child, significant: false }))
          : children,
    });
    const plain = (prefix: string, list: typeof own) =>
      list.map(([restart, isSignificant], at) => worker(`${prefix}${at}`, restart, isSignificant));
    const nested = subs.map(([set, list], at) => build(`s${at}`, set, plain('w', list)));
    return build('root', top, [...plain('w', own), ...nested]);
  });

const places = fc.constantFrom('', '', 's0', 's1', 's2');
const ids = fc.constantFrom('w0', 'w1', 'w2', 'w3', 's0', 's1', 'extra');
const commands = fc.array(
  fc.oneof(
    fc.record({ do: fc.constantFrom('crash', 'crash', 'finish'), at: places, id: ids }),
    fc.record({
      do: fc.constantFrom('terminateChild', 'restartChild', 'deleteChild', 'startChild'),
      at: places,
      id: ids,
    }),
    fc.record({ do: fc.constant('wait'), at: fc.constant(''), id: fc.constant('') }),
  ),
  { maxLength: 25 },
);

const show = (node: TreeNode): string[] =>
  node.children.flatMap((child) => [
    `${child.path}:${child.status === 'running' ? child.incarnation : child.status}`,
    ...show(child),
  ]);

type Command = { readonly do: string; readonly at: string; readonly id: string };

async function real(world: SupervisedWorld, command: Command): Promise<string> {
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
    case 'startChild': {
      const result = await world.tree.startChild(path, worker(id, 'transient', false));
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
      return 'ok';
    case 'startChild':
      return supervisor.startChild(worker(id, 'transient', false));
    default:
      return supervisor[command.do as 'terminateChild' | 'restartChild' | 'deleteChild'](id);
  }
}

/** Counts the actors that live, wherever they are: started, and not ended in any way. */
function withCensus(spec: SupervisorSpec, living: Living): SupervisorSpec {
  const children = (spec.children ?? []).map((child): AnyChildSpec =>
    child.type === 'supervisor'
      ? withCensus(child, living)
      : { ...child, input: () => (living.count++, {}) },
  );
  return { ...spec, children };
}

describe('a random tree', () => {
  it('does what the reference does, command by command', async () => {
    await fc.assert(
      fc.asyncProperty(trees, commands, async (spec, list) => {
        await using world = await SupervisedWorld.up(spec.children ?? [], spec);
        const model = new ReferenceSupervisor(
          spec,
          new Map(),
          () => world.clock.monotonicNow(),
          () => {},
        );
        for (const command of list) {
          const answer = await real(world, command);
          await settle();
          expect([command, answer]).toEqual([command, reference(model, command)]);
          expect(show(world.tree.describe())).toEqual(model.show('root'));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('keeps its counts and loses nobody when much happens at once', async () => {
    await fc.assert(
      fc.asyncProperty(trees, commands, async (spec, list) => {
        const living = { count: 0 };
        const counted = withCensus(spec, living);
        await using world = await SupervisedWorld.up(counted.children ?? [], counted);
        let ended = 0;
        world.tree.onReport(({ type, path }) => {
          const isWorker = !/^(?:root|.*\/s\d)$/.test(path);
          if (isWorker && ['crash', 'exit', 'shutdown', 'shutdown_error'].includes(type)) ended++;
        });
        const pending = list
          .filter(({ do: what }) => what !== 'startChild')
          .map((command) => real(world, command));
        await Promise.all(pending);
        await settle(10);
        const count = (path: string): number =>
          world.tree.whichChildren(path).reduce((sum, { type, status, path: at }) => {
            const isAlive = ['starting', 'running', 'stopping'].includes(status);
            return sum + (type === 'supervisor' ? count(at) : Number(isAlive));
          }, 0);
        expect(living.count - ended).toBe(count('root'));
        for (const path of ['root', 'root/s0', 'root/s1', 'root/s2']) {
          const infos = world.tree.whichChildren(path);
          expect(world.tree.countChildren(path)).toEqual({
            specs: infos.length,
            active: infos.filter(({ status }) => status === 'running').length,
            supervisors: infos.filter(({ type }) => type === 'supervisor').length,
            workers: infos.filter(({ type }) => type === 'worker').length,
          });
        }
        await world.tree.stop();
        expect(living.count).toBe(ended);
        expect(world.clock.pending).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
