/**
 * The answering side of one session: takes a question, reads the answer from the store, sends it, and waits for the
 * next. Keeps nothing that an answer depends on, so a crash, a restart or its end costs the requester one
 * question asked again. Decides how many answers one session may have; what may be told to whom is the
 * binding's to ask. Bound by `actors/gossip/responder.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound } from '../kernel/unbound.ts';
import type { MetaAnswer, MetaQuestion } from './meta-message.schema.ts';
import { hasAnswersLeft } from './session-rules.ts';
import type { Posted } from './session-rules.ts';
import { RESPONDER_IDLE_MS, STEP_TIMEOUT_MS } from './session-limits.ts';

export interface ResponderInput {
  /** Who asks; proven. */
  readonly peer: string;
  readonly session: string;
}

export interface ResponderContext extends ResponderInput {
  /** The one that is answered now. */
  readonly question: MetaQuestion | null;
  /** One that came meanwhile: the newest, for the requester waits for no other. */
  readonly next: MetaQuestion | null;
  readonly answer: MetaAnswer | null;
  readonly answers: number;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type ResponderEvent = { type: 'question.received'; question: MetaQuestion };

/** Whether a question is answered; the binding counts why not. */
export type Admission = { readonly isAdmitted: boolean };

/** What the store gave for a question: nothing where the question is malformed. */
export type Answered = { readonly answer: MetaAnswer | null };

export const responderMachine = setup({
  types: {} as { input: ResponderInput; context: ResponderContext; events: ResponderEvent },
  actors: {
    crash,
    admitQuestion: unbound<
      Admission,
      { peer: string; session: string; question: MetaQuestion | null; hasAnswersLeft: boolean }
    >('admitQuestion'),
    readAnswer: unbound<Answered, { peer: string; question: MetaQuestion | null }>('readAnswer'),
    sendAnswer: unbound<Posted, { peer: string; answer: MetaAnswer | null }>('sendAnswer'),
  },
  guards: {
    isAdmitted: (_, { admission }: { admission: Admission }) => admission.isAdmitted,
    isAnswered: (_, { answered }: { answered: Answered }) => answered.answer !== null,
    hasNext: ({ context }) => context.next !== null,
  },
  actions: {
    assignQuestion: assign((_, { question }: { question: MetaQuestion }) => ({ question })),
    keepNext: assign((_, { question }: { question: MetaQuestion }) => ({ next: question })),
    takeNext: assign({ question: ({ context }) => context.next, next: null }),
    assignAnswer: assign(({ context }, { answered }: { answered: Answered }) => ({
      answer: answered.answer,
      answers: context.answers + 1,
    })),
    forgetAnswer: assign({ question: null, answer: null }),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { RESPONDER_IDLE_MS, STEP_TIMEOUT_MS },
}).createMachine({
  id: 'responder',
  context: ({ input }) => ({
    ...input,
    question: null,
    next: null,
    answer: null,
    answers: 0,
    crash: '',
  }),
  initial: 'idle',
  states: {
    idle: {
      entry: 'forgetAnswer',
      always: { guard: 'hasNext', target: 'admitting', actions: 'takeNext' },
      on: {
        'question.received': {
          target: 'admitting',
          actions: { type: 'assignQuestion', params: ({ event }) => event },
        },
      },
      after: { RESPONDER_IDLE_MS: 'closed' },
    },
    admitting: {
      on: { 'question.received': { actions: { type: 'keepNext', params: ({ event }) => event } } },
      invoke: {
        src: 'admitQuestion',
        input: ({ context: { peer, session, question, answers } }) => ({
          peer,
          session,
          question,
          hasAnswersLeft: hasAnswersLeft(answers),
        }),
        onDone: [
          {
            guard: { type: 'isAdmitted', params: ({ event }) => ({ admission: event.output }) },
            target: 'serving',
          },
          { target: 'closed' },
        ],
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: { STEP_TIMEOUT_MS: 'closed' },
    },
    serving: {
      on: { 'question.received': { actions: { type: 'keepNext', params: ({ event }) => event } } },
      invoke: {
        src: 'readAnswer',
        input: ({ context: { peer, question } }) => ({ peer, question }),
        onDone: [
          {
            guard: { type: 'isAnswered', params: ({ event }) => ({ answered: event.output }) },
            target: 'sending',
            actions: { type: 'assignAnswer', params: ({ event }) => ({ answered: event.output }) },
          },
          { target: 'idle' },
        ],
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: { STEP_TIMEOUT_MS: 'closed' },
    },
    sending: {
      on: { 'question.received': { actions: { type: 'keepNext', params: ({ event }) => event } } },
      invoke: {
        src: 'sendAnswer',
        input: ({ context: { peer, answer } }) => ({ peer, answer }),
        // Lost or refused: the requester asks again, or has gone.
        onDone: 'idle',
        onError: {
          target: 'crashing',
          actions: {
            type: 'assignCrash',
            params: ({ event }) => ({ message: String(event.error) }),
          },
        },
      },
      after: { STEP_TIMEOUT_MS: 'idle' },
    },
    closed: { type: 'final' },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
