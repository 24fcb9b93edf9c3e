/**
 * One deployment of one app over all of its slots. Decides when candidates may take the traffic and
 * whether the deployment succeeded or is reverted. Two phases: every candidate has to prove itself
 * before any slot switches, so that one failure leaves all active instances untouched. `stop_first`
 * goes slot by slot instead. Slots themselves are the agents' matter; who may publish, the fabric's.
 * Bound by `actors/workload/rollout.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound, unboundWatch } from '../kernel/unbound.ts';
import type {
  Assignment,
  Outcome,
  Permission,
  Reason,
  Slot,
  SlotReport,
  Strategy,
} from './plan.ts';

export interface RolloutInput {
  readonly app: string;
  readonly generation: number;
  readonly strategy: Strategy;
}

export interface RolloutContext extends RolloutInput {
  readonly assignments: readonly Assignment[];
  readonly reports: readonly SlotReport[];
  readonly reason: Reason | null;
  /** The slots were told once; before that, none does not mean that none is wanted. */
  readonly isSeen: boolean;
}

export type RolloutEvent =
  | {
      type: 'slots.changed';
      assignments: readonly Assignment[];
      reports: readonly SlotReport[];
    }
  | { type: 'deployment.ended' }
  | { type: 'stop' };

export interface RolloutOutput {
  readonly outcome: Exclude<Outcome, 'pending'>;
}

/**
 * Verifying a large spore, starting, warming up and draining take minutes at worst; each has a
 * deadline of its own, and this one is for an agent that says nothing.
 */
export const PHASE_TIMEOUT_MS = 600_000;

/** The fabric answers in milliseconds; beyond this it hangs. */
export const FABRIC_TIMEOUT_MS = 30_000;

const FAILED: ReadonlySet<SlotReport['state']> = new Set([
  'failed',
  'backing_off',
  'crash_looping',
]);

const isSlotOf = (slot: Slot, report: SlotReport): boolean =>
  slot.node === report.node && slot.ordinal === report.ordinal;

/** What a slot said of this very generation. */
export const reportFor = (context: RolloutContext, slot: Slot): SlotReport | undefined =>
  context.reports.find(
    (report) => isSlotOf(slot, report) && report.generation === context.generation,
  );

const isServing = (context: RolloutContext, slot: Slot): boolean =>
  reportFor(context, slot)?.state === 'serving';

/** No slot is left that neither serves the revision nor has a proven candidate of it. */
export const areCandidatesReady = (context: RolloutContext): boolean =>
  context.isSeen &&
  context.assignments.every((slot) => {
    const state = reportFor(context, slot)?.state;
    return state === 'serving' || state === 'candidate_ready';
  });

/** Every slot serves the revision of this generation. */
export const areAllServing = (context: RolloutContext): boolean =>
  context.isSeen && context.assignments.every((slot) => isServing(context, slot));

/** The first slot that failed in this generation. */
export const failureOf = (context: RolloutContext): SlotReport | undefined =>
  context.assignments
    .map((slot) => reportFor(context, slot))
    .find((report) => report !== undefined && FAILED.has(report.state));

/** The slot whose turn it is, for `stop_first`. */
export const nextHeld = (context: RolloutContext): Assignment | undefined =>
  context.assignments.find((slot) => slot.permission === 'hold');

const areAllowedServing = (context: RolloutContext): boolean =>
  context.assignments
    .filter((slot) => slot.permission !== 'hold')
    .every((slot) => isServing(context, slot));

const SILENT: Reason = {
  code: 'MESH_ERR_ROLLOUT_TIMEOUT',
  message: 'The slots of this deployment did not report progress in ten minutes.',
};

