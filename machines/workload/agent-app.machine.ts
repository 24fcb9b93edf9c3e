/**
 * One agent/app pair: a slot of an app on a node. Decides which instance serves, when a candidate
 * replaces it, and what follows from an end: respawn with back-off, or a report that lets the
 * rollout revert. At most one active and one candidate instance exist at any time; those on their
 * way out are only remembered until they are gone.
 * `stop` lets go and leaves everything running, for a successor to find; an assignment of null is
 * what ends instances. Source: the state machine per agent and app in the workload domain's flows.
 * Bound by `actors/workload/agent-app.actor.ts`.
 */
import { assign, not, setup } from 'xstate';
import { crash, unbound, unboundAction } from '../kernel/unbound.ts';
import { reasonOf } from './instance-rules.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { Assignment, Slot } from './plan.ts';
import {
  STABLE_AFTER_MS,
  backoffMs,
  foundOf,
  goalOf,
  hasFailed,
  isCrashLooping,
  isLaunchDue,
  isObsolete,
  live,
  mayServe,
  mustStopFirst,
  reportKeyOf,
  reportOf,
  retire,
} from './succession.ts';
import type {
  AgentAppContext,
  AgentAppEvent,
  AgentAppInput,
  Ending,
  Farewell,
  Goal,
  Live,
  Phase,
  UnsentReport,
} from './succession.ts';

/** An instance ends by its own deadlines; these are for one that says nothing any more. */
export const CANDIDATE_TIMEOUT_MS = 600_000;
export const LEAVE_TIMEOUT_MS = 300_000;
/** A living process answers its health path, or its own start timeout ends it. */
export const ADOPT_TIMEOUT_MS = 300_000;
/** The fabric answers in milliseconds; beyond this it hangs, and the supervisor tries anew. */
export const FABRIC_TIMEOUT_MS = 30_000;

const SILENT: Ending = {
  reason: {
    code: 'MESH_ERR_INSTANCE_SILENT',
    message: 'The candidate neither became ready nor ended in ten minutes.',
  },
  jitter: 0,
};

const endingOf = ({ event }: { event: Ending }): Ending => event;
const drainActive = ({ context }: { context: AgentAppContext }) => ({
  instances: context.active === null ? [] : [context.active.instance],
  farewell: 'drain' as const,
});
const abortCandidate = ({ context }: { context: AgentAppContext }) => ({
  instances: context.candidate === null ? [] : [context.candidate.instance],
  farewell: 'abort' as const,
});
const instanceOf = ({ event }: { event: { instance: string } }) => ({ instance: event.instance });

