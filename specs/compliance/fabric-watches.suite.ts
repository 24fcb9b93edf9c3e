import { describe, expect, it } from 'vitest';
import { join, planRequest, serve, slotReport } from '../support/fabric-world.ts';
import type { MakeFabricWorld } from '../support/fabric-world.ts';
import { DIGEST_B } from '../support/workload-samples.ts';
import type { Plan } from '../../machines/workload/plan.ts';

/** What any implementation of the port owes to those who watch. */
export function fabricWatchesSuite(name: string, make: MakeFabricWorld): void {
  describe(`${name}: watches`, () => {
    it('give the current state at once, then each change when it is acknowledged', async () => {
      await using world = make();
      await join(world, 'node-1');
      const seen: number[][] = [];
      const listener = (plans: readonly Plan[]): void =>
        void seen.push(plans.map(({ generation }) => generation));
      const unsubscribe = world.fabric.watchPlans(listener);
      expect(seen).toEqual([[]]);
      await world.fabric.publishPlan(planRequest());
      expect(seen).toEqual([[], [1]]);
      await world.fabric.publishPlan(planRequest({ digest: DIGEST_B }));
      await world.fabric.publishPlan(planRequest({ app: 'other' }));
      expect(seen).toEqual([[], [1], [2], [2, 1]]);
      unsubscribe();
      unsubscribe();
      await world.fabric.stopApp('other');
      expect(seen).toHaveLength(4);
    });

    it('tell a node of its slots, also of those that are gone, and of no others', async () => {
      await using world = make();
      await join(world, 'node-1', 'node-2');
      const seen: string[] = [];
      world.fabric.watchAssignments('node-1', (all) =>
        seen.push(all.map((one) => `${one.app} ${one.generation} ${one.permission}`).join()),
      );
      await world.fabric.publishPlan(planRequest());
      await world.fabric.permit(
        'hello',
        1,
        [{ app: 'hello', node: 'node-2', ordinal: 0 }],
        'serve',
      );
      await world.fabric.endDeployment('hello', 1, 'succeeded', null);
      await world.fabric.stopApp('hello');
      expect(seen).toEqual(['', 'hello 1 launch', 'hello 1 serve', '']);
    });

    it('show everything of one app, and null while it is unknown', async () => {
      await using world = make();
      await join(world, 'node-1');
      const seen: (string | null)[] = [];
      world.fabric.watchApp('hello', (view) =>
        seen.push(
          view &&
            [
              view.plan.intent,
              view.deployments[0]?.outcome,
              view.assignments[0]?.permission,
              view.reports[0]?.state,
            ].join(' '),
        ),
      );
      await world.fabric.publishPlan(planRequest({ app: 'other' }));
      await world.fabric.publishPlan(planRequest());
      await world.fabric.reportSlot(slotReport());
      await world.fabric.endDeployment('hello', 1, 'succeeded', null);
      await world.fabric.stopApp('hello');
      await world.fabric.reportSlot(slotReport({ state: 'stopped' }));
      await world.fabric.removeApp('hello');
      expect(seen).toEqual([
        null,
        'run pending launch ',
        'run pending launch serving',
        'run succeeded serve serving',
        'stop succeeded  serving',
        'stop succeeded  ',
        null,
      ]);
    });

    it('say nothing where nothing changed for them', async () => {
      await using world = make();
      await join(world, 'node-1');
      await world.fabric.publishPlan(planRequest());
      await world.fabric.reportSlot(slotReport());
      const calls: string[] = [];
      world.fabric.watchPlans(() => calls.push('plans'));
      world.fabric.watchApp('hello', () => calls.push('app'));
      world.fabric.watchEndpoints(() => calls.push('endpoints'));
      await world.fabric.reportSlot(slotReport());
      await world.fabric.permit('hello', 7, [], 'serve');
      await world.fabric.switchEndpoints([], ['absent']);
      expect(calls).toEqual(['plans', 'app', 'endpoints']);
    });

    it('are not told of what was refused', async () => {
      await using world = make();
      let calls = 0;
      world.fabric.watchPlans(() => calls++);
      await expect(world.fabric.publishPlan(planRequest())).rejects.toThrow('refused');
      expect(calls).toBe(1);
    });

    it('report a listener that throws, and go on with it and with the others', async () => {
      await using world = make();
      await join(world, 'node-1');
      const seen: string[] = [];
      const failure = new Error('listener');
      world.fabric.watchPlans(() => {
        seen.push('first');
        throw failure;
      });
      world.fabric.watchPlans(() => seen.push('second'));
      await world.fabric.publishPlan(planRequest());
      expect(seen).toEqual(['first', 'second', 'first', 'second']);
      expect(world.reported).toEqual([failure, failure]);
    });

    it('give each listener a state of its own', async () => {
      await using world = make();
      await serve(world, 'hello-1');
      world.fabric.watchEndpoints((all) => {
        (all as unknown[]).length = 0;
      });
      let count = 0;
      world.fabric.watchEndpoints((all) => {
        count = all.length;
      });
      expect(count).toBe(1);
    });

    it('give a listener that writes the newest state, and none while it runs', async () => {
      await using world = make();
      const { fabric } = world;
      await join(world, 'node-1');
      const seen: number[] = [];
      const writes: Promise<unknown>[] = [];
      let depth = 0;
      let depthMax = 0;
      fabric.watchPlans(([plan]) => {
        depthMax = Math.max(depthMax, ++depth);
        if (plan && plan.generation < 5) writes.push(fabric.publishPlan(planRequest()));
        depth--;
      });
      fabric.watchPlans(([plan]) => seen.push(plan?.generation ?? 0));
      await fabric.publishPlan(planRequest());
      await Promise.all(writes);
      expect(depthMax).toBe(1);
      expect(seen[0]).toBe(0);
      expect(seen.at(-1)).toBe(5);
      expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
    });

    it('stop two listeners that undo each other from holding the turn for ever', async () => {
      await using world = make();
      const { fabric, clock } = world;
      await join(world, 'node-1');
      await fabric.publishPlan(planRequest());
      let calls = 0;
      const unsubscribe = fabric.watchPlans(() => {
        calls++;
        void fabric.publishPlan(planRequest());
      });
      expect(calls).toBeLessThan(300);
      unsubscribe();
      await clock.advance(1_000);
      const settled = calls;
      await fabric.publishPlan(planRequest());
      expect(calls).toBe(settled);
    });

    it('may be ended and begun by listeners', async () => {
      await using world = make();
      await join(world, 'node-1');
      const seen: string[] = [];
      const ends: (() => void)[] = [];
      world.fabric.watchPlans((plans) => {
        seen.push(`a${plans.length}`);
        for (const end of ends) end();
        if (plans.length === 1) world.fabric.watchPlans((now) => seen.push(`c${now.length}`));
      });
      ends.push(world.fabric.watchPlans((plans) => seen.push(`b${plans.length}`)));
      await world.fabric.publishPlan(planRequest());
      expect(seen).toEqual(['a0', 'b0', 'a1', 'c1']);
    });
  });

  describe(`${name}: close`, () => {
    it('ends watches, refuses later calls and may be repeated', async () => {
      await using world = make();
      let calls = 0;
      world.fabric.watchPlans(() => calls++);
      await world.fabric.close();
      await world.fabric.close();
      const refusal = { code: 'MESH_ERR_FABRIC_UNAVAILABLE' };
      await expect(world.fabric.apps()).rejects.toMatchObject(refusal);
      await expect(world.fabric.stopApp('hello')).rejects.toMatchObject(refusal);
      expect(() => world.fabric.watchPlans(() => calls++)).toThrow('after its end');
      expect(world.clock.pending).toBe(0);
      expect(calls).toBe(1);
    });
  });
}
