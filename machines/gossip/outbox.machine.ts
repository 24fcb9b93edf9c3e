/**
 * What a peer has to send: wake up when something is due, post it, wait. Decides when to look; back-off and dead
 * letters of each message are `outbox-rules.ts`, and durable. Bound by `actors/gossip/outbox.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound, unboundWatch } from '../kernel/unbound.ts';
import { OUTBOX_POLL_MS, STEP_TIMEOUT_MS } from './session-limits.ts';

export interface OutboxContext {
  /** Until the next message is due. */
  readonly waitMs: number;
  /** Something was added while it was at work. */
  readonly isAgain: boolean;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type OutboxEvent = { type: 'mail.added' };

/** When to look again: `null` when nothing waits. */
export const outboxWaitMs = (dueInMs: number | null): number =>
  dueInMs === null ? OUTBOX_POLL_MS : Math.min(OUTBOX_POLL_MS, Math.max(1, dueInMs));

export const outboxMachine = setup({
  types: {} as { context: OutboxContext; events: OutboxEvent },
  actors: {
    crash,
    watchMail: unboundWatch<OutboxEvent, Record<string, never>>('watchMail'),
    sendMail: unbound<{ readonly dueInMs: number | null }, Record<string, never>>('sendMail'),
  },
  guards: { isAgain: ({ context }) => context.isAgain },
  actions: {
    noteMail: assign({ isAgain: true }),
    beginSending: assign({ isAgain: false }),
    assignWait: assign((_, { dueInMs }: { dueInMs: number | null }) => ({
      waitMs: outboxWaitMs(dueInMs),
    })),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { wait: ({ context }) => context.waitMs, STEP_TIMEOUT_MS },
}).createMachine({
  id: 'outbox',
  context: { waitMs: OUTBOX_POLL_MS, isAgain: false, crash: '' },
  initial: 'sending',
  invoke: { src: 'watchMail', input: {} },
  states: {
    sending: {
      entry: 'beginSending',
      on: { 'mail.added': { actions: 'noteMail' } },
      invoke: {
        src: 'sendMail',
        input: {},
        onDone: {
          target: 'waiting',
          actions: { type: 'assignWait', params: ({ event }) => event.output },
        },
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      // A relay that hangs; posting is idempotent.
      after: { STEP_TIMEOUT_MS: 'waiting' },
    },
    waiting: {
      always: { guard: 'isAgain', target: 'sending' },
      on: { 'mail.added': 'sending' },
      after: { wait: 'sending' },
    },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