const machineSetup = setup({
  types: {} as { input: AgentAppInput; context: AgentAppContext; events: AgentAppEvent },
  actors: {
    crash,
    recoverSlot: unbound<readonly InstanceRecord[], { slot: Slot }>('recoverSlot'),
    recordInstance: unbound<InstanceRecord, { slot: Slot; goal: Goal | null }>('recordInstance'),
    switchTraffic: unbound<void, { slot: Slot; to: Live | null; from: Live | null }>(
      'switchTraffic',
    ),
  },
  actions: {
    adoptFound: unboundAction<{ active: Live | null }>('adoptFound'),
    startInstance: unboundAction<{ record: InstanceRecord }>('startInstance'),
    dismissInstances: unboundAction<{ instances: readonly string[]; farewell: Farewell }>(
      'dismissInstances',
    ),
    report: unboundAction<{ report: UnsentReport }>('report'),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
    assignPhase: assign((_, { phase }: { phase: Phase }) => ({ phase })),
    assignReported: assign(({ context }) => ({ reported: reportKeyOf(context) })),
    assignDesired: assign(({ context }, { desired }: { desired: Assignment | null }) => ({
      desired,
      generation: desired?.generation ?? context.generation,
      // A new generation starts with a clean slate: its predecessor's failures are not its own.
      ...(desired !== null && desired.generation !== context.generation
        ? { failures: 0, reason: null }
        : {}),
    })),
    assignFound: assign((_, { found }: { found: readonly InstanceRecord[] }) => foundOf(found)),
    assignCandidate: assign((_, { record }: { record: InstanceRecord }) => ({
      candidate: live(record),
    })),
    promoteCandidate: assign(({ context }) => ({
      active: context.candidate,
      lastServed: context.candidate,
      candidate: null,
      retiring: retire(context.retiring, context.active),
      reason: null,
    })),
    retireAll: assign(({ context }) => ({
      active: null,
      candidate: null,
      retiring: retire(context.retiring, context.active, context.candidate),
    })),
    retireCandidate: assign(({ context }) => ({
      candidate: null,
      retiring: retire(context.retiring, context.candidate),
    })),
    forgetRetired: assign(({ context }, { instance }: { instance: string }) => ({
      retiring: context.retiring.filter((one) => one !== instance),
    })),
    forgetActive: assign(({ context }, { reason, jitter }: Ending) => ({
      active: null,
      failures: context.failures + 1,
      hadServed: true,
      restarts: context.restarts + 1,
      jitter,
      reason,
    })),
    failCandidate: assign(({ context }, { reason, jitter }: Ending) => ({
      candidate: null,
      failures: context.failures + 1,
      hadServed: false,
      failedGeneration: goalOf(context)?.generation ?? 0,
      jitter,
      reason,
    })),
    forgetFailures: assign({ failures: 0 }),
  },
  guards: {
    isReportDue: ({ context }) => context.reported !== reportKeyOf(context),
    isLeaving: ({ context }) => context.desired === null,
    isGone: ({ context }) => context.retiring.length === 0,
    isLaunchDue: ({ context }) => isLaunchDue(context),
    isRetryDue: ({ context }) => isLaunchDue(context) && context.failures > 0,
    isRetryMoot: ({ context }) => context.failures === 0 || !isLaunchDue(context),
    isObsolete: ({ context }) => isObsolete(context),
    hasCandidate: ({ context }) => context.candidate !== null,
    isServing: ({ context }) => context.active !== null,
    mayServe: ({ context }) => mayServe(context),
    mustStopFirst: ({ context }) => mustStopFirst(context),
    hasFailed: ({ context }) => hasFailed(context),
    isCrashLooping: ({ context }) => isCrashLooping(context),
    isActive: ({ context }, { instance }: { instance: string }) =>
      context.active?.instance === instance,
    isCandidate: ({ context }, { instance }: { instance: string }) =>
      context.candidate?.instance === instance,
  },
  delays: {
    backoff: ({ context }) => backoffMs(context),
    STABLE_AFTER_MS,
    CANDIDATE_TIMEOUT_MS,
    LEAVE_TIMEOUT_MS,
    FABRIC_TIMEOUT_MS,
    ADOPT_TIMEOUT_MS,
  },
});

const SILENT_FABRIC = {
  type: 'assignCrash',
  params: { message: 'The fabric did not answer in thirty seconds.' },
} as const;

