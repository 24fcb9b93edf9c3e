/** Binds the planner to the fabric, and starts one rollout actor per pending deployment. */
import { fromCallback } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { plannerMachine } from '../../machines/workload/planner.machine.ts';
import type { PlannerEvent } from '../../machines/workload/planner.machine.ts';
import type { Plan } from '../../machines/workload/plan.ts';
import { childSpec } from '../../supervisor/index.ts';
import { HEARTBEAT_MS, LEASE_MS } from './lease.ts';
import { ROLLOUTS, rolloutId } from './paths.ts';
import type { WorkloadPorts } from './ports/instance.ts';
import { rolloutChildSpec } from './rollout.actor.ts';
import type { createRolloutLogic } from './rollout.actor.ts';

type Provided = NonNullable<Parameters<typeof plannerMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

/** Leases last fifteen seconds, so one second decides little. */
export const SWEEP_INTERVAL_MS = 1_000;

/**
 * Ends leases that nobody renews. Whoever slept, was stopped, or had the wall clock set forward under
 * it finds every lease ended and knows nothing of their holders, who may have slept, too: they are
 * given the time of a lease to renew first. So is everybody after a start.
 */
const createSweeps = ({ fabric, clock }: Pick<WorkloadPorts, 'fabric' | 'clock'>) =>
  fromCallback<PlannerEvent, Record<string, never>>(({ sendBack }) => {
    let timer: unknown;
    let isOver = false;
    const wait = (ms: number): void => {
      const dueAtMs = clock.now() + ms;
      timer = clock.setTimeout(() => {
        if (clock.now() - dueAtMs > HEARTBEAT_MS) wait(LEASE_MS);
        else sweep();
      }, ms);
    };
    const sweep = (): void => {
      fabric
        .sweep(clock.now())
        .then(() => {
          if (!isOver) wait(SWEEP_INTERVAL_MS);
        })
        .catch((error: unknown) => {
          if (!isOver) sendBack({ type: 'sweep.failed', message: String(error) });
        });
    };
    wait(LEASE_MS);
    return () => {
      isOver = true;
      clock.clearTimeout(timer);
    };
  });

export function createPlannerLogic(
  ports: WorkloadPorts,
  rollout: ReturnType<typeof createRolloutLogic>,
) {
  const { fabric, tree } = ports;

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
    sweepLeases: createSweeps(ports),
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
