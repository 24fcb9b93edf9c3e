/**
 * The front of a Coordinator as an actor: when it listens, under which certificate, and that its peers
 * can find it while it does. Connections never pass here: each attested one has a machine of its own.
 * A front that ends by itself crashes this actor, and the next one opens the same port; the guard's
 * state is not here and stays. Bound by `actors/coordinator/coordinator-front.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound, unboundWatch } from '../kernel/unbound.ts';

/** Where a front listens. */
export interface FrontAddress {
  readonly host: string;
  readonly port: number;
}

/** The certificate that plain clients are shown. */
export interface FrontCertificate {
  readonly spiffeId: string;
  readonly notAfterMs: number;
}

export interface FrontContext extends FrontAddress {
  /** `null` while it is a self-signed one: no state is in memory to issue a better one. */
  readonly certificate: FrontCertificate | null;
  /** Why the last attempt to renew the certificate failed; empty when it did not. */
  readonly failure: string;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type FrontCommand = { type: 'stop' };
export type FrontFact =
  | { type: 'front.ended' }
  | { type: 'certificate.renewed'; certificate: FrontCertificate }
  | { type: 'certificate.failed'; message: string };
export type FrontEvent = FrontCommand | FrontFact;

/** Taking a port is immediate. */
export const OPEN_TIMEOUT_MS = 10_000;
/** Calls under way get this long when the front itself goes. */
export const DRAIN_DEADLINE_MS = 3_000;
const DRAIN_TIMEOUT_MS = DRAIN_DEADLINE_MS + 1_000;

export const coordinatorFrontMachine = setup({
  types: {} as { context: FrontContext; events: FrontEvent },
  actors: {
    crash,
    openFront: unbound<FrontAddress, Record<string, never>>('openFront'),
    watchFront: unboundWatch<FrontFact, Record<string, never>>('watchFront'),
    keepCertified: unboundWatch<FrontFact, Record<string, never>>('keepCertified'),
    keepAnnounced: unboundWatch<FrontFact, FrontAddress>('keepAnnounced'),
    drainFront: unbound<unknown, { deadlineMs: number }>('drainFront'),
  },
  actions: {
    assignAddress: assign((_, { host, port }: FrontAddress) => ({ host, port })),
    assignCertificate: assign((_, { certificate }: { certificate: FrontCertificate }) => ({
      certificate,
      failure: '',
    })),
    assignFailure: assign((_, { message }: { message: string }) => ({ failure: message })),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: { OPEN_TIMEOUT_MS, DRAIN_TIMEOUT_MS },
}).createMachine({
  id: 'coordinator-front',
  context: { host: '', port: 0, certificate: null, failure: '', crash: '' },
  initial: 'opening',
  states: {
    opening: {
      // No onError: a taken port is its supervisor's matter, and the reason of a failed start.
      invoke: {
        src: 'openFront',
        input: {},
        onDone: {
          target: 'listening',
          actions: { type: 'assignAddress', params: ({ event }) => event.output },
        },
      },
      on: { stop: 'draining' },
      after: {
        OPEN_TIMEOUT_MS: {
          target: 'crashing',
          actions: { type: 'assignCrash', params: { message: 'The port could not be opened.' } },
        },
      },
    },
    listening: {
      invoke: [
        { src: 'watchFront', input: {} },
        { src: 'keepCertified', input: {} },
        { src: 'keepAnnounced', input: ({ context: { host, port } }) => ({ host, port }) },
      ],
      on: {
        'front.ended': {
          target: 'crashing',
          actions: { type: 'assignCrash', params: { message: 'The listener ended by itself.' } },
        },
        'certificate.renewed': {
          actions: { type: 'assignCertificate', params: ({ event }) => event },
        },
        'certificate.failed': { actions: { type: 'assignFailure', params: ({ event }) => event } },
        stop: 'draining',
      },
    },
    draining: {
      invoke: {
        src: 'drainFront',
        input: { deadlineMs: DRAIN_DEADLINE_MS },
        onDone: 'closed',
        // Whatever is left ends with the process.
        onError: 'closed',
      },
      after: { DRAIN_TIMEOUT_MS: 'closed' },
    },
    closed: { type: 'final' },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
  },
});
