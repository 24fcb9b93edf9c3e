/** What the machines of a Coordinator can be told, and what its effects may answer. */
import type { Digest } from '../../../machines/kernel/ids.ts';
import { RECOVERY_FAILURES } from '../../../machines/coordinator/errors.ts';
import type { coordinatorFrontMachine } from '../../../machines/coordinator/coordinator-front.machine.ts';
import type { historyWatchMachine } from '../../../machines/coordinator/history-watch.machine.ts';
import type { meshCertMachine } from '../../../machines/coordinator/mesh-cert.machine.ts';
import type { recoveryMachine } from '../../../machines/coordinator/recovery.machine.ts';
import type {
  GuardView,
  StateguardEvent,
  stateguardMachine,
} from '../../../machines/coordinator/stateguard.machine.ts';
import type { ModelOptions } from '../model/model-paths.ts';

/** The state that a Coordinator of these samples holds. */
export const SUMMARY = { transition: 'ab'.repeat(32) as Digest, generation: 1 };

type ViewName = 'EMPTY' | 'ONLY_STORED' | 'HELD' | 'SUPERSEDED';

export const GUARD_VIEWS: Readonly<Record<ViewName, GuardView>> = {
  EMPTY: { held: null, isStored: false, isSuperseded: false },
  ONLY_STORED: { held: null, isStored: true, isSuperseded: true },
  HELD: { held: SUMMARY, isStored: true, isSuperseded: false },
  SUPERSEDED: { held: SUMMARY, isStored: true, isSuperseded: true },
};

export const GUARD_SAMPLES: readonly StateguardEvent[] = [
  ...Object.values<GuardView>(GUARD_VIEWS).flatMap((view): StateguardEvent[] => [
    { type: 'history.observed', view },
    { type: 'state.swapped', view },
  ]),
  { type: 'history.failed', message: 'The disk is full.' },
  { type: 'stop' },
];

/** A guard that begins. */
export const stateguardModel: ModelOptions<typeof stateguardMachine> = {
  input: undefined,
  samples: GUARD_SAMPLES,
  outputs: { readHistory: Object.values(GUARD_VIEWS) },
};

/** A watch that begins; failures beyond the second only count. */
export const historyWatchModel: ModelOptions<typeof historyWatchMachine> = {
  input: undefined,
  samples: [
    { type: 'latest.observed' },
    { type: 'watch.failed', message: 'The disk is full.' },
    { type: 'stop' },
  ],
  serialize: ({ failures }) => Math.min(failures, 2),
};

/** Whom it certifies, and what the certificate says. */
export const CERTIFIED = {
  identity: 'cd'.repeat(32),
  issued: { spiffeId: 'spiffe://mesh.local/workload/a', serialNumber: '1', notAfterMs: 1 },
};

/** A connection that is accepted. */
export const meshCertModel: ModelOptions<typeof meshCertMachine> = {
  input: { connection: 'c-1' },
  samples: [{ type: 'state.changed' }, { type: 'connection.closed' }, { type: 'stop' }],
  outputs: {
    takeState: [SUMMARY],
    attestPeer: [{ identity: CERTIFIED.identity }],
    issueCertificate: [CERTIFIED.issued],
  },
};

/** A recovery that begins. One that succeeds takes the way of one that finds the store unreadable. */
export const recoveryModel: ModelOptions<typeof recoveryMachine> = {
  input: { jitter: 0.5 },
  samples: [{ type: 'stop' }],
  outputs: {
    checkState: [
      { isNeeded: true, jitter: 0 },
      { isNeeded: false, jitter: 0.5 },
    ],
    discoverPeers: [[], ['a'], ['a', 'b']],
    recoverFromPeer: RECOVERY_FAILURES.filter((reason) => reason !== 'no_peers').map((reason) => ({
      type: 'failed',
      reason,
      message: 'It failed.',
    })),
  },
};

/** What the front of these samples is given. */
export const FRONT_ADDRESS = { host: '127.0.0.1', port: 7443 };
export const FRONT_CERTIFICATE = {
  spiffeId: CERTIFIED.issued.spiffeId,
  notAfterMs: CERTIFIED.issued.notAfterMs,
};

/** A front that opens. */
export const coordinatorFrontModel: ModelOptions<typeof coordinatorFrontMachine> = {
  input: undefined,
  samples: [
    { type: 'front.ended' },
    { type: 'certificate.renewed', certificate: FRONT_CERTIFICATE },
    { type: 'certificate.failed', message: 'Error: It is not named.' },
    { type: 'stop' },
  ],
  outputs: { openFront: [FRONT_ADDRESS] },
};
