/**
 * One instance: one OS process from its files to its end. Decides when it counts as ready, when it
 * counts as failed, and how it is ended: drain, SIGTERM, deadline, SIGKILL to the group.
 * What follows from its end (respawn, revert) is the agent/app machine's to decide.
 * `stop` lets go of a process and leaves it running, for a successor to adopt; only `drain` and
 * `abort` end it. Source: the launch of an instance in flows B and E of the workload domain.
 * Bound by `actors/workload/instance.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';
import type { InstanceRecord, ProcessExit, ProcessIdentity } from './instance-record.ts';
import {
  KILL_TIMEOUT_MS,
  PREPARE_TIMEOUT_MS,
  REAP_TIMEOUT_MS,
  SPAWN_TIMEOUT_MS,
  TERMINATE_TIMEOUT_MS,
  DEFAULT_SETTINGS,
  DRAIN_GRACE_MS,
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

export const instanceMachine = setup({
  types: {} as {
    input: InstanceInput;
    context: InstanceContext;
    events: InstanceEvent;
    output: InstanceOutput;
  },
  actors: {
    prepareFiles: unbound<PreparedFiles, { record: InstanceRecord }>('prepareFiles'),
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
    isAsked: ({ context }) => context.isAsked,
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
    assignFailure: assign(({ context }, { code }: { code: FailureCode }) => ({
      failure: failureOf(code, context.record.instance, context.lastProbe),
    })),
    assignError: assign(({ context }, { error }: { error: unknown }) => ({
      failure: reasonOf(error, context.record.instance),
    })),
    assignExit: assign(({ context }, { exit }: { exit: ProcessExit }) => ({
      exit,
      failure:
        context.failure ??
        (context.isAsked ? null : exitReason(context.record.instance, exit, context.lastProbe)),
    })),
    assignProbeFailure: assign(({ context }, { message }: { message: string }) => ({
      failedProbes: context.failedProbes + 1,
      lastProbe: message,
    })),
    forgetFailedProbes: assign({ failedProbes: 0 }),
    assignAsked: assign({ isAsked: true }),
  },
  delays: {
    PREPARE_TIMEOUT_MS,
    SPAWN_TIMEOUT_MS,
    TERMINATE_TIMEOUT_MS,
    KILL_TIMEOUT_MS,
    REAP_TIMEOUT_MS,
    startTimeout: ({ context }) => context.settings.startTimeoutMs,
    warmup: ({ context }) => context.settings.warmupMs,
    drainTimeout: ({ context }) => context.settings.drainTimeoutMs + DRAIN_GRACE_MS,
  },
}).createMachine({
  id: 'instance',
  context: ({ input }) => ({
    ...input,
    files: null,
    process: input.record.process,
    port: input.record.port,
    settings: DEFAULT_SETTINGS,
    failedProbes: 0,
    lastProbe: null,
    exit: null,
    failure: null,
    isAsked: false,
  }),
  output: ({ context }) => ({ failure: context.failure }),
  initial: 'choosing',
  on: { stop: '.detached' },
  states: {
    choosing: { always: [{ guard: 'isAdopting', target: 'adopting' }, { target: 'preparing' }] },
    preparing: {
      invoke: {
        src: 'prepareFiles',
        input: ({ context }) => ({ record: context.record }),
        onDone: {
          target: 'starting',
          actions: assign(({ event }) => ({
            files: event.output,
            settings: event.output.settings,
          })),
        },
        onError: {
          target: 'reaping',
          actions: { type: 'assignError', params: ({ event }) => ({ error: event.error }) },
        },
      },
      on: {
        drain: { target: 'reaping', actions: 'assignAsked' },
        abort: { target: 'reaping', actions: 'assignAsked' },
      },
      after: {
        PREPARE_TIMEOUT_MS: {
          target: 'reaping',
          actions: { type: 'assignFailure', params: { code: 'MESH_ERR_INSTANCE_PREPARE_TIMEOUT' } },
        },
      },
    },
    starting: {
      // A spawn under way is awaited even when its end is asked for: a process must not slip away.
      invoke: {
        src: 'startProcess',
        input: ({ context }) => ({ record: context.record, files: context.files }),
        onDone: [
          {
            guard: 'isAsked',
            target: 'running.terminating',
            actions: assign(({ event }) => event.output),
          },
          { target: 'running', actions: assign(({ event }) => event.output) },
        ],
        onError: {
          target: 'reaping',
          actions: { type: 'assignError', params: ({ event }) => ({ error: event.error }) },
        },
      },
      on: { drain: { actions: 'assignAsked' }, abort: { actions: 'assignAsked' } },
      after: {
        SPAWN_TIMEOUT_MS: {
          target: 'reaping',
          actions: { type: 'assignFailure', params: { code: 'MESH_ERR_INSTANCE_SPAWN_TIMEOUT' } },
        },
      },
    },
    adopting: {
      invoke: {
        src: 'adoptProcess',
        input: ({ context }) => ({ record: context.record }),
        onDone: [
          {
            guard: 'isAsked',
            target: 'running.terminating',
            actions: assign(({ event }) => event.output),
          },
          { target: 'running', actions: assign(({ event }) => event.output) },
        ],
        onError: {
          target: 'reaping',
          actions: { type: 'assignError', params: ({ event }) => ({ error: event.error }) },
        },
      },
      on: { drain: { actions: 'assignAsked' }, abort: { actions: 'assignAsked' } },
      after: {
        SPAWN_TIMEOUT_MS: {
          target: 'reaping',
          actions: { type: 'assignFailure', params: { code: 'MESH_ERR_INSTANCE_SPAWN_TIMEOUT' } },
        },
      },
    },
    running: {
      invoke: { src: 'watchProcess', input: ({ context }) => ({ process: context.process }) },
      on: {
        'process.exited': {
          target: 'reaping',
          actions: { type: 'assignExit', params: ({ event }) => ({ exit: event.exit }) },
        },
        abort: { target: '.terminating', actions: 'assignAsked' },
      },
      initial: 'probing',
      states: {
        probing: {
          invoke: {
            src: 'watchStart',
            input: ({ context }) => healthWatchOf(context),
          },
          on: {
            'health.failed': {
              actions: {
                type: 'assignProbeFailure',
                params: ({ event }) => ({ message: event.message }),
              },
            },
            'health.passed': 'up',
            'port.hijacked': {
              target: 'terminating',
              actions: {
                type: 'assignFailure',
                params: { code: 'MESH_ERR_INSTANCE_PORT_HIJACKED' },
              },
            },
            drain: { target: 'terminating', actions: 'assignAsked' },
          },
          after: {
            startTimeout: {
              target: 'terminating',
              actions: { type: 'assignFailure', params: { code: 'MESH_ERR_INSTANCE_NOT_HEALTHY' } },
            },
          },
        },
        up: {
          entry: 'forgetFailedProbes',
          invoke: {
            src: 'watchHealth',
            input: ({ context }) => healthWatchOf(context),
          },
          on: {
            'health.passed': { actions: 'forgetFailedProbes' },
            'health.failed': [
              {
                guard: 'isBeyondTolerance',
                target: 'terminating',
                actions: [
                  {
                    type: 'assignProbeFailure',
                    params: ({ event }) => ({ message: event.message }),
                  },
                  { type: 'assignFailure', params: { code: 'MESH_ERR_INSTANCE_UNHEALTHY' } },
                ],
              },
              {
                actions: {
                  type: 'assignProbeFailure',
                  params: ({ event }) => ({ message: event.message }),
                },
              },
            ],
            drain: { target: 'draining', actions: 'assignAsked' },
          },
          initial: 'warming',
          states: {
            warming: {
              always: { guard: 'isAdopting', target: 'healthy' },
              after: { warmup: 'healthy' },
            },
            healthy: {
              entry: {
                type: 'tellReady',
                params: ({ context }) => ({ record: context.record, port: context.port }),
              },
            },
          },
        },
        draining: {
          invoke: {
            src: 'drainRequests',
            input: ({ context }) => ({
              instance: context.record.instance,
              deadlineMs: context.settings.drainTimeoutMs,
            }),
            onDone: 'terminating',
            // Requests that could not be waited for must not keep the process alive.
            onError: 'terminating',
          },
          after: { drainTimeout: 'terminating' },
        },
        terminating: {
          entry: {
            type: 'signalProcess',
            params: ({ context }) => ({ process: context.process, signal: 'SIGTERM' }),
          },
          on: { abort: { actions: 'assignAsked' } },
          after: { TERMINATE_TIMEOUT_MS: 'killing' },
        },
        killing: {
          entry: {
            type: 'signalProcess',
            params: ({ context }) => ({ process: context.process, signal: 'SIGKILL' }),
          },
          on: { abort: { actions: 'assignAsked' } },
          after: { KILL_TIMEOUT_MS: '#instance.reaping' },
        },
      },
    },
    reaping: {
      invoke: {
        src: 'reapProcess',
        input: ({ context }) => ({ context }),
        onDone: { target: 'ended', actions: assign(({ event }) => ({ failure: event.output })) },
        // What could not be cleaned is swept at the next start; the end itself stands.
        onError: 'ended',
      },
      after: { REAP_TIMEOUT_MS: 'ended' },
    },
    ended: {
      type: 'final',
      entry: {
        type: 'tellEnded',
        params: ({ context }) => ({ record: context.record, reason: context.failure }),
      },
    },
    detached: { type: 'final' },
  },
});
