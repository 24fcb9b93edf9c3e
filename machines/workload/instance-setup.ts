/**
 * The words of the instance chart: its effects, actions, guards and delays by name. What each of
 * them computes is in `instance-rules.ts`; when each of them happens, in `instance.machine.ts`.
 */
import { assertEvent, assign, setup } from 'xstate';
import { unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';
import type { InstanceRecord, ProcessExit, ProcessIdentity } from './instance-record.ts';
import {
  CERTIFY_TIMEOUT_MS,
  DRAIN_GRACE_MS,
  KILL_TIMEOUT_MS,
  PREPARE_TIMEOUT_MS,
  REAP_TIMEOUT_MS,
  SPAWN_TIMEOUT_MS,
  TERMINATE_TIMEOUT_MS,
  exitReason,
  failureOf,
  healthWatchOf,
  isBeyondTolerance,
  reasonOf,
} from './instance-rules.ts';
import type {
  FailureCode,
  HealthWatch,
  InstanceContext,
  InstanceEvent,
  InstanceFact,
  InstanceInput,
  InstanceOutput,
  LaunchSettings,
  PreparedFiles,
  StartedProcess,
} from './instance-rules.ts';
import type { Reason } from './plan.ts';

const messageOf = (event: InstanceEvent): string => {
  assertEvent(event, 'health.failed');
  return event.message;
};

/** Everything that the chart names. */
export const instanceSetup = setup({
  types: {} as {
    input: InstanceInput;
    context: InstanceContext;
    events: InstanceEvent;
    output: InstanceOutput;
  },
  actors: {
    prepareFiles: unbound<PreparedFiles, { record: InstanceRecord }>('prepareFiles'),
    certifyInstance: unbound<
      { readonly env: Readonly<Record<string, string>> },
      { record: InstanceRecord; settings: LaunchSettings }
    >('certifyInstance'),
    startProcess: unbound<StartedProcess, { record: InstanceRecord; files: PreparedFiles | null }>(
      'startProcess',
    ),
    adoptProcess: unbound<
      StartedProcess & { settings: LaunchSettings },
      { record: InstanceRecord }
    >('adoptProcess'),
    watchProcess: unboundWatch<InstanceFact, { process: ProcessIdentity | null }>('watchProcess'),
    watchStart: unboundWatch<InstanceFact, HealthWatch>('watchStart'),
    watchHealth: unboundWatch<InstanceFact, HealthWatch>('watchHealth'),
    drainRequests: unbound<unknown, { instance: string; deadlineMs: number }>('drainRequests'),
    reapProcess: unbound<Reason | null, { context: InstanceContext }>('reapProcess'),
  },
  guards: {
    isAdopting: ({ context }) => context.adopt,
    wantsCertificate: (_, { files }: { files: PreparedFiles }) =>
      (files.settings.identity ?? 'none') !== 'none',
    isAsked: ({ context }) => context.isAsked,
    isWarm: ({ context }) => context.adopt || context.settings.warmupMs === 0,
    isBeyondTolerance: ({ context }) =>
      isBeyondTolerance(context.failedProbes + 1, context.settings.failuresMax),
  },
  actions: {
    tellReady: unboundAction<{ record: InstanceRecord; port: number | null }>('tellReady'),
    tellEnded: unboundAction<{ record: InstanceRecord; reason: Reason | null }>('tellEnded'),
    signalProcess: unboundAction<{
      process: ProcessIdentity | null;
      signal: 'SIGTERM' | 'SIGKILL';
    }>('signalProcess'),

    assignFiles: assign((_, { files }: { files: PreparedFiles }) => ({
      files,
      settings: files.settings,
    })),
    assignEnvironment: assign(
      ({ context: { files } }, { env }: { env: Readonly<Record<string, string>> }) => ({
        files: files && { ...files, env: { ...files.env, ...env } },
      }),
    ),
    assignProcess: assign((_, started: StartedProcess & { settings?: LaunchSettings }) => started),
    assignFailure: assign(({ context }, { code }: { code: FailureCode }) => ({
      failure: failureOf(code, context.record.instance, context.lastProbe),
    })),
    assignError: assign(({ context }, { error }: { error: unknown }) => ({
      failure: reasonOf(error, context.record.instance),
    })),
    assignReaped: assign((_, { failure }: { failure: Reason | null }) => ({ failure })),
    assignExit: assign(({ context }, { exit }: { exit: ProcessExit }) => ({
      exit,
      failure:
        context.failure ??
        (context.isAsked ? null : exitReason(context.record.instance, exit, context.lastProbe)),
    })),
    assignAsked: assign({ isAsked: true }),
    countFailedProbe: assign(({ context, event }) => ({
      failedProbes: context.failedProbes + 1,
      lastProbe: messageOf(event),
    })),
    forgetFailedProbes: assign({ failedProbes: 0 }),
  },
  delays: {
    PREPARE_TIMEOUT_MS,
    CERTIFY_TIMEOUT_MS,
    SPAWN_TIMEOUT_MS,
    TERMINATE_TIMEOUT_MS,
    KILL_TIMEOUT_MS,
    REAP_TIMEOUT_MS,
    startTimeout: ({ context }) => context.settings.startTimeoutMs,
    warmup: ({ context }) => context.settings.warmupMs,
    drainTimeout: ({ context }) => context.settings.drainTimeoutMs + DRAIN_GRACE_MS,
  },
});

interface Given {
  readonly context: InstanceContext;
}

/** What an effect is given, by the effect's name. */
export const inputs = {
  prepareFiles: ({ context: { record } }: Given) => ({ record }),
  certifyInstance: ({ context: { record, settings } }: Given) => ({ record, settings }),
  startProcess: ({ context: { record, files } }: Given) => ({ record, files }),
  adoptProcess: ({ context: { record } }: Given) => ({ record }),
  watchProcess: ({ context: { process } }: Given) => ({ process }),
  watchHealth: ({ context }: Given) => healthWatchOf(context),
  drainRequests: ({ context: { record, settings } }: Given) => ({
    instance: record.instance,
    deadlineMs: settings.drainTimeoutMs,
  }),
  reapProcess: ({ context }: Given) => ({ context }),
};

/** What the machine itself finds wrong. */
export const fail = (code: FailureCode) => ({ type: 'assignFailure', params: { code } }) as const;

/** Files that were prepared. */
export const takeFiles = {
  type: 'assignFiles',
  params: ({ event }: { readonly event: { readonly output: PreparedFiles } }) => ({
    files: event.output,
  }),
} as const;

/** What an effect that was rejected says is wrong. */
export const failError = {
  type: 'assignError',
  params: ({ event }: { readonly event: { readonly error: unknown } }) => ({ error: event.error }),
} as const;

/** To the whole process group. */
export const send = (signal: 'SIGTERM' | 'SIGKILL') =>
  ({
    type: 'signalProcess',
    params: ({ context: { process } }: Given) => ({ process, signal }),
  }) as const;

/** Tells the slot that traffic may come. */
export const tellReady = {
  type: 'tellReady',
  params: ({ context: { record, port } }: Given) => ({ record, port }),
} as const;

/** Tells the slot that nothing of it is left, and why. */
export const tellEnded = {
  type: 'tellEnded',
  params: ({ context: { record, failure } }: Given) => ({ record, reason: failure }),
} as const;
