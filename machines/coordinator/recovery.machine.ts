/**
 * Peer recovery, on the side that is in need: wait, check, discover peers, try each of them with a
 * deadline of its own, and wait again. Decides whom to ask and when to give up a round; the exchange
 * with one peer, in the order of the Recover flow, is an effect that leaves the old state untouched
 * unless it succeeds. Bound by `actors/coordinator/recovery.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { crash, unbound } from '../kernel/unbound.ts';
import type { RecoveryFailure } from './errors.ts';
import type { StateSummary } from './stateguard.machine.ts';

export interface RecoveryInput {
  /** A number in [0, 1) that spreads the first waits of Coordinators started together. */
  readonly jitter: number;
  /** Before each round; default `WAIT_MS`. */
  readonly waitMs?: number;
}

/** Why the last round did not recover; the message names the peer. */
export interface RecoveryReason {
  readonly reason: RecoveryFailure;
  readonly message: string;
}

/** What one try came to. A fault of the program is no result: it rejects. */
export type RecoveryResult =
  | { readonly type: 'recovered'; readonly state: StateSummary }
  | ({ readonly type: 'failed' } & RecoveryReason);

export interface RecoveryContext extends Required<RecoveryInput> {
  /** Peers of this round that were not asked yet, by name. */
  readonly peers: readonly string[];
  readonly failure: RecoveryReason | null;
  readonly recovered: StateSummary | null;
  /** What this actor gives up over. */
  readonly crash: string;
}

export type RecoveryCommand = { type: 'stop' };
export type RecoveryEvent = RecoveryCommand;

/** Long enough for a burst of new manifests to settle. */
export const WAIT_MS = 15_000;
/** The wait is this fraction longer or shorter, so that peers do not ask in step. */
export const WAIT_JITTER = 0.2;
/** Looking at memory and at the history. */
export const CHECK_TIMEOUT_MS = 10_000;
/** Asking who else is there. */
export const DISCOVER_TIMEOUT_MS = 10_000;
/** Handshake, request and reading the history, for one peer. */
export const PEER_TIMEOUT_MS = 10_000;
/** Peers asked in one round. */
export const PEERS_MAX = 32;

/** By default 12 to 18 s. */
export const jitteredMs = (jitter: number, waitMs = WAIT_MS): number =>
  Math.round(waitMs * (1 + WAIT_JITTER * (2 * jitter - 1)));

export const isRecovered = (result: RecoveryResult): boolean => result.type === 'recovered';
/** Another peer's answer could differ only where the fault is the peer's. */
export const canAskNext = (result: RecoveryResult): boolean =>
  result.type === 'failed' &&
  ['peer_refused', 'wrong_seed', 'state_changed'].includes(result.reason);

/** What a result leaves in the context. */
export const outcomeOf = (result: RecoveryResult): Pick<RecoveryContext, 'failure' | 'recovered'> =>
  result.type === 'recovered'
    ? { failure: null, recovered: result.state }
    : { failure: { reason: result.reason, message: result.message }, recovered: null };

export const recoveryMachine = setup({
  types: {} as { input: RecoveryInput; context: RecoveryContext; events: RecoveryEvent },
  actors: {
    crash,
    checkState: unbound<
      { readonly isNeeded: boolean; readonly jitter: number },
      Record<string, never>
    >('checkState'),
    discoverPeers: unbound<readonly string[], Record<string, never>>('discoverPeers'),
    recoverFromPeer: unbound<RecoveryResult, { peer: string }>('recoverFromPeer'),
  },
  guards: {
    canAskNext: (_, { result }: { result: RecoveryResult }) => canAskNext(result),
    hasPeers: ({ context }) => context.peers.length > 0,
  },
  actions: {
    assignJitter: assign((_, { jitter }: { jitter: number }) => ({ jitter })),
    assignPeers: assign((_, { peers }: { peers: readonly string[] }) => ({
      peers: peers.slice(0, PEERS_MAX),
    })),
    nextPeer: assign({ peers: ({ context }) => context.peers.slice(1) }),
    assignOutcome: assign((_, { result }: { result: RecoveryResult }) => outcomeOf(result)),
    assignNoPeers: assign({
      failure: ({ context }) =>
        context.failure ?? { reason: 'no_peers', message: 'No peer is known.' },
    }),
    forgetFailure: assign({ failure: null }),
    assignCrash: assign((_, { message }: { message: string }) => ({ crash: message })),
  },
  delays: {
    wait: ({ context: { jitter, waitMs } }) => jitteredMs(jitter, waitMs),
    CHECK_TIMEOUT_MS,
    DISCOVER_TIMEOUT_MS,
    PEER_TIMEOUT_MS,
  },
}).createMachine({
  id: 'recovery',
  context: ({ input: { jitter, waitMs = WAIT_MS } }) => ({
    jitter,
    waitMs,
    peers: [],
    failure: null,
    recovered: null,
    crash: '',
  }),
  initial: 'waiting',
  on: { stop: '.stopped' },
  states: {
    waiting: { after: { wait: 'checking' } },
    checking: {
      invoke: {
        src: 'checkState',
        input: {},
        onDone: [
          {
            guard: ({ event }) => event.output.isNeeded,
            target: 'discovering',
            actions: [
              { type: 'assignJitter', params: ({ event }) => ({ jitter: event.output.jitter }) },
              'forgetFailure',
            ],
          },
          {
            target: 'waiting',
            actions: {
              type: 'assignJitter',
              params: ({ event }) => ({ jitter: event.output.jitter }),
            },
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
      after: { CHECK_TIMEOUT_MS: 'waiting' },
    },
    discovering: {
      invoke: {
        src: 'discoverPeers',
        input: {},
        onDone: {
          target: 'choosing',
          actions: { type: 'assignPeers', params: ({ event }) => ({ peers: event.output }) },
        },
        onError: {
          target: 'waiting',
          actions: {
            type: 'assignOutcome',
            params: ({ event }) => ({
              result: { type: 'failed', reason: 'no_peers', message: String(event.error) },
            }),
          },
        },
      },
      after: { DISCOVER_TIMEOUT_MS: { target: 'waiting', actions: 'assignNoPeers' } },
    },
    choosing: {
      always: [
        { guard: 'hasPeers', target: 'trying' },
        { target: 'waiting', actions: 'assignNoPeers' },
      ],
    },
    trying: {
      invoke: {
        src: 'recoverFromPeer',
        input: ({ context: { peers } }) => ({ peer: peers[0] ?? '' }),
        onDone: [
          {
            guard: {
              type: 'canAskNext',
              params: ({ event }) => ({ result: event.output }),
            },
            target: 'choosing',
            actions: [
              { type: 'assignOutcome', params: ({ event }) => ({ result: event.output }) },
              'nextPeer',
            ],
          },
          {
            target: 'waiting',
            actions: { type: 'assignOutcome', params: ({ event }) => ({ result: event.output }) },
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
      after: {
        PEER_TIMEOUT_MS: {
          target: 'choosing',
          actions: [
            {
              type: 'assignOutcome',
              params: ({ context: { peers } }) => ({
                result: {
                  type: 'failed',
                  reason: 'peer_refused',
                  message: `${peers[0] ?? ''} did not answer in time.`,
                },
              }),
            },
            'nextPeer',
          ],
        },
      },
    },
    crashing: {
      // No onError: the error is the point, and the supervisor's to answer.
      invoke: { src: 'crash', input: ({ context }) => ({ message: context.crash }) },
    },
    stopped: { type: 'final' },
  },
});