/** From a launch to the switch; the same with and without an active instance beside the candidate. */
const launching = machineSetup.createStateConfig({
  initial: 'starting',
  entry: { type: 'assignPhase', params: { phase: 'launching' } },
  on: {
    'instance.ended': [
      {
        guard: { type: 'isCandidate', params: instanceOf },
        target: '#agent-app.settling',
        actions: { type: 'failCandidate', params: endingOf },
      },
      // The candidate goes on: it is what comes next in any case.
      {
        guard: { type: 'isActive', params: instanceOf },
        actions: { type: 'forgetActive', params: endingOf },
      },
      { actions: { type: 'forgetRetired', params: instanceOf } },
    ],
  },
  states: {
    // An effect under way is never left: its outcome is awaited, then judged.
    starting: {
      after: { FABRIC_TIMEOUT_MS: { target: '#agent-app.crashing', actions: SILENT_FABRIC } },
      invoke: {
        src: 'recordInstance',
        input: ({ context }) => ({ slot: context.slot, goal: goalOf(context) }),
        onDone: {
          target: 'probing',
          // Started only now: what it tells finds a machine that knows it.
          actions: [
            { type: 'assignCandidate', params: ({ event }) => ({ record: event.output }) },
            {
              type: 'startInstance',
              params: ({ event }) => ({ record: event.output }),
            },
          ],
        },
        onError: {
          target: '#agent-app.settling',
          actions: {
            type: 'failCandidate',
            params: ({ event }) => ({ reason: reasonOf(event.error), jitter: 0 }),
          },
        },
      },
    },
    probing: {
      always: { guard: 'isObsolete', target: 'abandoning' },
      on: {
        'instance.ready': { guard: { type: 'isCandidate', params: instanceOf }, target: 'proven' },
      },
      after: {
        CANDIDATE_TIMEOUT_MS: {
          target: '#agent-app.settling',
          actions: [
            { type: 'dismissInstances', params: abortCandidate },
            'retireCandidate',
            { type: 'failCandidate', params: SILENT },
          ],
        },
      },
    },
    proven: {
      entry: { type: 'assignPhase', params: { phase: 'candidate_ready' } },
      always: [
        { guard: 'isObsolete', target: 'abandoning' },
        { guard: 'mayServe', target: 'promoting' },
      ],
    },
    promoting: {
      after: { FABRIC_TIMEOUT_MS: { target: '#agent-app.crashing', actions: SILENT_FABRIC } },
      on: {
        'instance.ended': [
          // The switch may be done by now: the active one is registered anew.
          {
            guard: { type: 'isCandidate', params: instanceOf },
            actions: { type: 'failCandidate', params: endingOf },
          },
          {
            guard: { type: 'isActive', params: instanceOf },
            actions: { type: 'forgetActive', params: endingOf },
          },
          { actions: { type: 'forgetRetired', params: instanceOf } },
        ],
      },
      invoke: {
        src: 'switchTraffic',
        input: ({ context: { slot, candidate, active } }) => ({
          slot,
          to: candidate,
          from: active,
        }),
        onDone: [
          {
            guard: 'hasCandidate',
            target: '#agent-app.ready',
            actions: [{ type: 'dismissInstances', params: drainActive }, 'promoteCandidate'],
          },
          { target: '#agent-app.registering' },
        ],
        onError: [
          {
            guard: 'hasCandidate',
            target: '#agent-app.crashing',
            actions: {
              type: 'assignCrash',
              params: ({ event }) => ({ message: String(event.error) }),
            },
          },
          { target: '#agent-app.registering' },
        ],
      },
    },
    abandoning: {
      entry: [{ type: 'dismissInstances', params: abortCandidate }, 'retireCandidate'],
      always: '#agent-app.settling',
    },
  },
});

