import { createEdgeLogic } from '../../../actors/workload/edge.actor.ts';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import { edgeMachine } from '../../../machines/workload/edge.machine.ts';
import type { Endpoint, Plan } from '../../../machines/workload/plan.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { edgeModel } from '../../support/model/workload-models.ts';
import { SLOT } from '../../support/workload-samples.ts';

const endpoint: Endpoint = {
  app: SLOT.app,
  url: 'http://127.0.0.1:9',
  node: SLOT.node,
  instance: 'hello-1',
  generation: 1,
  expiresAtMs: 0,
};
const plan = { app: SLOT.app } as Plan;

modelWalk(edgeMachine, {
  models: [edgeModel],
  bind: (gates) => {
    let tellPlans: ((plans: readonly Plan[]) => void) | undefined;
    let tellEndpoints: ((endpoints: readonly Endpoint[]) => void) | undefined;
    let isFull = false;
    const fabric: Partial<Fabric> = {
      watchPlans: (listener) => {
        tellPlans = listener;
        listener([]);
        return () => undefined;
      },
      watchEndpoints: (listener) => {
        tellEndpoints = listener;
        listener([]);
        return () => undefined;
      },
    };
    return {
      reset: () => (isFull = false),
      logic: createEdgeLogic({
        fabric: fabric as Fabric,
        routes: { publish: () => undefined },
        onTargets: () => {
          if (isFull) throw new Error('The table is full.');
        },
        openListener: () => ({
          listen: () => gates.wait('openEdge'),
          // Without a deadline, as what a crashed incarnation has left is closed, it is at once.
          close: (deadlineMs) => (deadlineMs > 0 ? gates.wait('closeEdge') : Promise.resolve()),
        }),
      }),
      facts: {
        'routes.published': () => {
          tellEndpoints?.([endpoint]);
          tellPlans?.([plan]);
        },
        'routes.failed': () => {
          isFull = true;
          tellPlans?.([]);
        },
      },
    };
  },
  // Until it is told of plans it counts none; targets are counted in the turn before.
});
