import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyChildSpec, SupervisorSpec } from '../../supervisor/index.ts';
import { commands, expectReference, perform, trees } from '../support/trees/random-trees.ts';
import { SupervisedWorld } from '../support/supervised.ts';
import { settle } from '../support/virtual-clock.ts';

interface Living {
  count: number;
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
  it('does and reports what the reference does, command by command', async () => {
    const compared = { commands: 0, reports: 0 };
    await fc.assert(
      fc.asyncProperty(trees, commands, (tree, list) => expectReference(tree, list, compared)),
      { numRuns: 200 },
    );
  });

  it('keeps its counts and loses nobody when much happens at once', async () => {
    await fc.assert(
      fc.asyncProperty(trees, commands, async (tree, list) => {
        const living = { count: 0 };
        const counted = withCensus(tree(new Map()), living);
        await using world = await SupervisedWorld.up(counted.children ?? [], counted);
        let ended = 0;
        world.tree.onReport(({ type, path }) => {
          const isWorker = !/^(?:root|.*\/s\d)$/.test(path);
          if (isWorker && ['crash', 'exit', 'shutdown', 'shutdown_error'].includes(type)) ended++;
        });
        const pending = list
          .filter(({ do: what }) => what !== 'startChild')
          .map((command) => perform(world, command, new Map()));
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
