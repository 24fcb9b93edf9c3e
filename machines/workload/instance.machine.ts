/**
 * One instance: one OS process from its files to its end. Decides when it counts as ready, when it
 * counts as failed, and how it is ended: drain, SIGTERM, deadline, SIGKILL to the group.
 * What follows from its end (respawn, revert) is the agent/app machine's to decide.
 * `stop` lets go of a process and leaves it running, for a successor to adopt; only `drain` and
 * `abort` end it. Source: the launch of an instance in flows B and E of the workload domain. The
 * names that it uses are set up in `instance-setup.ts`. Bound by `actors/workload/instance.actor.ts`.
 */
import { DEFAULT_SETTINGS } from './instance-rules.ts';
import {
  fail,
  failError,
  inputs,
  instanceSetup,
  send,
  takeFiles,
  tellEnded,
  tellReady,
} from './instance-setup.ts';

export const instanceMachine = instanceSetup.createMachine({
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
        input: inputs.prepareFiles,
        onDone: [
          {
            guard: { type: 'wantsCertificate', params: ({ event }) => ({ files: event.output }) },
            target: 'certifying',
            actions: takeFiles,
          },
          { target: 'starting', actions: takeFiles },
        ],
        onError: { target: 'reaping', actions: failError },
      },
      on: {
        drain: { target: 'reaping', actions: 'assignAsked' },
        abort: { target: 'reaping', actions: 'assignAsked' },
      },
      after: {
        PREPARE_TIMEOUT_MS: {
          target: 'reaping',
          actions: fail('MESH_ERR_INSTANCE_PREPARE_TIMEOUT'),
        },
      },
    },
    certifying: {
      // The process finds its certificate when it starts, or never needs to look for one.
      invoke: {
        src: 'certifyInstance',
        input: inputs.certifyInstance,
        onDone: {
          target: 'starting',
          actions: { type: 'assignEnvironment', params: ({ event }) => event.output },
        },
        onError: { target: 'reaping', actions: failError },
      },
      on: {
        drain: { target: 'reaping', actions: 'assignAsked' },
        abort: { target: 'reaping', actions: 'assignAsked' },
      },
      after: {
        CERTIFY_TIMEOUT_MS: { target: 'reaping', actions: fail('MESH_ERR_CERTIFICATE_TIMEOUT') },
      },
    },
    starting: {
      // A spawn under way is awaited even when its end is asked for: a process must not slip away.
      invoke: {
        src: 'startProcess',
        input: inputs.startProcess,
        onDone: {
          target: 'started',
          actions: { type: 'assignProcess', params: ({ event }) => event.output },
        },
        onError: { target: 'reaping', actions: failError },
      },
      on: { drain: { actions: 'assignAsked' }, abort: { actions: 'assignAsked' } },
      after: {
        SPAWN_TIMEOUT_MS: { target: 'reaping', actions: fail('MESH_ERR_INSTANCE_SPAWN_TIMEOUT') },
      },
    },
    adopting: {
      invoke: {
        src: 'adoptProcess',
        input: inputs.adoptProcess,
        onDone: {
          target: 'started',
          actions: { type: 'assignProcess', params: ({ event }) => event.output },
        },
        onError: { target: 'reaping', actions: failError },
      },
      on: { drain: { actions: 'assignAsked' }, abort: { actions: 'assignAsked' } },
      after: {
        SPAWN_TIMEOUT_MS: { target: 'reaping', actions: fail('MESH_ERR_INSTANCE_SPAWN_TIMEOUT') },
      },
    },
    started: {
      always: [{ guard: 'isAsked', target: 'running.terminating' }, { target: 'running' }],
    },
    running: {
      invoke: { src: 'watchProcess', input: inputs.watchProcess },
      on: {
        'process.exited': {
          target: 'reaping',
          actions: { type: 'assignExit', params: ({ event: { exit } }) => ({ exit }) },
        },
        abort: { target: '.terminating', actions: 'assignAsked' },
      },
      initial: 'probing',
      states: {
        probing: {
          invoke: { src: 'watchStart', input: inputs.watchHealth },
          on: {
            'health.failed': { actions: 'countFailedProbe' },
            'health.passed': 'up',
            'port.hijacked': {
              target: 'terminating',
              actions: fail('MESH_ERR_INSTANCE_PORT_HIJACKED'),
            },
            drain: { target: 'terminating', actions: 'assignAsked' },
          },
          after: {
            startTimeout: { target: 'terminating', actions: fail('MESH_ERR_INSTANCE_NOT_HEALTHY') },
          },
        },
        up: {
          entry: 'forgetFailedProbes',
          invoke: { src: 'watchHealth', input: inputs.watchHealth },
          on: {
            'health.passed': { actions: 'forgetFailedProbes' },
            'health.failed': [
              {
                guard: 'isBeyondTolerance',
                target: 'terminating',
                actions: ['countFailedProbe', fail('MESH_ERR_INSTANCE_UNHEALTHY')],
              },
              { actions: 'countFailedProbe' },
            ],
            drain: { target: 'draining', actions: 'assignAsked' },
          },
          initial: 'warming',
          states: {
            warming: {
              always: { guard: 'isWarm', target: 'healthy' },
              after: { warmup: 'healthy' },
            },
            healthy: { entry: tellReady },
          },
        },
        draining: {
          invoke: {
            src: 'drainRequests',
            input: inputs.drainRequests,
            onDone: 'terminating',
            // Requests that could not be waited for must not keep the process alive.
            onError: 'terminating',
          },
          after: { drainTimeout: 'terminating' },
        },
        terminating: {
          entry: send('SIGTERM'),
          on: { abort: { actions: 'assignAsked' } },
          after: { TERMINATE_TIMEOUT_MS: 'killing' },
        },
        killing: {
          entry: send('SIGKILL'),
          on: { abort: { actions: 'assignAsked' } },
          after: { KILL_TIMEOUT_MS: '#instance.reaping' },
        },
      },
    },
    reaping: {
      invoke: {
        src: 'reapProcess',
        input: inputs.reapProcess,
        onDone: {
          target: 'ended',
          actions: { type: 'assignReaped', params: ({ event }) => ({ failure: event.output }) },
        },
        // What could not be cleaned is swept at the next start; the end itself stands.
        onError: 'ended',
      },
      after: { REAP_TIMEOUT_MS: 'ended' },
    },
    ended: { type: 'final', entry: tellEnded },
    detached: { type: 'final' },
  },
});
