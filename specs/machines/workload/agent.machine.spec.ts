import { agentMachine } from '../../../machines/workload/agent.machine.ts';
import { plannerMachine } from '../../../machines/workload/planner.machine.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { assignment } from '../../support/workload-samples.ts';

machineSuite(agentMachine, {
  input: { node: 'node-1', cpuMilli: 0, memoryMb: 0 },
  samples: [
    { type: 'assignments.changed', assignments: [assignment()] },
    { type: 'heartbeat.failed', message: 'The disk is full.' },
    { type: 'pairs.gone' },
    { type: 'retire' },
    { type: 'stop' },
  ],
});

machineSuite(plannerMachine, {
  input: undefined,
  samples: [
    { type: 'plans.changed', plans: [] },
    { type: 'sweep.failed', message: 'The disk is full.' },
    { type: 'stop' },
  ],
});
