/** Binds the planner to the fabric, and starts one rollout actor per pending deployment. */
import { fromCallback } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { plannerMachine } from '../../machines/workload/planner.machine.ts';
import type { PlannerEvent } from '../../machines/workload/planner.machine.ts';
import type { Plan } from '../../machines/workload/plan.ts';
import { childSpec } from '../../supervisor/index.ts';
import { ROLLOUTS, rolloutId } from './paths.ts';
import type { WorkloadPorts } from './ports/instance.ts';
import { rolloutChildSpec } from './rollout.actor.ts';
import type { createRolloutLogic } from './rollout.actor.ts';

type Provided = NonNullable<Parameters<typeof plannerMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

/** Leases last fifteen seconds, so one second decides little. */
export const SWEEP_INTERVAL_MS = 1_000;

export function createPlannerLogic(
  ports: WorkloadPorts,
  rollout: ReturnType<typeof createRolloutLogic>,
) {
  const { fabric, tree, clock } = ports;

  const startRollout = async (plan: Plan): Promise<void> => {
    const [newest] = await fabric.history(plan.app);
    if (newest?.generation !== plan.generation || newest.outcome !== 'pending') return;
    const id = rolloutId(plan.app, plan.generation);
    const unwatch = tree.watch(`${ROLLOUTS}/${id}`, ({ type, reason }) => {
      if (type === 'up' || reason?.type === 'error') return;
      unwatch();
      // Ended for good: its spec would only take room.
      if (reason?.type === 'normal')
        tree
          .deleteChild(ROLLOUTS, id)
          .catch((error: unknown) => ports.notice(`forgetting the rollout ${id}`, error));
    });
    const started = await tree.startChild(ROLLOUTS, rolloutChildSpec(rollout, plan));
    if (!started.ok) unwatch();
  };

  const actors: Bindings = {
    crash,
    watchPlans: fromCallback<PlannerEvent, Record<string, never>>(({ sendBack }) =>
      fabric.watchPlans((plans) => sendBack({ type: 'plans.changed', plans })),
    ),
    sweepLeases: fromCallback<PlannerEvent, Record<string, never>>(({ sendBack }) => {
      let timer: unknown;
      let isOver = false;
      const sweep = (): void => {
        fabric
          .sweep(clock.now())
          .then(() => {
            if (!isOver) timer = clock.setTimeout(sweep, SWEEP_INTERVAL_MS);
          })
          .catch((error: unknown) => {
            if (!isOver) sendBack({ type: 'sweep.failed', message: String(error) });
          });
      };
      timer = clock.setTimeout(sweep, SWEEP_INTERVAL_MS);
      return () => {
        isOver = true;
        clock.clearTimeout(timer);
      };
    }),
  };
  return plannerMachine.provide({
    actors,
    actions: {
      startRollouts: (_, { plans }) => {
        for (const plan of plans)
          if (plan.intent === 'run' && plan.revertOf === null)
            startRollout(plan).catch((error: unknown) =>
              ports.notice(`starting the rollout of ${plan.app}`, error),
            );
      },
    },
  });
}

export const plannerChildSpec = (logic: ReturnType<typeof createPlannerLogic>) =>
  childSpec({ id: 'planner', logic });
