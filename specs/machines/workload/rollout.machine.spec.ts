import { rolloutMachine } from '../../../machines/workload/rollout.machine.ts';
import type { RolloutContext, RolloutEvent } from '../../../machines/workload/rollout.machine.ts';
import type { Permission, SlotReport, SlotState } from '../../../machines/workload/plan.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { SLOT, assignment } from '../../support/workload-samples.ts';

const report = (ordinal: number, state: SlotState): SlotReport => ({
  ...SLOT,
  ordinal,
  generation: 1,
  state,
  reason: null,
  restarts: 0,
  updatedAtMs: 0,
});

const seen = (permissions: Permission[], states: SlotState[]): RolloutEvent => ({
  type: 'slots.changed',
  assignments: permissions.map((permission, ordinal) => assignment({ ordinal, permission })),
  reports: states.map((state, ordinal) => report(ordinal, state)),
});

const samples: RolloutEvent[] = [
  seen(['launch', 'launch'], ['launching', 'launching']),
  seen(['launch', 'launch'], ['candidate_ready', 'serving']),
  seen(['launch', 'launch'], ['candidate_ready', 'failed']),
  seen(['serve', 'serve'], ['serving', 'candidate_ready']),
  seen(['serve', 'serve'], ['serving', 'serving']),
  seen(['serve', 'hold'], ['serving', 'pending']),
  seen(['hold', 'hold'], ['pending', 'pending']),
  seen(['serve', 'hold'], ['crash_looping', 'pending']),
  { type: 'deployment.ended' },
  { type: 'stop' },
];

for (const strategy of ['blue_green', 'stop_first'] as const) {
  const other =
    strategy === 'stop_first'
      ? ['proving', 'permitting', 'switching']
      : ['permittingNext', 'replacing'];
  machineSuite(rolloutMachine, {
    input: { app: 'hello', generation: 1, strategy },
    samples,
    serialize: ({ assignments, reports, isSeen }: RolloutContext) => [
      isSeen,
      assignments.map(({ permission }) => permission),
      reports.map(({ state }) => state),
    ],
    unreachable: Object.fromEntries(
      other.map((state) => [`running.${state}`, `Not a step of ${strategy}.`]),
    ),
  });
}
