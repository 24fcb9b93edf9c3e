/**
 * The edge as an actor: when it listens, and that its routes follow the endpoints while it does.
 * Requests themselves never pass here: the data plane reads the routing table on its own.
 * Bound by `actors/workload/edge.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound, unboundWatch } from '../kernel/unbound.ts';

export interface EdgeContext {
  readonly port: number;
  readonly apps: number;
  readonly targets: number;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type EdgeEvent =
  | { type: 'routes.published'; apps: number; targets: number }
  | { type: 'routes.failed'; message: string }
  | { type: 'stop' };

/** Taking a port is immediate. */
export const OPEN_TIMEOUT_MS = 10_000;
/** Requests under way get this long when the edge itself goes. */
export const CLOSE_DEADLINE_MS = 5_000;
const CLOSE_TIMEOUT_MS = CLOSE_DEADLINE_MS + 2_000;

export const edgeMachine = setup({
  types: {} as { context: EdgeContext; events: EdgeEvent },
  actors: {
    crash,
    openEdge: unbound<{ port: number }, Record<string, never>>('openEdge'),
    publishRoutes: unboundWatch<EdgeEvent, Record<string, never>>('publishRoutes'),
    closeEdge: unbound<unknown, { deadlineMs: number }>('closeEdge'),
  },
  actions: {
    assignPort: assign((_, { port }: { port: number }) => ({ port })),
    assignRoutes: assign((_, { apps, targets }: { apps: number; targets: number }) => ({
      apps,
      targets,
    })),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { OPEN_TIMEOUT_MS, CLOSE_TIMEOUT_MS },
}).createMachine({
  id: 'edge',
  context: { port: 0, apps: 0, targets: 0, crash: '' },
  initial: 'opening',
  states: {
    opening: {
      // No onError: a taken port is its supervisor's matter, and the reason of a failed start.
      invoke: {
        src: 'openEdge',
        input: {},
        onDone: {
          target: 'listening',
          actions: { type: 'assignPort', params: ({ event }) => event.output },
        },
      },
      on: { stop: 'closing' },
      after: {
        OPEN_TIMEOUT_MS: {
          target: 'crashing',
          actions: { type: 'assignCrash', params: { message: 'The port could not be opened.' } },
        },
      },
    },
    listening: {
      invoke: { src: 'publishRoutes', input: {} },
      on: {
        'routes.published': { actions: { type: 'assignRoutes', params: ({ event }) => event } },
        'routes.failed': {
          target: 'crashing',
          actions: { type: 'assignCrash', params: ({ event }) => ({ message: event.message }) },
        },
        stop: 'closing',
      },
    },
    closing: {
      invoke: {
        src: 'closeEdge',
        input: { deadlineMs: CLOSE_DEADLINE_MS },
        onDone: 'closed',
        // Whatever is left ends with the process.
        onError: 'closed',
      },
      after: { CLOSE_TIMEOUT_MS: 'closed' },
    },
    closed: { type: 'final' },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
