import { createPlannerLogic } from '../../../actors/workload/planner.actor.ts';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import { createRolloutLogic } from '../../../actors/workload/rollout.actor.ts';
import type { Plan } from '../../../machines/workload/plan.ts';
import { plannerMachine } from '../../../machines/workload/planner.machine.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { plannerModel } from '../../support/model/workload-models.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

modelWalk(plannerMachine, {
  models: [plannerModel],
  bind: (gates) => {
    const clock = new VirtualClock();
    let publish: ((plans: readonly Plan[]) => void) | undefined;
    const fabric: Partial<Fabric> = {
      watchPlans: (listener) => {
        publish = listener;
        listener([]);
        return () => undefined;
      },
      sweep: () => gates.wait('sweep'),
    };
    const ports = { fabric, clock } as unknown as WorkloadPorts;
    return {
      logic: createPlannerLogic(ports, createRolloutLogic(ports)),
      facts: {
        'plans.changed': ({ plans }: { plans: readonly Plan[] }) => publish?.(plans),
        'sweep.failed': async ({ message }: { message: string }) => {
          await clock.fireNext();
          gates.fail('sweep', message);
        },
      },
    };
  },
});
