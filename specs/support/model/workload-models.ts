/**
 * How each workload machine may begin, what may happen to it, and what tells two of its states
 * apart: one model for the suite of any machine, for the walks on fake ports and on real parts.
 */
import type { agentMachine } from '../../../machines/workload/agent.machine.ts';
import type { agentAppMachine } from '../../../machines/workload/agent-app.machine.ts';
import type { edgeMachine } from '../../../machines/workload/edge.machine.ts';
import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import type { InstanceContext } from '../../../machines/workload/instance-rules.ts';
import type { instanceMachine } from '../../../machines/workload/instance.machine.ts';
import type { plannerMachine } from '../../../machines/workload/planner.machine.ts';
import type {
  Permission,
  SlotReport,
  SlotState,
  Strategy,
} from '../../../machines/workload/plan.ts';
import type { rolloutMachine } from '../../../machines/workload/rollout.machine.ts';
import type { RolloutEvent } from '../../../machines/workload/rollout.machine.ts';
import { CRASH_LOOP_FAILURES, hasFailed } from '../../../machines/workload/succession.ts';
import type { AgentAppContext, Goal } from '../../../machines/workload/succession.ts';
import type { targetMachine } from '../../../machines/workload/target.machine.ts';
import type { TargetEvent } from '../../../machines/workload/target.machine.ts';
import type { ModelOptions } from './model-paths.ts';
import { DIGEST_B, SLOT, assignment, instanceRecord } from '../workload-samples.ts';

/** A process that runs, as far as a model cares. */
export const PROCESS = { pid: 7, startTicks: 7, bootId: 'b', token: '00'.repeat(16) };
/** The instance that a slot finds when it begins. */
export const SERVED = instanceRecord({
  instance: 'hello-old',
  role: 'active',
  process: PROCESS,
  port: 9,
});

/** What the id of an instance ends in: one for each digest. */
export const suffixOf = ({ digest }: Pick<Goal, 'digest'>): string => digest.slice(0, 1);
const INSTANCES = [SERVED.instance, 'hello-a', 'hello-b'];

const toB = (permission: Permission, strategy: Strategy = 'blue_green') =>
  assignment({ digest: DIGEST_B, generation: 2, permission, strategy });
const EXITED = { code: 'MESH_ERR_INSTANCE_EXITED', message: 'It exited.' };

/** Where each failure counts: one way to a crash loop is enough, and each takes five times as many. */
const isAlone = ({ desired, active, candidate, lastServed, retiring }: AgentAppContext): boolean =>
  desired?.generation === 1 &&
  [active, candidate, lastServed].every((one) => one === null) &&
  retiring.length === 0;

/** A slot that wants the first revision, whether it finds an instance of it or none. */
export const agentAppModel: ModelOptions<typeof agentAppMachine> = {
  input: { slot: SLOT, desired: assignment() },
  samples: [
    { type: 'assign', desired: null },
    { type: 'assign', desired: toB('hold') },
    { type: 'assign', desired: toB('launch') },
    { type: 'assign', desired: toB('serve') },
    { type: 'assign', desired: toB('serve', 'stop_first') },
    ...INSTANCES.map((instance) => ({ type: 'instance.ready', instance, port: 9 }) as const),
    ...INSTANCES.map(
      (instance) => ({ type: 'instance.ended', instance, reason: EXITED, jitter: 0 }) as const,
    ),
    { type: 'instance.lost', instance: 'hello-a' },
    { type: 'report.failed', message: 'The disk is full.' },
    { type: 'stop' },
  ],
  outputs: {
    recoverSlot: [[], [SERVED]],
    recordInstance: ({ goal }: { goal: Goal | null }) =>
      goal === null ? [] : [instanceRecord({ ...goal, instance: `hello-${suffixOf(goal)}` })],
  },
  serialize: (context: AgentAppContext, inputOf) => ({
    desired: context.desired && [
      context.desired.permission,
      context.desired.strategy,
      context.desired.digest,
    ],
    active: context.active?.digest,
    candidate: context.candidate?.digest,
    isRetiring: context.retiring.length > 0,
    hasFailed: hasFailed(context),
    failures: Math.min(context.failures, isAlone(context) ? CRASH_LOOP_FAILURES : 1),
    goal: (inputOf('recordInstance') as { goal: Goal | null } | undefined)?.goal?.digest,
  }),
};

