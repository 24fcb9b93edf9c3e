/**
 * The mail of a peer: lease some, handle each for itself, and acknowledge only what is durably handled. Decides
 * when to look and how long to leave a failing relay alone; what a message is worth is the binding's. What
 * is not acknowledged comes back when its lease has ended. Bound by `actors/gossip/inbox.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound, unboundWatch } from '../kernel/unbound.ts';
import { relayBackoffMs } from './session-rules.ts';
import { INBOX_POLL_MS, STEP_TIMEOUT_MS } from './session-limits.ts';

/** What a look into the inbox came to; the messages themselves stay with the binding. */
export type Leased =
  | { readonly type: 'leased'; readonly leases: readonly string[] }
  | { readonly type: 'unreachable'; readonly code: string };

export interface InboxContext {
  /** Of the batch under way. */
  readonly leases: readonly string[];
  /** Failures of the relay in a row. */
  readonly failures: number;
  /** Of the last failure. */
  readonly code: string | null;
  /** The relay woke it while it was at work. */
  readonly isWoken: boolean;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type InboxEvent = { type: 'relay.woke' };

export const inboxMachine = setup({
  types: {} as { context: InboxContext; events: InboxEvent },
  actors: {
    crash,
    watchRelay: unboundWatch<InboxEvent, Record<string, never>>('watchRelay'),
    leaseMail: unbound<Leased, Record<string, never>>('leaseMail'),
    handleMail: unbound<readonly string[], { leases: readonly string[] }>('handleMail'),
    ackMail: unbound<void, { leases: readonly string[] }>('ackMail'),
  },
  guards: {
    isUnreachable: (_, { leased }: { leased: Leased }) => leased.type === 'unreachable',
    isEmpty: (_, { leased }: { leased: Leased }) =>
      leased.type === 'leased' && leased.leases.length === 0,
    isWoken: ({ context }) => context.isWoken,
  },
  actions: {
    noteWake: assign({ isWoken: true }),
    forgetWake: assign({ isWoken: false }),
    assignLeases: assign((_, { leases }: { leases: readonly string[] }) => ({ leases })),
    assignReached: assign((_, { leased }: { leased: Leased }) => ({
      leases: leased.type === 'leased' ? leased.leases : [],
      failures: 0,
      code: null,
    })),
    countFailure: assign(({ context }, { leased }: { leased: Leased }) => ({
      failures: context.failures + 1,
      code: leased.type === 'unreachable' ? leased.code : null,
    })),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: {
    backoff: ({ context }) => relayBackoffMs(context.failures),
    INBOX_POLL_MS,
    STEP_TIMEOUT_MS,
  },
}).createMachine({
  id: 'inbox',
  context: { leases: [], failures: 0, code: null, isWoken: false, crash: '' },
  initial: 'working',
  invoke: { src: 'watchRelay', input: {} },
  states: {
    working: {
      initial: 'leasing',
      on: { 'relay.woke': { actions: 'noteWake' } },
      states: {
        leasing: {
          entry: 'forgetWake',
          invoke: {
            src: 'leaseMail',
            input: {},
            onDone: [
              {
                guard: { type: 'isUnreachable', params: ({ event }) => ({ leased: event.output }) },
                target: '#inbox.backingOff',
                actions: {
                  type: 'countFailure',
                  params: ({ event }) => ({ leased: event.output }),
                },
              },
              {
                guard: { type: 'isEmpty', params: ({ event }) => ({ leased: event.output }) },
                target: '#inbox.waiting',
                actions: {
                  type: 'assignReached',
                  params: ({ event }) => ({ leased: event.output }),
                },
              },
              {
                target: 'handling',
                actions: {
                  type: 'assignReached',
                  params: ({ event }) => ({ leased: event.output }),
                },
              },
            ],
            onError: {
              target: '#inbox.crashing',
              actions: {
                type: 'assignCrash',
                params: ({ event }) => ({ message: String(event.error) }),
              },
            },
          },
          after: { STEP_TIMEOUT_MS: '#inbox.waiting' },
        },
        handling: {
          invoke: {
            src: 'handleMail',
            input: ({ context: { leases } }) => ({ leases }),
            onDone: {
              target: 'acknowledging',
              actions: { type: 'assignLeases', params: ({ event }) => ({ leases: event.output }) },
            },
            onError: {
              target: '#inbox.crashing',
              actions: {
                type: 'assignCrash',
                params: ({ event }) => ({ message: String(event.error) }),
              },
            },
          },
          // What was not acknowledged comes back.
          after: { STEP_TIMEOUT_MS: '#inbox.waiting' },
        },
        acknowledging: {
          invoke: {
            src: 'ackMail',
            input: ({ context: { leases } }) => ({ leases }),
            onDone: 'leasing',
            onError: {
              target: '#inbox.crashing',
              actions: {
                type: 'assignCrash',
                params: ({ event }) => ({ message: String(event.error) }),
              },
            },
          },
          after: { STEP_TIMEOUT_MS: '#inbox.waiting' },
        },
      },
    },
    waiting: {
      always: { guard: 'isWoken', target: 'working' },
      on: { 'relay.woke': 'working' },
      after: { INBOX_POLL_MS: 'working' },
    },
    backingOff: {
      on: { 'relay.woke': 'working' },
      after: { backoff: 'working' },
    },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
