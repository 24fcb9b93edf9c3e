/**
 * The agent of one node. Decides when the node is part of the mesh, and keeps one agent/app pair for
 * each slot that the fabric assigns to it. `retire` ends everything that runs on the node; `stop`
 * lets go of it and leaves it running. The node itself stays known until its lease ends, so that its
 * slots are its own again when it comes back in time.
 * Bound by `actors/workload/agent.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';
import type { Assignment, NodeRecord } from './plan.ts';

export type AgentInput = Omit<NodeRecord, 'expiresAtMs'>;

export interface AgentContext extends AgentInput {
  readonly assignments: readonly Assignment[];
  /** What this actor gives up over. */
  readonly crash: string;
}

export type AgentCommand = { type: 'retire' } | { type: 'stop' };
export type AgentFact =
  | { type: 'assignments.changed'; assignments: readonly Assignment[] }
  | { type: 'heartbeat.failed'; message: string }
  | { type: 'pairs.gone' };
export type AgentEvent = AgentCommand | AgentFact;

/** A node that cannot join by then has a store that hangs. */
export const JOIN_TIMEOUT_MS = 30_000;
/** A pair gives its instances five minutes to leave; what has not gone by then is left behind. */
export const RETIRE_TIMEOUT_MS = 330_000;

export const agentMachine = setup({
  types: {} as { input: AgentInput; context: AgentContext; events: AgentEvent },
  actors: {
    crash,
    joinMesh: unbound<void, AgentInput>('joinMesh'),
    watchAssignments: unboundWatch<AgentEvent, { node: string }>('watchAssignments'),
    sendHeartbeats: unboundWatch<AgentEvent, { node: string }>('sendHeartbeats'),
    watchPairs: unboundWatch<AgentEvent, { node: string }>('watchPairs'),
  },
  actions: {
    assignPairs: unboundAction<{ node: string; assignments: readonly Assignment[] }>('assignPairs'),
    assignAssignments: assign((_, { assignments }: { assignments: readonly Assignment[] }) => ({
      assignments,
    })),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { JOIN_TIMEOUT_MS, RETIRE_TIMEOUT_MS },
}).createMachine({
  id: 'agent',
  context: ({ input }) => ({ ...input, assignments: [], crash: '' }),
  initial: 'joining',
  on: { stop: '.detached' },
  states: {
    joining: {
      // No onError: a fabric that refuses is asked again by the supervisor's restart.
      invoke: {
        src: 'joinMesh',
        input: ({ context: { node, cpuMilli, memoryMb } }) => ({ node, cpuMilli, memoryMb }),
        onDone: 'serving',
      },
      on: { retire: 'retired' },
      after: {
        JOIN_TIMEOUT_MS: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: { message: 'The fabric did not answer in time.' },
          },
        },
      },
    },
    serving: {
      invoke: [
        { src: 'watchAssignments', input: ({ context }) => ({ node: context.node }) },
        { src: 'sendHeartbeats', input: ({ context }) => ({ node: context.node }) },
      ],
      on: {
        'assignments.changed': {
          actions: [
            {
              type: 'assignAssignments',
              params: ({ event }) => ({ assignments: event.assignments }),
            },
            {
              type: 'assignPairs',
              params: ({ context, event }) => ({
                node: context.node,
                assignments: event.assignments,
              }),
            },
          ],
        },
        'heartbeat.failed': {
          target: 'crashing',
          actions: { type: 'assignCrash', params: ({ event }) => ({ message: event.message }) },
        },
        retire: 'retiring',
      },
    },
    retiring: {
      entry: {
        type: 'assignPairs',
        params: ({ context }) => ({ node: context.node, assignments: [] }),
      },
      invoke: [
        { src: 'watchPairs', input: ({ context }) => ({ node: context.node }) },
        { src: 'sendHeartbeats', input: ({ context }) => ({ node: context.node }) },
      ],
      on: { 'pairs.gone': 'retired' },
      after: { RETIRE_TIMEOUT_MS: 'retired' },
    },
    retired: { type: 'final' },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
    detached: { type: 'final' },
  },
});
