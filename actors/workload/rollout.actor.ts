/** Binds a rollout to the fabric. */
import { fromCallback, fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import { rolloutMachine } from '../../machines/workload/rollout.machine.ts';
import type { RolloutEvent } from '../../machines/workload/rollout.machine.ts';
import type { Plan } from '../../machines/workload/plan.ts';
import { childSpec } from '../../supervisor/index.ts';
import type { AppView, Fabric } from './ports/fabric.ts';
import { rolloutId } from './paths.ts';

type Provided = NonNullable<Parameters<typeof rolloutMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

const isPending = (view: AppView | null, generation: number): view is AppView =>
  view !== null &&
  view.deployments.some((one) => one.generation === generation && one.outcome === 'pending');

export function createRolloutLogic({ fabric }: { readonly fabric: Fabric }) {
  const actors: Bindings = {
    crash,
    watchSlots: fromCallback<RolloutEvent, { app: string; generation: number }>(
      ({ input: { app, generation }, sendBack }) =>
        fabric.watchApp(app, (view) => {
          if (!isPending(view, generation)) sendBack({ type: 'deployment.ended' });
          else
            sendBack({
              type: 'slots.changed',
              assignments: view.assignments,
              reports: view.reports,
            });
        }),
    ),
    permitSlots: fromPromise(({ input: { app, generation, slots, permission } }) =>
      fabric.permit(app, generation, slots, permission),
    ),
    endDeployment: fromPromise(async ({ input: { app, generation, outcome, reason } }) => {
      await fabric.endDeployment(app, generation, outcome, reason);
    }),
  };
  return rolloutMachine.provide({ actors });
}

export const rolloutChildSpec = (
  logic: ReturnType<typeof createRolloutLogic>,
  { app, generation, strategy }: Pick<Plan, 'app' | 'generation' | 'strategy'>,
) =>
  childSpec({
    id: rolloutId(app, generation),
    logic,
    input: { app, generation, strategy },
    restart: 'transient',
    // The fabric holds all but the deadlines of the phases: a second of them may be lost, and at the
    // first doubt everything is read anew.
    resume: {
      from: 'snapshot',
      durability: { everyMs: 1_000, everyEvents: 100 },
      failuresMax: 1,
    },
    backoff: { minMs: 20, maxMs: 5_000, factor: 2, jitter: 0.2, resetAfterMs: 30_000 },
  });
