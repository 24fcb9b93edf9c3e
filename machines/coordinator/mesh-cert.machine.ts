/**
 * One connection that asks for a mesh certificate: accepted with one snapshot of the state, attested
 * against that state's manifest, answered once, closed. Decides what a connection gets and when it
 * is given up: each step has its deadline, and a connection outlives its snapshot by nothing. What
 * is issued passes by this machine, which sees names only.
 * Source: the NewMeshCert flow of the mesh API. Bound by `actors/coordinator/mesh-cert.actor.ts`.
 */
import { assign, setup } from 'xstate';
import { unbound, unboundAction, unboundWatch } from '../kernel/unbound.ts';
import type { StateSummary } from './stateguard.machine.ts';

export interface MeshCertInput {
  /** Names the connection in records. */
  readonly connection: string;
}

/** What was issued; the certificate's public facts. */
export interface IssuedCertificate {
  readonly spiffeId: string;
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly notAfterMs: number;
}

export interface MeshCertContext extends MeshCertInput {
  readonly state: StateSummary | null;
  /** What the peer's evidence proved. */
  readonly identity: string;
  readonly issued: IssuedCertificate | null;
  /** Why it was refused: a code, or which deadline passed. */
  readonly refusal: string;
}

export type MeshCertCommand = { type: 'stop' };
export type MeshCertFact = { type: 'state.changed' } | { type: 'connection.closed' };
export type MeshCertEvent = MeshCertCommand | MeshCertFact;

/** Taking a snapshot looks at memory only. */
export const ACCEPT_TIMEOUT_MS = 1_000;
/** Ten round trips to the other side of the world, and a slow verifier. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** From the handshake's end to the request's last byte. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Signing one leaf. */
export const ISSUE_TIMEOUT_MS = 5_000;
/** Until the peer has taken the answer. */
export const REPLY_TIMEOUT_MS = 10_000;

/** The code of an error, or its text where it has none. */
export const refusalOf = (error: unknown): string => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  return typeof code === 'string' && code !== '' ? code : String(error);
};

export const meshCertMachine = setup({
  types: {} as { input: MeshCertInput; context: MeshCertContext; events: MeshCertEvent },
  actors: {
    takeState: unbound<StateSummary, { connection: string }>('takeState'),
    watchState: unboundWatch<MeshCertFact, { connection: string }>('watchState'),
    attestPeer: unbound<{ readonly identity: string }, { connection: string }>('attestPeer'),
    awaitRequest: unbound<void, { connection: string }>('awaitRequest'),
    issueCertificate: unbound<IssuedCertificate, { connection: string; identity: string }>(
      'issueCertificate',
    ),
    sendReply: unbound<void, { connection: string }>('sendReply'),
  },
  actions: {
    closeConnection: unboundAction<{ connection: string; refusal: string }>('closeConnection'),
    assignState: assign((_, { state }: { state: StateSummary }) => ({ state })),
    assignIdentity: assign((_, { identity }: { identity: string }) => ({ identity })),
    assignIssued: assign((_, { issued }: { issued: IssuedCertificate }) => ({ issued })),
    assignRefusal: assign((_, { refusal }: { refusal: string }) => ({ refusal })),
  },
  delays: {
    ACCEPT_TIMEOUT_MS,
    HANDSHAKE_TIMEOUT_MS,
    REQUEST_TIMEOUT_MS,
    ISSUE_TIMEOUT_MS,
    REPLY_TIMEOUT_MS,
  },
}).createMachine({
  id: 'mesh-cert',
  context: ({ input }) => ({ ...input, state: null, identity: '', issued: null, refusal: '' }),
  initial: 'accepting',
  on: {
    stop: {
      target: '.refused',
      actions: { type: 'assignRefusal', params: { refusal: 'stopping' } },
    },
    'connection.closed': {
      target: '.refused',
      actions: { type: 'assignRefusal', params: { refusal: 'closed' } },
    },
  },
  states: {
    accepting: {
      invoke: {
        src: 'takeState',
        input: ({ context: { connection } }) => ({ connection }),
        onDone: {
          target: 'served',
          actions: { type: 'assignState', params: ({ event }) => ({ state: event.output }) },
        },
        onError: {
          target: 'refused',
          actions: {
            type: 'assignRefusal',
            params: ({ event }) => ({ refusal: refusalOf(event.error) }),
          },
        },
      },
      after: {
        ACCEPT_TIMEOUT_MS: {
          target: 'refused',
          actions: { type: 'assignRefusal', params: { refusal: 'slow_accept' } },
        },
      },
    },
    served: {
      invoke: { src: 'watchState', input: ({ context: { connection } }) => ({ connection }) },
      initial: 'handshaking',
      on: {
        'state.changed': {
          target: 'refused',
          actions: { type: 'assignRefusal', params: { refusal: 'state_changed' } },
        },
      },
      states: {
        handshaking: {
          invoke: {
            src: 'attestPeer',
            input: ({ context: { connection } }) => ({ connection }),
            onDone: {
              target: 'requested',
              actions: {
                type: 'assignIdentity',
                params: ({ event }) => ({ identity: event.output.identity }),
              },
            },
            onError: {
              target: '#mesh-cert.refused',
              actions: {
                type: 'assignRefusal',
                params: ({ event }) => ({ refusal: refusalOf(event.error) }),
              },
            },
          },
          after: {
            HANDSHAKE_TIMEOUT_MS: {
              target: '#mesh-cert.refused',
              actions: { type: 'assignRefusal', params: { refusal: 'slow_handshake' } },
            },
          },
        },
        requested: {
          invoke: {
            src: 'awaitRequest',
            input: ({ context: { connection } }) => ({ connection }),
            onDone: 'issuing',
            onError: {
              target: '#mesh-cert.refused',
              actions: {
                type: 'assignRefusal',
                params: ({ event }) => ({ refusal: refusalOf(event.error) }),
              },
            },
          },
          after: {
            REQUEST_TIMEOUT_MS: {
              target: '#mesh-cert.refused',
              actions: { type: 'assignRefusal', params: { refusal: 'slow_request' } },
            },
          },
        },
        issuing: {
          invoke: {
            src: 'issueCertificate',
            input: ({ context: { connection, identity } }) => ({ connection, identity }),
            onDone: {
              target: 'replying',
              actions: { type: 'assignIssued', params: ({ event }) => ({ issued: event.output }) },
            },
            onError: {
              target: '#mesh-cert.refused',
              actions: {
                type: 'assignRefusal',
                params: ({ event }) => ({ refusal: refusalOf(event.error) }),
              },
            },
          },
          after: {
            ISSUE_TIMEOUT_MS: {
              target: '#mesh-cert.refused',
              actions: { type: 'assignRefusal', params: { refusal: 'slow_issue' } },
            },
          },
        },
        replying: {
          invoke: {
            src: 'sendReply',
            input: ({ context: { connection } }) => ({ connection }),
            onDone: '#mesh-cert.answered',
            onError: {
              target: '#mesh-cert.refused',
              actions: {
                type: 'assignRefusal',
                params: ({ event }) => ({ refusal: refusalOf(event.error) }),
              },
            },
          },
          after: {
            REPLY_TIMEOUT_MS: {
              target: '#mesh-cert.refused',
              actions: { type: 'assignRefusal', params: { refusal: 'slow_reply' } },
            },
          },
        },
      },
    },
    answered: { type: 'final' },
    refused: {
      entry: {
        type: 'closeConnection',
        params: ({ context: { connection, refusal } }) => ({ connection, refusal }),
      },
      type: 'final',
    },
  },
});