export const agentAppMachine = machineSetup.createMachine({
  id: 'agent-app',
  context: ({ input }) => ({
    ...input,
    generation: input.desired?.generation ?? 0,
    active: null,
    candidate: null,
    lastServed: null,
    retiring: [],
    failures: 0,
    hadServed: false,
    jitter: 0,
    restarts: 0,
    failedGeneration: 0,
    reason: null,
    phase: 'pending',
    reported: '',
    crash: '',
  }),
  initial: 'recovering',
  always: {
    guard: 'isReportDue',
    actions: [
      { type: 'report', params: ({ context }) => ({ report: reportOf(context) }) },
      'assignReported',
    ],
  },
  on: {
    assign: {
      actions: { type: 'assignDesired', params: ({ event }) => ({ desired: event.desired }) },
    },
    'instance.ended': [
      {
        guard: { type: 'isActive', params: instanceOf },
        target: '.settling',
        actions: { type: 'forgetActive', params: endingOf },
      },
      { actions: { type: 'forgetRetired', params: instanceOf } },
    ],
    // An instance's actor that crashed is a defect; its process lives on. A restart finds it again.
    'instance.lost': {
      target: '.crashing',
      actions: {
        type: 'assignCrash',
        params: ({ event }) => ({ message: `The actor of instance ${event.instance} is lost.` }),
      },
    },
    'report.failed': {
      target: '.crashing',
      actions: { type: 'assignCrash', params: ({ event }) => ({ message: event.message }) },
    },
    stop: '.detached',
  },
  states: {
    recovering: {
      after: { FABRIC_TIMEOUT_MS: { target: '#agent-app.crashing', actions: SILENT_FABRIC } },
      // Without its records a slot can decide nothing: a failure is the supervisor's to repeat.
      invoke: {
        src: 'recoverSlot',
        input: ({ context }) => ({ slot: context.slot }),
        onDone: {
          target: 'adopting',
          actions: [
            { type: 'assignFound', params: ({ event }) => ({ found: event.output }) },
            { type: 'adoptFound', params: ({ context }) => ({ active: context.active }) },
            {
              type: 'dismissInstances',
              params: ({ context }) => ({ instances: context.retiring, farewell: 'drain' }),
            },
          ],
        },
      },
    },
    adopting: {
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: not('isServing'), target: 'settling' },
      ],
      after: {
        ADOPT_TIMEOUT_MS: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: { message: 'The instance that was found neither is ready nor ended.' },
          },
        },
      },
      on: {
        'instance.ready': {
          guard: { type: 'isActive', params: instanceOf },
          target: 'registering',
        },
      },
    },
    registering: {
      after: { FABRIC_TIMEOUT_MS: { target: '#agent-app.crashing', actions: SILENT_FABRIC } },
      on: {
        'instance.ended': [
          {
            guard: { type: 'isActive', params: instanceOf },
            actions: { type: 'forgetActive', params: endingOf },
          },
          { actions: { type: 'forgetRetired', params: instanceOf } },
        ],
      },
      always: { guard: not('isServing'), target: 'settling' },
      // No onError: a fabric that refuses is read anew by the supervisor's restart.
      invoke: {
        src: 'switchTraffic',
        input: ({ context: { slot, active } }) => ({ slot, to: active, from: null }),
        onDone: 'ready',
      },
    },
    settling: {
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: 'isServing', target: 'ready' },
        { guard: 'isRetryDue', target: 'backingOff' },
        { guard: 'isLaunchDue', target: 'launching' },
        { target: 'idle' },
      ],
    },
    idle: {
      entry: { type: 'assignPhase', params: { phase: 'pending' } },
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: 'isLaunchDue', target: 'launching' },
      ],
    },
    launching,
    ready: {
      entry: { type: 'assignPhase', params: { phase: 'serving' } },
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: 'mustStopFirst', target: 'draining' },
        { guard: 'isRetryDue', target: 'backingOff' },
        { guard: 'isLaunchDue', target: 'launching' },
      ],
      after: { STABLE_AFTER_MS: { actions: 'forgetFailures' } },
      initial: 'relieving',
      states: {
        relieving: { always: { guard: 'isGone', target: 'steady' } },
        steady: { always: { guard: not('isGone'), target: 'relieving' } },
      },
    },
    backingOff: {
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: 'isRetryMoot', target: 'settling' },
      ],
      initial: 'waiting',
      after: { backoff: 'launching' },
      states: {
        waiting: {
          entry: { type: 'assignPhase', params: { phase: 'backing_off' } },
          always: { guard: 'isCrashLooping', target: 'crashLooping' },
        },
        crashLooping: { entry: { type: 'assignPhase', params: { phase: 'crash_looping' } } },
      },
    },
    draining: {
      entry: [
        { type: 'dismissInstances', params: drainActive },
        { type: 'dismissInstances', params: abortCandidate },
        'retireAll',
        { type: 'assignPhase', params: { phase: 'draining' } },
      ],
      always: { guard: 'isGone', target: 'leaving' },
      after: { LEAVE_TIMEOUT_MS: 'leaving' },
    },
    leaving: { always: [{ guard: 'isLeaving', target: 'stopped' }, { target: 'settling' }] },
    stopped: {
      type: 'final',
      entry: [
        { type: 'assignPhase', params: { phase: 'stopped' } },
        { type: 'report', params: ({ context }) => ({ report: reportOf(context) }) },
      ],
    },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
    detached: { type: 'final' },
  },
});
