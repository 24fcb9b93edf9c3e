/**
 * One agent/app pair: a slot of an app on a node. Decides which instance serves, when a candidate
 * replaces it, and what follows from an end: respawn with back-off, or a report that lets the
 * rollout revert. At most one active and one candidate instance exist at any time; those on their
 * way out are only remembered until they are gone.
 * `stop` lets go and leaves everything running, for a successor to find; an assignment of null is
 * what ends instances. Source: the state machine per agent and app in the workload domain's flows:
 * idle, launching, ready, draining, stopped. The names that it uses are set up in
 * `agent-app-setup.ts`. Bound by `actors/workload/agent-app.actor.ts`.
 */
import { not } from 'xstate';
import {
  abortCandidate,
  adoptFound,
  agentAppSetup,
  drainActive,
  drainFound,
  forgetRetired,
  inputs,
  phase,
  report,
} from './agent-app-setup.ts';
import { knownOf } from './succession.ts';

export const agentAppMachine = agentAppSetup.createMachine({
  id: 'agent-app',
  context: ({ input }) => ({
    ...knownOf(input),
    slot: input.slot,
    desired: input.desired,
    active: null,
    candidate: null,
    retiring: [],
    phase: 'pending',
    reported: '',
    crash: '',
  }),
  initial: 'recovering',
  always: { guard: 'isReportDue', actions: [report, 'assignReported'] },
  on: {
    assign: {
      actions: { type: 'assignDesired', params: ({ event: { desired } }) => ({ desired }) },
    },
    'instance.ended': [
      { guard: 'isOfActive', target: '.settling', actions: 'forgetActive' },
      { actions: forgetRetired },
    ],
    // An instance's actor that crashed is a defect; its process lives on. A restart finds it again.
    'instance.lost': {
      target: '.crashing',
      actions: {
        type: 'blame',
        params: ({ event }) => ({ message: `The actor of instance ${event.instance} is lost.` }),
      },
    },
    'report.failed': {
      target: '.crashing',
      actions: { type: 'blame', params: ({ event: { message } }) => ({ message }) },
    },
    stop: '.detached',
  },
  states: {
    recovering: {
      // Without its records a slot can decide nothing: a failure is the supervisor's to repeat.
      invoke: {
        src: 'recoverSlot',
        input: inputs.recoverSlot,
        onDone: {
          target: 'adopting',
          actions: [
            { type: 'assignFound', params: ({ event }) => ({ found: event.output }) },
            adoptFound,
            drainFound,
          ],
        },
      },
      after: { FABRIC_TIMEOUT_MS: { target: 'crashing', actions: 'blameFabric' } },
    },
    adopting: {
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: not('isServing'), target: 'settling' },
      ],
      on: { 'instance.ready': { guard: 'isOfActive', target: 'registering' } },
      after: { ADOPT_TIMEOUT_MS: { target: 'crashing', actions: 'blameAdoption' } },
    },
    registering: {
      always: { guard: not('isServing'), target: 'settling' },
      // No onError: a fabric that refuses is read anew by the supervisor's restart.
      invoke: { src: 'switchTraffic', input: inputs.register, onDone: 'ready' },
      on: {
        'instance.ended': [
          { guard: 'isOfActive', actions: 'forgetActive' },
          { actions: forgetRetired },
        ],
      },
      after: { FABRIC_TIMEOUT_MS: { target: 'crashing', actions: 'blameFabric' } },
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
      entry: phase('pending'),
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: 'isLaunchDue', target: 'launching' },
      ],
    },
    // From a launch to the switch; the same with and without an active instance beside it.
    launching: {
      entry: phase('launching'),
      initial: 'starting',
      on: {
        'instance.ended': [
          { guard: 'isOfCandidate', target: 'settling', actions: 'failCandidate' },
          // The candidate goes on: it is what comes next in any case.
          { guard: 'isOfActive', actions: 'forgetActive' },
          { actions: forgetRetired },
        ],
      },
      states: {
        // An effect under way is never left: its outcome is awaited, then judged.
        starting: {
          invoke: {
            src: 'recordInstance',
            input: inputs.recordInstance,
            onDone: {
              target: 'probing',
              // Started only now: what it tells finds a machine that knows it.
              actions: [
                { type: 'assignCandidate', params: ({ event }) => ({ record: event.output }) },
                { type: 'startInstance', params: ({ event }) => ({ record: event.output }) },
              ],
            },
            onError: {
              target: '#agent-app.settling',
              actions: { type: 'failLaunch', params: ({ event: { error } }) => ({ error }) },
            },
          },
          after: {
            FABRIC_TIMEOUT_MS: { target: '#agent-app.crashing', actions: 'blameFabric' },
          },
        },
        probing: {
          always: { guard: 'isObsolete', target: 'abandoning' },
          on: { 'instance.ready': { guard: 'isOfCandidate', target: 'proven' } },
          after: {
            CANDIDATE_TIMEOUT_MS: {
              target: '#agent-app.settling',
              actions: [abortCandidate, 'retireCandidate', 'failSilent'],
            },
          },
        },
        proven: {
          entry: phase('candidate_ready'),
          always: [
            { guard: 'isObsolete', target: 'abandoning' },
            { guard: 'mayServe', target: 'promoting' },
          ],
        },
        promoting: {
          invoke: {
            src: 'switchTraffic',
            input: inputs.promote,
            onDone: [
              {
                guard: 'hasCandidate',
                target: '#agent-app.ready',
                actions: [drainActive, 'promoteCandidate'],
              },
              { target: '#agent-app.registering' },
            ],
            onError: [
              {
                guard: 'hasCandidate',
                target: '#agent-app.crashing',
                actions: {
                  type: 'blame',
                  params: ({ event }) => ({ message: String(event.error) }),
                },
              },
              { target: '#agent-app.registering' },
            ],
          },
          on: {
            'instance.ended': [
              // The switch may be done by now: the active one is registered anew.
              { guard: 'isOfCandidate', actions: 'failCandidate' },
              { guard: 'isOfActive', actions: 'forgetActive' },
              { actions: forgetRetired },
            ],
          },
          after: {
            FABRIC_TIMEOUT_MS: { target: '#agent-app.crashing', actions: 'blameFabric' },
          },
        },
        abandoning: {
          entry: [abortCandidate, 'retireCandidate'],
          always: '#agent-app.settling',
        },
      },
    },
    ready: {
      entry: phase('serving'),
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
        // Only a switch adds one that has to go, and enters this state anew.
        steady: {},
      },
    },
    backingOff: {
      always: [
        { guard: 'isLeaving', target: 'draining' },
        { guard: 'isRetryMoot', target: 'settling' },
      ],
      after: { backoff: 'launching' },
      initial: 'waiting',
      states: {
        waiting: {
          entry: phase('backing_off'),
          always: { guard: 'isCrashLooping', target: 'crashLooping' },
        },
        crashLooping: { entry: phase('crash_looping') },
      },
    },
    draining: {
      entry: [drainActive, abortCandidate, 'retireAll', phase('draining')],
      always: { guard: 'isGone', target: 'leaving' },
      after: { LEAVE_TIMEOUT_MS: 'leaving' },
    },
    leaving: { always: [{ guard: 'isLeaving', target: 'stopped' }, { target: 'settling' }] },
    stopped: { type: 'final', entry: [phase('stopped'), report] },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
    detached: { type: 'final' },
  },
});
