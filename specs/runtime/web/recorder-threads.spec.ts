import { describe, expect, it } from 'vitest';
import { Recorder } from '../../../runtime/web/recorder/recorder.ts';
import { World, placed } from '../../support/threads/thread-world.ts';
import { until } from '../../support/until.ts';

/** Everything of `r/a` that a page shows. */
const shown = (recorder: Recorder) => recorder.detailsOf('r/a');

describe('Recorder, of an actor in a thread', () => {
  it('shows its chart, its states and the transitions that it took', async () => {
    await using world = await World.of([placed()]);
    const recorder = new Recorder(world.tree);
    try {
      await until(() => shown(recorder)?.machine !== undefined);
      recorder.watch(new Set(['r/a']));
      world.send({ type: 'count', by: 2 });
      await until(() => (shown(recorder)?.steps.length ?? 0) > 0);
      world.send({ type: 'count', by: 3 });
      await until(() => (shown(recorder)?.steps.length ?? 0) > 1);
      const steps = shown(recorder)?.steps;
      expect(
        steps?.map(({ event, active, taken, context }) => [event, active, taken, context]),
      ).toEqual([
        ['count', ['up'], ['|count|0'], { count: 2 }],
        ['count', ['up'], ['|count|0'], { count: 5 }],
      ]);
      world.send({ type: 'crash' });
      await until(() => world.incarnation === 2);
      await until(() => shown(recorder)?.incarnation === 2 && shown(recorder)?.active[0] === 'up');
      expect(recorder.machines()).toMatchObject([{ key: 'probe', name: 'probe', actors: 1 }]);
      expect(recorder.all().actors).toMatchObject([
        { path: 'r', machine: null },
        { path: 'r/a', machine: 'probe', state: 'up' },
      ]);
    } finally {
      recorder.close();
    }
  });
});
