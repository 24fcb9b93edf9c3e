import type { Clock } from '../../../machines/kernel/clock.ts';
import type { Random } from '../../../machines/kernel/random.ts';
import type { StateCell } from '../state-cell.ts';
import type { ValidatorSource } from './attestation.ts';
import type { Authorities } from './authority.ts';
import type { GenerationFloor, History } from './history.ts';
import type { Keyring } from './keys.ts';
import type { PeerDirectory, RecoveryTransport } from './peers.ts';

/**
 * The steps of the Recover flow, in their order: of the side that asks, and of the one that serves.
 * ResetState, the history's unverified state, the handshake with evidence on both sides, the peer's
 * role, RecoverRequest, RecoverResponse, seed engine, the history again, its proof by the seed, swap.
 */
export type RecoverStep =
  | 'reset'
  | 'unverified'
  | 'attested'
  | 'authorised'
  | 'requested'
  | 'answered'
  | 'engine'
  | 'reread'
  | 'verified'
  | 'swapped'
  | 'serving.requested'
  | 'serving.authorised'
  | 'serving.answered';

/** What the services of one Coordinator work with. */
export interface CoordinatorPorts {
  readonly cell: StateCell;
  readonly history: History;
  readonly floor: GenerationFloor;
  readonly keys: Keyring;
  readonly authorities: Authorities;
  readonly validators: ValidatorSource;
  readonly directory: PeerDirectory;
  readonly transport: RecoveryTransport;
  readonly clock: Clock;
  readonly random: Random;
  /** How long a Coordinator in need waits before each round of asking peers; default 15 s. */
  readonly recoveryWaitMs?: number;
  /** Tells each step of a recovery, for logs. Must not throw. */
  readonly trace?: (step: RecoverStep, transition: string) => void;
  /** Tells the operator of something that was survived. Must not throw. */
  readonly notice: (what: string, error: unknown) => void;
}
