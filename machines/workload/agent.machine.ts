/**
 * The agent of one node. Decides when the node is part of the mesh, and keeps one agent/app pair for
 * each slot that the fabric assigns to it. `retire` ends everything that runs on the node; `stop`
 * lets go of it and leaves it running.
 * Bound by `actors/workload/agent.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';
import type { Assignment, NodeRecord } from './plan.ts';

export type AgentInput = Omit<NodeRecord, 'expiresAtMs'>;

export interface AgentContext extends AgentInput {
  readonly assignments: readonly Assignment[];
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
    joinMesh: unbound<void, AgentInput>('joinMesh'),
    watchAssignments: unboundWatch<AgentEvent, { node: string }>('watchAssignments'),
    sendHeartbeats: unboundWatch<AgentEvent, { node: string }>('sendHeartbeats'),
    watchPairs: unboundWatch<AgentEvent, { node: string }>('watchPairs'),
    leaveMesh: unbound<void, { node: string }>('leaveMesh'),
  },
  actions: {
    assignPairs: unboundAction<{ node: string; assignments: readonly Assignment[] }>('assignPairs'),
    assignAssignments: assign((_, { assignments }: { assignments: readonly Assignment[] }) => ({
      assignments,
    })),
    crash: (_, { message }: { message: string }) => {
      throw new Error(message);
    },
  },
  delays: { JOIN_TIMEOUT_MS, RETIRE_TIMEOUT_MS },
}).createMachine({
  id: 'agent',
  context: ({ input }) => ({ ...input, assignments: [] }),
  initial: 'joining',
  on: { stop: '.detached' },
  states: {
    joining: {
      invoke: {
        src: 'joinMesh',
        input: ({ context: { node, cpuMilli, memoryMb } }) => ({ node, cpuMilli, memoryMb }),
        onDone: 'serving',
        onError: {
          actions: { type: 'crash', params: ({ event }) => ({ message: String(event.error) }) },
        },
      },
      on: { retire: 'leaving' },
      after: {
        JOIN_TIMEOUT_MS: {
          actions: { type: 'crash', params: { message: 'The fabric did not answer in time.' } },
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
          actions: { type: 'crash', params: ({ event }) => ({ message: event.message }) },
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
      on: { 'pairs.gone': 'leaving' },
      after: { RETIRE_TIMEOUT_MS: 'leaving' },
    },
    leaving: {
      invoke: {
        src: 'leaveMesh',
        input: ({ context }) => ({ node: context.node }),
        onDone: 'retired',
        // The node's lease ends by itself.
        onError: 'retired',
      },
      after: { JOIN_TIMEOUT_MS: 'retired' },
    },
    retired: { type: 'final' },
    detached: { type: 'final' },
  },
});
