import { rolloutMachine } from '../../../machines/workload/rollout.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { rolloutModel } from '../../support/model/workload-models.ts';

const OTHERS = {
  blue_green: ['permittingNext', 'replacing'],
  stop_first: ['proving', 'permitting', 'switching'],
} as const;

for (const strategy of ['blue_green', 'stop_first'] as const)
  machineSuite(rolloutMachine, {
    ...rolloutModel(strategy),
    unreachable: Object.fromEntries(
      OTHERS[strategy].map((state) => [`running.${state}`, `Not a step of ${strategy}.`]),
    ),
  });
