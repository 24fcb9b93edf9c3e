import type { AppView, Fabric } from '../../../actors/workload/ports/fabric.ts';
import { createRolloutLogic } from '../../../actors/workload/rollout.actor.ts';
import { rolloutMachine } from '../../../machines/workload/rollout.machine.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { rolloutModel } from '../../support/model/workload-models.ts';

const PENDING = { generation: 1, outcome: 'pending' };

modelWalk(rolloutMachine, {
  models: [rolloutModel('blue_green'), rolloutModel('stop_first')],
  bind: (gates) => {
    let tell: ((view: AppView | null) => void) | undefined;
    const fabric: Partial<Fabric> = {
      // The first view comes when the model says so.
      watchApp: (_, listener) => {
        tell = listener;
        return () => undefined;
      },
      permit: () => gates.wait('permitSlots'),
      endDeployment: () => gates.wait('endDeployment'),
    };
    return {
      logic: createRolloutLogic({ fabric: fabric as Fabric }),
      facts: {
        'slots.changed': (seen: Pick<AppView, 'assignments' | 'reports'>) =>
          tell?.({ ...seen, deployments: [PENDING] } as unknown as AppView),
        'deployment.ended': () => tell?.(null),
      },
    };
  },
});