export const rolloutMachine = setup({
  types: {} as {
    input: RolloutInput;
    context: RolloutContext;
    events: RolloutEvent;
    output: RolloutOutput;
  },
  actors: {
    crash,
    watchSlots: unboundWatch<RolloutEvent, { app: string; generation: number }>('watchSlots'),
    permitSlots: unbound<
      void,
      { app: string; generation: number; slots: readonly Slot[]; permission: Permission }
    >('permitSlots'),
    endDeployment: unbound<
      void,
      {
        app: string;
        generation: number;
        outcome: 'succeeded' | 'reverted';
        reason: Reason | null;
      }
    >('endDeployment'),
  },
  actions: {
    assignSlots: assign(
      (_, seen: { assignments: readonly Assignment[]; reports: readonly SlotReport[] }) => ({
        assignments: seen.assignments,
        reports: seen.reports,
        isSeen: true,
      }),
    ),
    assignFailure: assign(({ context }) => {
      const failure = failureOf(context);
      return {
        reason:
          failure === undefined
            ? SILENT
            : {
                ...(failure.reason ?? { code: 'MESH_ERR_INSTANCE_FAILED', message: 'It failed.' }),
                node: failure.node,
              },
      };
    }),
  },
  guards: {
    isStopFirst: ({ context }) => context.strategy === 'stop_first',
    isFailed: ({ context }) => failureOf(context) !== undefined,
    areCandidatesReady: ({ context }) => areCandidatesReady(context),
    areAllServing: ({ context }) => areAllServing(context),
    isNextDue: ({ context }) => nextHeld(context) !== undefined && areAllowedServing(context),
  },
  delays: { PHASE_TIMEOUT_MS, FABRIC_TIMEOUT_MS },
}).createMachine({
  id: 'rollout',
  context: ({ input }) => ({ ...input, assignments: [], reports: [], reason: null, isSeen: false }),
  initial: 'running',
  on: { stop: '.detached' },
  states: {
    running: {
      invoke: {
        src: 'watchSlots',
        input: ({ context: { app, generation } }) => ({ app, generation }),
      },
      on: {
        'slots.changed': { actions: { type: 'assignSlots', params: ({ event }) => event } },
        'deployment.ended': 'superseded',
      },
      initial: 'choosing',
      states: {
        choosing: {
          always: [{ guard: 'isStopFirst', target: 'replacing' }, { target: 'proving' }],
        },
        proving: {
          always: [
            { guard: 'isFailed', target: 'reverting', actions: 'assignFailure' },
            { guard: 'areCandidatesReady', target: 'permitting' },
          ],
          after: { PHASE_TIMEOUT_MS: { target: 'reverting', actions: 'assignFailure' } },
        },
        permitting: {
          // No onError: a fabric that refuses is read anew by the supervisor's restart.
          after: { FABRIC_TIMEOUT_MS: '#rollout.crashing' },
          invoke: {
            src: 'permitSlots',
            input: ({ context: { app, generation, assignments } }) => ({
              app,
              generation,
              slots: assignments,
              permission: 'serve',
            }),
            onDone: 'switching',
          },
        },
        switching: {
          always: [
            { guard: 'isFailed', target: 'reverting', actions: 'assignFailure' },
            { guard: 'areAllServing', target: 'succeeding' },
          ],
          after: { PHASE_TIMEOUT_MS: { target: 'reverting', actions: 'assignFailure' } },
        },
        replacing: {
          always: [
            { guard: 'isFailed', target: 'reverting', actions: 'assignFailure' },
            { guard: 'areAllServing', target: 'succeeding' },
            { guard: 'isNextDue', target: 'permittingNext' },
          ],
          after: { PHASE_TIMEOUT_MS: { target: 'reverting', actions: 'assignFailure' } },
        },
        permittingNext: {
          // No onError: a fabric that refuses is read anew by the supervisor's restart.
          after: { FABRIC_TIMEOUT_MS: '#rollout.crashing' },
          invoke: {
            src: 'permitSlots',
            input: ({ context }) => ({
              app: context.app,
              generation: context.generation,
              slots: [nextHeld(context)].filter((slot) => slot !== undefined),
              permission: 'serve',
            }),
            onDone: 'replacing',
          },
        },
        succeeding: {
          // No onError: a fabric that refuses is read anew by the supervisor's restart.
          after: { FABRIC_TIMEOUT_MS: '#rollout.crashing' },
          invoke: {
            src: 'endDeployment',
            input: ({ context: { app, generation } }) => ({
              app,
              generation,
              outcome: 'succeeded',
              reason: null,
            }),
            onDone: '#rollout.succeeded',
          },
        },
        reverting: {
          // No onError: a fabric that refuses is read anew by the supervisor's restart.
          after: { FABRIC_TIMEOUT_MS: '#rollout.crashing' },
          invoke: {
            src: 'endDeployment',
            input: ({ context: { app, generation, reason } }) => ({
              app,
              generation,
              outcome: 'reverted',
              reason,
            }),
            onDone: '#rollout.reverted',
          },
        },
      },
    },
    succeeded: { type: 'final' },
    reverted: { type: 'final' },
    superseded: { type: 'final' },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: { message: 'The fabric did not answer in thirty seconds.' } },
    },
    detached: { type: 'final' },
  },
});