const FILES = { settings: DEFAULT_SETTINGS, command: '/x', args: [], env: {}, folder: '/' };
const CERTIFIED_FILES = { ...FILES, settings: { ...DEFAULT_SETTINGS, identity: 'required' } };

/** An instance that is launched, or a process that is taken over. */
export const instanceModel = (adopt: boolean): ModelOptions<typeof instanceMachine> => ({
  input: { record: instanceRecord({ process: adopt ? PROCESS : null, port: 9 }), adopt },
  samples: [
    { type: 'process.exited', exit: { exitCode: 1, signal: null } },
    { type: 'process.exited', exit: { exitCode: null, signal: 'SIGKILL' } },
    { type: 'health.passed' },
    { type: 'health.failed', message: 'It refused the connection.' },
    { type: 'port.hijacked' },
    { type: 'drain' },
    { type: 'abort' },
    { type: 'stop' },
  ],
  outputs: {
    prepareFiles: [FILES, CERTIFIED_FILES],
    certifyInstance: [{ env: { MESH_CERT_FILE: '/c' } }],
    startProcess: [{ process: PROCESS, port: 9 }],
    adoptProcess: [{ process: PROCESS, port: 9, settings: DEFAULT_SETTINGS }],
    reapProcess: ({ context: { failure, lastProbe } }: { context: InstanceContext }) => [
      failure && { ...failure, lastProbe: failure.lastProbe ?? lastProbe, logTail: [] },
    ],
  },
  serialize: ({ files, failedProbes, failure, exit, isAsked, process }: InstanceContext) => ({
    // How a process was started changes nothing of what may become of it.
    isCertified: process === null && files?.settings.identity === 'required',
    failedProbes: Math.min(failedProbes, 3),
    failure: failure?.code,
    exit: exit?.signal ?? exit?.exitCode,
    isAsked,
    isStarted: process !== null,
  }),
});

/** The agent of a node without limits. */
export const agentModel: ModelOptions<typeof agentMachine> = {
  input: { node: SLOT.node, cpuMilli: 0, memoryMb: 0 },
  samples: [
    { type: 'assignments.changed', assignments: [assignment()] },
    { type: 'heartbeat.failed', message: 'Error: The disk is full.' },
    { type: 'pairs.gone' },
    { type: 'retire' },
    { type: 'stop' },
  ],
};

/** The planner, which takes nothing to begin. */
export const plannerModel: ModelOptions<typeof plannerMachine> = {
  input: undefined,
  samples: [
    { type: 'plans.changed', plans: [] },
    { type: 'sweep.failed', message: 'Error: The disk is full.' },
    { type: 'stop' },
  ],
};

/** The edge, which is given a port. */
export const edgeModel: ModelOptions<typeof edgeMachine> = {
  input: undefined,
  samples: [
    { type: 'routes.published', apps: 1, targets: 1 },
    { type: 'routes.failed', message: 'Error: The table is full.' },
    { type: 'stop' },
  ],
  outputs: { openEdge: [{ port: 8080 }] },
};

const reportOf = (ordinal: number, state: SlotState): SlotReport => ({
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
  reports: states.map((state, ordinal) => reportOf(ordinal, state)),
});

/** A deployment over two slots. */
export const rolloutModel = (strategy: Strategy): ModelOptions<typeof rolloutMachine> => ({
  input: { app: 'hello', generation: 1, strategy },
  samples: [
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
  ],
  serialize: ({ assignments, reports, isSeen }) => [
    isSeen,
    assignments.map(({ permission }) => permission),
    reports.map(({ state }) => state),
  ],
});

const failed = (failuresInRow: number): TargetEvent => ({
  type: 'connection.failed',
  kind: 'connect',
  failuresInRow,
});

/** A target of the edge. */
export const targetModel: ModelOptions<typeof targetMachine> = {
  input: { instance: 'hello-1', app: 'hello', drainTimeoutMs: 10_000 },
  samples: [
    { type: 'target.published' },
    failed(1),
    failed(3),
    { type: 'connection.recovered' },
    { type: 'drain' },
    { type: 'remove' },
  ],
  outputs: { drainRequests: [{ cancelled: 0 }] },
  serialize: ({ ejections }) => Math.min(ejections, 2),
};
