/**
 * The asking side of one session with one peer: ask what it has, look what is missing here, ask for that, verify
 * and store each delivery, and go on until both sides agree that nothing is missing. Decides whom an answer
 * belongs to, when to ask again and when to give up. What a message is worth, and when the next session may
 * begin, are others' to decide. It drives: whatever is lost, it asks again, so the other side keeps
 * nothing. Bound by `actors/gossip/requester.actor.ts`.
 */
import { NO_TALLY, requesterSetup, wantedNow } from './requester-setup.ts';
import { requestMark } from './session-rules.ts';

export const requesterMachine = requesterSetup.createMachine({
  id: 'requester',
  context: ({ input }) => ({
    ...input,
    cursor: null,
    page: null,
    missing: [],
    frame: null,
    isReconciling: input.reconciles,
    attempts: 0,
    pages: 0,
    requests: 0,
    delivery: null,
    accepted: null,
    tally: NO_TALLY,
    outcome: 'done',
    code: null,
    crash: '',
  }),
  output: ({ context: { outcome, code, tally } }) => ({ outcome, code, tally }),
  initial: 'idle',
  states: {
    idle: {
      // A session that could not be continued ends here: what it had asked is not asked twice.
      always: { guard: 'isInterrupted', target: 'closing', actions: 'assignInterruption' },
      after: { spread: 'opening' },
    },
    opening: {
      entry: 'countAttempt',
      invoke: {
        src: 'askAvailable',
        input: ({ context: { peer, session, cursor, sinceMs, frame, isReconciling } }) => ({
          peer,
          session,
          cursor,
          since: sinceMs,
          frame,
          reconciles: isReconciling,
        }),
        onDone: [
          {
            guard: { type: 'isPosted', params: ({ event }) => ({ posted: event.output }) },
            target: 'awaitingAvailable',
          },
          {
            guard: { type: 'isLost', params: ({ event }) => ({ posted: event.output }) },
            target: 'awaitingAvailable',
            actions: { type: 'assignLoss', params: ({ event }) => ({ posted: event.output }) },
          },
          {
            target: 'closing',
            actions: { type: 'assignRefusal', params: ({ event }) => ({ posted: event.output }) },
          },
        ],
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: { STEP_TIMEOUT_MS: 'awaitingAvailable' },
    },
    awaitingAvailable: {
      on: {
        'available.received': [
          {
            guard: { type: 'isAbsurd', params: ({ event }) => event },
            target: 'closing',
            actions: 'assignMisbehaviour',
          },
          {
            guard: { type: 'isAnswer', params: ({ event }) => event },
            target: 'deduplicating',
            actions: { type: 'assignPage', params: ({ event }) => event },
          },
        ],
      },
      after: {
        ANSWER_TIMEOUT_MS: [
          { guard: 'canAskAgain', target: 'opening' },
          { target: 'closing', actions: 'assignSilence' },
        ],
      },
    },
    deduplicating: {
      invoke: {
        src: 'findMissing',
        input: ({ context: { session, page } }) => ({ session, page }),
        onDone: [
          {
            guard: { type: 'isFound', params: ({ event }) => ({ found: event.output }) },
            target: 'choosing',
            actions: { type: 'assignMissing', params: ({ event }) => ({ found: event.output }) },
          },
          { target: 'closing', actions: 'assignMisbehaviour' },
        ],
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: {
        STEP_TIMEOUT_MS: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: { message: 'The store did not answer in time.' },
          },
        },
      },
    },
    choosing: {
      always: [
        { guard: 'isMissingSome', target: 'requesting' },
        { guard: 'isAtEnd', target: 'ending' },
        { guard: 'isBeyondPages', target: 'closing', actions: 'assignMisbehaviour' },
        { target: 'opening', actions: 'assignNext' },
      ],
    },
    requesting: {
      entry: 'countAttempt',
      invoke: {
        src: 'askMessages',
        input: ({ context: { peer, session, requests, missing } }) => ({
          peer,
          session,
          cursor: requestMark(requests),
          ids: wantedNow(missing),
        }),
        onDone: [
          {
            guard: { type: 'isPosted', params: ({ event }) => ({ posted: event.output }) },
            target: 'awaitingDelivery',
          },
          {
            guard: { type: 'isLost', params: ({ event }) => ({ posted: event.output }) },
            target: 'awaitingDelivery',
            actions: { type: 'assignLoss', params: ({ event }) => ({ posted: event.output }) },
          },
          {
            target: 'closing',
            actions: { type: 'assignRefusal', params: ({ event }) => ({ posted: event.output }) },
          },
        ],
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: { STEP_TIMEOUT_MS: 'awaitingDelivery' },
    },
    awaitingDelivery: {
      on: {
        'delivery.received': {
          guard: { type: 'isDelivery', params: ({ event }) => event },
          target: 'verifying',
          actions: { type: 'assignDelivery', params: ({ event }) => event },
        },
      },
      after: {
        ANSWER_TIMEOUT_MS: [
          { guard: 'canAskAgain', target: 'requesting' },
          { target: 'closing', actions: 'assignSilence' },
        ],
      },
    },
    verifying: {
      invoke: {
        src: 'verifyDelivery',
        input: ({ context: { peer, missing, delivery } }) => ({
          peer,
          asked: wantedNow(missing),
          delivery,
        }),
        onDone: {
          target: 'storing',
          actions: {
            type: 'assignAccepted',
            params: ({ event }) => ({ accepted: event.output }),
          },
        },
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: {
        STEP_TIMEOUT_MS: {
          target: 'crashing',
          actions: { type: 'assignCrash', params: { message: 'Verifying did not end in time.' } },
        },
      },
    },
    storing: {
      invoke: {
        src: 'storeAccepted',
        input: ({ context: { peer, accepted } }) => ({ peer, accepted }),
        onDone: {
          target: 'choosing',
          actions: { type: 'assignProgress', params: ({ event }) => ({ counts: event.output }) },
        },
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: {
        STEP_TIMEOUT_MS: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: { message: 'The store did not answer in time.' },
          },
        },
      },
    },
    ending: {
      // What was announced and never came is asked for again at the next interval, from the same time on.
      always: [
        { guard: 'hasSkipped', target: 'closing', actions: 'assignMisbehaviour' },
        { target: 'closing' },
      ],
    },
    closing: {
      invoke: {
        src: 'closeSession',
        input: ({ context: { peer, session, outcome } }) => ({ peer, session, outcome }),
        onDone: [
          { guard: { type: 'isOutcome', params: { outcome: 'done' } }, target: 'done' },
          { guard: { type: 'isOutcome', params: { outcome: 'refused' } }, target: 'refused' },
          { guard: { type: 'isOutcome', params: { outcome: 'timedOut' } }, target: 'timedOut' },
          { target: 'misbehaved' },
        ],
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: {
        STEP_TIMEOUT_MS: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: { message: 'The store did not answer in time.' },
          },
        },
      },
    },
    done: { type: 'final' },
    refused: { type: 'final' },
    timedOut: { type: 'final' },
    misbehaved: { type: 'final' },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
