/**
 * The words of the agent/app chart: its effects, actions, guards and delays by name. What each of
 * them computes is in `succession.ts`; when each of them happens, in `agent-app.machine.ts`.
 */
import { assertEvent, assign, setup } from 'xstate';
import { crash, unbound, unboundAction } from '../kernel/unbound.ts';
import { reasonOf } from './instance-rules.ts';
import type { InstanceRecord } from './instance-record.ts';
import type { Assignment, Slot } from './plan.ts';
import {
  STABLE_AFTER_MS,
  backoffMs,
  failCandidate,
  forgetActive,
  foundOf,
  goalOf,
  isCrashLooping,
  isLaunchDue,
  isObsolete,
  isOf,
  live,
  mayServe,
  mustStopFirst,
  newGeneration,
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

const endingOf = (event: AgentAppEvent): Ending => {
  assertEvent(event, 'instance.ended');
  return event;
};

/** Everything that the chart names. */
export const agentAppSetup = setup({
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

    assignReported: assign(({ context }) => ({ reported: reportKeyOf(context) })),
    assignPhase: assign((_, { phase }: { phase: Phase }) => ({ phase })),
    assignDesired: assign(({ context }, { desired }: { desired: Assignment | null }) => ({
      desired,
      ...(desired && newGeneration(context, desired)),
    })),
    assignFound: assign(({ context }, { found }: { found: readonly InstanceRecord[] }) =>
      foundOf(found, context.lastServed),
    ),
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
    forgetActive: assign(({ context, event }) => forgetActive(context, endingOf(event))),
    failCandidate: assign(({ context, event }) => failCandidate(context, endingOf(event))),
    failLaunch: assign(({ context }, { error }: { error: unknown }) =>
      failCandidate(context, { reason: reasonOf(error), jitter: 0 }),
    ),
    failSilent: assign(({ context }) => failCandidate(context, SILENT)),
    forgetFailures: assign({ failures: 0 }),

    blame: assign((_, { message }: { message: string }) => ({ crash: message })),
    blameFabric: assign({ crash: 'The fabric did not answer in thirty seconds.' }),
    blameAdoption: assign({ crash: 'The instance that was found neither is ready nor ended.' }),
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
    isCrashLooping: ({ context }) => isCrashLooping(context),
    isOfActive: ({ context, event }) => isOf(context.active, event),
    isOfCandidate: ({ context, event }) => isOf(context.candidate, event),
  },
  delays: {
    backoff: ({ context }) => context.waitMs ?? backoffMs(context),
    STABLE_AFTER_MS,
    CANDIDATE_TIMEOUT_MS,
    LEAVE_TIMEOUT_MS,
    FABRIC_TIMEOUT_MS,
    ADOPT_TIMEOUT_MS,
  },
});

interface Given {
  readonly context: AgentAppContext;
}

/** What an effect is given, by the effect's name. */
export const inputs = {
  recoverSlot: ({ context: { slot } }: Given) => ({ slot }),
  recordInstance: ({ context }: Given) => ({ slot: context.slot, goal: goalOf(context) }),
  promote: ({ context: { slot, candidate, active } }: Given) => ({
    slot,
    to: candidate,
    from: active,
  }),
  register: ({ context: { slot, active } }: Given) => ({ slot, to: active, from: null }),
};

const idsOf = (one: Live | null): string[] => (one === null ? [] : [one.instance]);

/** Ends the serving instance after its requests. */
export const drainActive = {
  type: 'dismissInstances',
  params: ({ context }: Given) => ({
    instances: idsOf(context.active),
    farewell: 'drain' as const,
  }),
} as const;

/** Ends the candidate at once: nobody was sent to it. */
export const abortCandidate = {
  type: 'dismissInstances',
  params: ({ context }: Given) => ({
    instances: idsOf(context.candidate),
    farewell: 'abort' as const,
  }),
} as const;

/** Ends those that were found and are not kept. */
export const drainFound = {
  type: 'dismissInstances',
  params: ({ context }: Given) => ({ instances: context.retiring, farewell: 'drain' as const }),
} as const;

/** Takes over the one that is kept. */
export const adoptFound = {
  type: 'adoptFound',
  params: ({ context }: Given) => ({ active: context.active }),
} as const;

/** Says how the slot stands. */
export const report = {
  type: 'report',
  params: ({ context }: Given) => ({ report: reportOf(context) }),
} as const;

/** One that was told to end has ended. */
export const forgetRetired = {
  type: 'forgetRetired',
  params: ({ event }: { readonly event: { readonly instance: string } }) => ({
    instance: event.instance,
  }),
} as const;

/** What a slot says it is in, from there on. */
export const phase = <Name extends Phase>(name: Name) =>
  ({ type: 'assignPhase', params: { phase: name } }) as const;
