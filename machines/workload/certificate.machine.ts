/**
 * The mesh certificate of one instance, or of the edge: obtained, renewed at half of its life,
 * asked for again with back-off while the Coordinator does not answer, expired if that lasts. It
 * decides when to ask; keys and files are an effect's, and whoever waits for the first certificate
 * is told. Deadlines are absolute, so that a restart and a suspended machine change nothing.
 * Source: the initializer of the mesh API's NewMeshCert flow. Bound by
 * `actors/workload/certificate.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';
import {
  OBTAIN_TIMEOUT_MS,
  READ_TIMEOUT_MS,
  REFUSED_MS,
  TIMED_OUT,
  failureOf,
  retryMs,
} from './certificate-rules.ts';
import type {
  CertificateContext,
  CertificateEvent,
  CertificateFact,
  CertificateFailure,
  CertificateInput,
  CertificateSubject,
  HeldCertificate,
} from './certificate-rules.ts';

interface Given {
  readonly context: CertificateContext;
}

const subjectOf = ({ context: { subject } }: Given) => ({ subject });

/** A try that was rejected. */
const failError = {
  type: 'assignFailure',
  params: ({ event }: { readonly event: { readonly error: unknown } }) => ({
    failure: failureOf(event.error),
  }),
} as const;
/** A try that never ended. */
const failTimeout = { type: 'assignFailure', params: { failure: TIMED_OUT } } as const;
const tellFailed = {
  type: 'tellFailed',
  params: ({ context }: Given) => ({
    subject: context.subject,
    failure: context.failure,
    failures: context.failures,
  }),
} as const;
const hold = {
  type: 'assignCertificate',
  params: ({ event }: { readonly event: { readonly output: HeldCertificate } }) => ({
    certificate: event.output,
  }),
} as const;

export const certificateMachine = setup({
  types: {} as { input: CertificateInput; context: CertificateContext; events: CertificateEvent },
  actors: {
    readCertificate: unbound<HeldCertificate | null, { subject: CertificateSubject }>(
      'readCertificate',
    ),
    obtainCertificate: unbound<HeldCertificate, { subject: CertificateSubject }>(
      'obtainCertificate',
    ),
    watchLife: unboundWatch<CertificateFact, { certificate: HeldCertificate | null }>('watchLife'),
  },
  guards: {
    isThere: (_, { found }: { found: HeldCertificate | null }) => found !== null,
    isFinal: (_, { failure }: { failure: CertificateFailure }) => failure.isFinal,
  },
  actions: {
    tellHeld: unboundAction<{ subject: CertificateSubject; certificate: HeldCertificate | null }>(
      'tellHeld',
    ),
    tellFailed: unboundAction<{
      subject: CertificateSubject;
      failure: CertificateFailure | null;
      failures: number;
    }>('tellFailed'),
    tellExpired: unboundAction<{ subject: CertificateSubject }>('tellExpired'),
    assignCertificate: assign((_, { certificate }: { certificate: HeldCertificate | null }) => ({
      certificate,
      failure: null,
      failures: 0,
    })),
    assignFailure: assign(({ context }, { failure }: { failure: CertificateFailure }) => ({
      failure,
      failures: context.failures + 1,
    })),
    countRenewal: assign({ renewals: ({ context }) => context.renewals + 1 }),
  },
  delays: {
    READ_TIMEOUT_MS,
    OBTAIN_TIMEOUT_MS,
    REFUSED_MS,
    retry: ({ context }) => retryMs(context.failures, context.jitter),
  },
}).createMachine({
  id: 'certificate',
  context: ({ input }) => ({
    ...input,
    certificate: null,
    failures: 0,
    failure: null,
    renewals: 0,
  }),
  initial: 'reading',
  on: { stop: '.stopped' },
  states: {
    reading: {
      invoke: {
        src: 'readCertificate',
        input: subjectOf,
        onDone: [
          {
            guard: { type: 'isThere', params: ({ event }) => ({ found: event.output }) },
            target: 'held',
            actions: {
              type: 'assignCertificate',
              params: ({ event }) => ({ certificate: event.output }),
            },
          },
          { target: 'missing' },
        ],
        // Files that cannot be read are replaced.
        onError: 'missing',
      },
      after: { READ_TIMEOUT_MS: 'missing' },
    },
    missing: {
      initial: 'obtaining',
      states: {
        obtaining: {
          invoke: {
            src: 'obtainCertificate',
            input: subjectOf,
            onDone: { target: '#certificate.held', actions: hold },
            onError: [
              {
                guard: {
                  type: 'isFinal',
                  params: ({ event }) => ({ failure: failureOf(event.error) }),
                },
                target: 'refused',
                actions: failError,
              },
              { target: 'waiting', actions: failError },
            ],
          },
          after: { OBTAIN_TIMEOUT_MS: { target: 'waiting', actions: failTimeout } },
        },
        waiting: {
          entry: tellFailed,
          on: { renew: 'obtaining' },
          after: { retry: 'obtaining' },
        },
        refused: {
          entry: tellFailed,
          on: { renew: 'obtaining' },
          after: { REFUSED_MS: 'obtaining' },
        },
      },
    },
    held: {
      entry: {
        type: 'tellHeld',
        params: ({ context: { subject, certificate } }) => ({ subject, certificate }),
      },
      invoke: {
        src: 'watchLife',
        input: ({ context: { certificate } }) => ({ certificate }),
      },
      on: {
        'certificate.expired': {
          target: 'missing',
          actions: { type: 'tellExpired', params: subjectOf },
        },
      },
      initial: 'fresh',
      states: {
        fresh: { on: { 'renewal.due': 'renewing', renew: 'renewing' } },
        renewing: {
          invoke: {
            src: 'obtainCertificate',
            input: subjectOf,
            onDone: {
              target: '#certificate.held',
              reenter: true,
              actions: [hold, 'countRenewal'],
            },
            onError: { target: 'waiting', actions: failError },
          },
          after: { OBTAIN_TIMEOUT_MS: { target: 'waiting', actions: failTimeout } },
        },
        // Past its half life and still valid: whoever uses it notices nothing.
        waiting: {
          entry: tellFailed,
          on: { renew: 'renewing' },
          after: { retry: 'renewing' },
        },
      },
    },
    stopped: { type: 'final' },
  },
});
