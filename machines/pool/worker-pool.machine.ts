/**
 * The worker threads of a runtime as one supervised part: decides when they are fit to serve, when
 * they are in trouble, and when they are past mending, so that a supervisor replaces them.
 * The work itself passes by: queues, batches and retries belong to the pool's handle, which keeps
 * working across a restart. Bound by `actors/pool/worker-pool.actor.ts`.
 */
import { assign, emit, setup } from 'xstate';
import { CodedError } from '../kernel/coded-error.ts';
import type { ErrorJson } from '../kernel/coded-error.ts';
import { unbound, unboundWatch } from '../kernel/unbound.ts';
import { poolError } from './errors.ts';

export interface WorkerPoolInput {
  /** How long a stop waits for accepted work, in milliseconds. */
  readonly drainTimeoutMs?: number;
}

export interface WorkerPoolContext {
  readonly drainTimeoutMs: number;
  /** Workers that died since the pool was last calm. */
  readonly deaths: number;
  readonly isQueueFull: boolean;
  /** Why the pool failed; null until then. */
  readonly cause: ErrorJson | null;
}

export type WorkerPoolCommand = { type: 'stop' };
export type WorkerPoolFact =
  | { type: 'worker.died'; reason: string }
  | { type: 'queue.filled'; waiting: number }
  | { type: 'queue.drained' }
  | { type: 'pool.broken'; cause: ErrorJson };
export type WorkerPoolEvent = WorkerPoolCommand | WorkerPoolFact;

/** Three deaths without a calm spell are a pattern, one is an accident. */
export const DEATHS_DEGRADED = 3;

/** More than this many deaths without a calm spell, and only a fresh set of threads can help. */
export const DEATHS_MAX = 10;

/** Milliseconds without a death after which earlier ones are forgotten. */
export const CALM_MS = 10_000;

/** Milliseconds for threads to start and answer a first task; measured 40–120. */
export const START_TIMEOUT_MS = 10_000;

/** Milliseconds that a stop waits for accepted work by default. */
export const DRAIN_TIMEOUT_MS = 4_000;

export const isTroubled = (deaths: number, isQueueFull: boolean): boolean =>
  deaths >= DEATHS_DEGRADED || isQueueFull;

export const isBeyondMending = (deaths: number): boolean => deaths > DEATHS_MAX;

/** Anything thrown, as an error that can stand in a snapshot. */
export function causeOf(thrown: unknown, attempt: string): ErrorJson {
  if (thrown instanceof CodedError) return thrown.toJSON();
  return poolError('MESH_ERR_POOL_BROKEN', attempt, { cause: thrown }).toJSON();
}

const tooManyDeaths = (deaths: number): ErrorJson =>
  poolError(
    'MESH_ERR_POOL_BROKEN',
    `${deaths} workers died with less than ${CALM_MS} ms between them.`,
  ).toJSON();

const startTimedOut = (): ErrorJson =>
  poolError(
    'MESH_ERR_POOL_BROKEN',
    `Worker threads did not answer a first task within ${START_TIMEOUT_MS} ms.`,
  ).toJSON();

export const workerPoolMachine = setup({
  types: {} as {
    input: WorkerPoolInput;
    context: WorkerPoolContext;
    events: WorkerPoolEvent;
    emitted: WorkerPoolFact;
  },
  actors: {
    startThreads: unbound<void>('startThreads'),
    drainThreads: unbound<void>('drainThreads'),
    watchThreads: unboundWatch<WorkerPoolFact, undefined>('watchThreads'),
  },
  guards: {
    isTroubled: ({ context }) => isTroubled(context.deaths, context.isQueueFull),
    isBeyondMending: ({ context }) => isBeyondMending(context.deaths + 1),
  },
  actions: {
    countDeath: assign({ deaths: ({ context }) => Math.min(context.deaths + 1, DEATHS_MAX + 1) }),
    forgetDeaths: assign({ deaths: 0 }),
    assignQueueFull: assign({ isQueueFull: true }),
    assignQueueDrained: assign({ isQueueFull: false }),
    assignDeathsCause: assign({ cause: ({ context }) => tooManyDeaths(context.deaths) }),
    assignTimeoutCause: assign({ cause: startTimedOut }),
    assignCause: assign((_, params: { readonly cause: ErrorJson }) => ({ cause: params.cause })),
    tell: emit((_, params: WorkerPoolFact) => params),
    exitWithCause: ({ context }) => {
      throw CodedError.fromJSON(context.cause);
    },
  },
  delays: {
    calm: CALM_MS,
    startTimeout: START_TIMEOUT_MS,
    drainTimeout: ({ context }) => context.drainTimeoutMs,
  },
}).createMachine({
  id: 'worker-pool',
  context: ({ input }) => ({
    drainTimeoutMs: input.drainTimeoutMs ?? DRAIN_TIMEOUT_MS,
    deaths: 0,
    isQueueFull: false,
    cause: null,
  }),
  initial: 'starting',
  states: {
    starting: {
      invoke: {
        src: 'startThreads',
        onDone: 'serving',
        onError: {
          target: 'failed',
          actions: {
            type: 'assignCause',
            params: ({ event }) => ({ cause: causeOf(event.error, 'Starting worker threads.') }),
          },
        },
      },
      on: { stop: 'draining' },
      after: { startTimeout: { target: 'failed', actions: 'assignTimeoutCause' } },
    },
    serving: {
      // Watching has no answer; a throw in it is a defect, and the supervisor's to handle.
      invoke: { src: 'watchThreads', input: undefined },
      initial: 'running',
      on: {
        stop: 'draining',
        'pool.broken': {
          target: 'failed',
          actions: { type: 'assignCause', params: ({ event }) => ({ cause: event.cause }) },
        },
        'worker.died': [
          {
            guard: 'isBeyondMending',
            target: 'failed',
            actions: [
              { type: 'tell', params: ({ event }) => event },
              'countDeath',
              'assignDeathsCause',
            ],
          },
          {
            target: '.judging',
            actions: [{ type: 'tell', params: ({ event }) => event }, 'countDeath'],
          },
        ],
        'queue.filled': {
          target: '.judging',
          actions: [{ type: 'tell', params: ({ event }) => event }, 'assignQueueFull'],
        },
        'queue.drained': { target: '.judging', actions: 'assignQueueDrained' },
      },
      states: {
        judging: { always: [{ guard: 'isTroubled', target: 'degraded' }, { target: 'running' }] },
        running: { after: { calm: { actions: 'forgetDeaths' } } },
        degraded: { after: { calm: { target: 'judging', actions: 'forgetDeaths' } } },
      },
    },
    draining: {
      invoke: { src: 'drainThreads', onDone: 'closed', onError: 'closed' },
      after: { drainTimeout: 'closed' },
    },
    closed: { type: 'final' },
    failed: { type: 'final', entry: 'exitWithCause' },
  },
});
