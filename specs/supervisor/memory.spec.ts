import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { SupervisedWorld, child } from '../support/supervised.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Starts a child with an input of its own, and lets go of that. */
async function startWithInput(world: SupervisedWorld, id: string, isSimple: boolean) {
  const input = { large: Array.from({ length: 1000 }, () => 0) };
  const spec = child(id, { input, restart: 'temporary' });
  await world.tree.startChild('root', isSimple ? { id, input } : spec);
  return new WeakRef(input);
}

describe('a supervisor', () => {
  it.each(['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one'] as const)(
    'with %s keeps neither spec nor input of a temporary child that has ended',
    async (strategy) => {
      const first = child('first', { restart: 'temporary' });
      await using world = await SupervisedWorld.up([first], { strategy });
      const inputs: WeakRef<object>[] = [];
      for (const [id, how] of [
        ['a', 'crash'],
        ['b', 'finish'],
      ] as const) {
        inputs.push(await startWithInput(world, id, strategy === 'simple_one_for_one'));
        await world.tell(id, how);
      }
      inputs.push(await startWithInput(world, 'c', strategy === 'simple_one_for_one'));
      await world.tree.terminateChild('root', 'c');
      world.reports.length = 0;
      await world.clock.advance(1);
      collect();
      expect(inputs.map((input) => input.deref())).toEqual([undefined, undefined, undefined]);
    },
  );
});
