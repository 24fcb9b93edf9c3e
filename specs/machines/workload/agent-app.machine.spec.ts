import { agentAppMachine } from '../../../machines/workload/agent-app.machine.ts';
import { CRASH_LOOP_FAILURES } from '../../../machines/workload/succession.ts';
import type { AgentAppContext, AgentAppEvent } from '../../../machines/workload/succession.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import { DIGEST_B, SLOT, assignment, instanceRecord } from '../../support/workload-samples.ts';

const identity = { pid: 7, startTicks: 7, bootId: 'b', token: '00'.repeat(16) };
const served = instanceRecord({ instance: 'old', role: 'active', process: identity, port: 9 });
const launched = instanceRecord({ instance: 'new', digest: DIGEST_B, generation: 2 });
const reason = { code: 'MESH_ERR_INSTANCE_EXITED', message: 'It exited.' };

const samples: AgentAppEvent[] = [
  { type: 'assign', desired: null },
  { type: 'assign', desired: assignment({ permission: 'hold', digest: DIGEST_B, generation: 2 }) },
  {
    type: 'assign',
    desired: assignment({ permission: 'launch', digest: DIGEST_B, generation: 2 }),
  },
  { type: 'assign', desired: assignment({ permission: 'serve', digest: DIGEST_B, generation: 2 }) },
  {
    type: 'assign',
    desired: assignment({ strategy: 'stop_first', digest: DIGEST_B, generation: 2 }),
  },
  { type: 'instance.ready', instance: 'old', port: 9 },
  { type: 'instance.ready', instance: 'new', port: 10 },
  { type: 'instance.ended', instance: 'old', reason, jitter: 0 },
  { type: 'instance.ended', instance: 'new', reason, jitter: 0 },
  { type: 'instance.lost', instance: 'new' },
  { type: 'report.failed', message: 'The disk is full.' },
  { type: 'stop' },
];

/** What tells two states of a slot apart; failures count only where one is waited out. */
const serialize = (context: AgentAppContext) => ({
  desired: context.desired && [
    context.desired.permission,
    context.desired.strategy,
    context.desired.digest,
  ],
  active: context.active?.instance,
  candidate: context.candidate?.instance,
  isRetiring: context.retiring.length > 0,
  failures: context.active === null ? Math.min(context.failures, CRASH_LOOP_FAILURES) : 0,
});

machineSuite(agentAppMachine, {
  input: { slot: SLOT, desired: assignment() },
  samples,
  outputs: { recoverSlot: [[], [served]], recordInstance: [launched] },
  serialize,
  statesMax: 20_000,
});
