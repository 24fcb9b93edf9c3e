import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** What a Coordinator refuses, and why a recovery fails. */
export const COORDINATOR_ERRORS = {
  MESH_ERR_COORDINATOR_NO_MANIFEST: {
    hint: 'Set the first manifest with `mesh coordinator set-manifest`.',
    explain: 'The Coordinator is empty: no manifest was ever set in its history.',
  },
  MESH_ERR_COORDINATOR_NEEDS_RECOVERY: {
    retryable: true,
    hint: 'Wait for a peer, or recover it with a seed share: `mesh coordinator recover`.',
    explain:
      'The history holds a state that this Coordinator does not have in memory: it was restarted, or ' +
      'another one set a newer manifest. It asks its peers by itself; without a peer that is ready, ' +
      'the owner of a seed share must recover it.',
  },
  MESH_ERR_COORDINATOR_STORE_UNAVAILABLE: {
    retryable: true,
    hint: 'Look at the cause, and at the disk that holds the history.',
    explain:
      'The history cannot be read or trusted now, so the Coordinator does not know which state is ' +
      'the latest. It tries again by itself.',
  },
  MESH_ERR_COORDINATOR_MANIFEST_INVALID: {
    hint: 'Correct the manifest at the places that the message names.',
    explain:
      'A manifest is strict JSON of version 1: every field known, every policy with at least one ' +
      'usable subject alternative name, every key well-formed. Policies given along must be named in ' +
      'it. Nothing was changed.',
  },
  MESH_ERR_COORDINATOR_MANIFEST_CONFLICT: {
    hint: 'Read the present manifest, merge, and set again with its transition as the previous one.',
    explain:
      'Between reading and setting, the latest transition became another one than the request ' +
      'expects: somebody else set a manifest first. Exactly one of several setters wins; this one ' +
      'did not, and nothing of it counts.',
  },
  MESH_ERR_COORDINATOR_NOT_OWNER: {
    hint: 'Use a workload owner key that the present manifest names.',
    explain:
      'A manifest is replaced only by the holder of a workload owner key of the manifest in force. A ' +
      'manifest without workload owner keys can never be replaced.',
  },
  MESH_ERR_COORDINATOR_IDEMPOTENCY_KEY: {
    hint: 'Send 32 to 128 hex digits of fresh randomness, and the same again when repeating.',
    explain:
      'Seed shares of the first manifest can be fetched again with the idempotency key of that ' +
      'request until they are confirmed, so the key must be unguessable and well-formed.',
  },
  MESH_ERR_COORDINATOR_NOT_AUTHORISED: {
    hint: 'Name the identity of the caller in the manifest, with the role that it needs.',
    explain:
      'The evidence was sound, but the manifest gives the identity that it proves no policy, or not ' +
      'the role of a coordinator which asking for a seed needs.',
  },
  MESH_ERR_COORDINATOR_NOT_SEED_OWNER: {
    hint: 'Use a seed share owner key that the manifest in the history names.',
    explain: 'Only the owner of a seed share may recover a Coordinator by hand.',
  },
  MESH_ERR_COORDINATOR_PEER_AVAILABLE: {
    hint: 'Wait for recovery from the peer, or force the recovery.',
    explain:
      'A peer is ready and would hand over its state with the present mesh key. Recovering by a seed ' +
      'share makes a new mesh key, after which the two would disagree, so it must be forced.',
  },
  MESH_ERR_COORDINATOR_RECOVERY_NEEDLESS: {
    hint: 'Nothing needs doing: it is not in need of recovery.',
    explain: 'The Coordinator is ready, or its history is empty, so there is nothing to recover.',
  },
  MESH_ERR_COORDINATOR_SEED_MALFORMED: {
    hint: 'Give the decrypted share as it was delivered: 64 bytes of seed and 32 of salt.',
    explain: 'A seed has 64 bytes and a salt 32. What was given cannot be one.',
  },
  MESH_ERR_COORDINATOR_WRONG_SEED: {
    hint: 'Use the share of this history; another mesh has another seed.',
    explain:
      'The signature of the latest transition is not one of the key that this seed gives: the seed ' +
      'is of another mesh, or the latest transition was tampered with.',
  },
  MESH_ERR_COORDINATOR_STATE_CHANGED: {
    retryable: true,
    hint: 'Nothing needs doing: recovery starts again from the newest state.',
    explain:
      'While the state was being recovered, the latest transition moved on, or the peer served ' +
      'another transition than the history has. Mixing the two would give a wrong mesh key.',
  },
  MESH_ERR_COORDINATOR_PEER_REFUSED: {
    retryable: true,
    hint: "Look at the peer's log; it must be ready, and both must be named in the manifest.",
    explain:
      'A peer could not be reached, did not prove itself, refused to hand over its state, or ' +
      'answered with something that is none.',
  },
  MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED: {
    hint: 'Send a P-256, P-384 or Ed25519 key, and name only hosts and addresses.',
    explain:
      'A certificate was asked for, or shown, that is outside of the closed profile: a key of ' +
      'another kind, a name that cannot be certified, or extensions that are not the expected ones.',
  },
  MESH_ERR_COORDINATOR_INITIALISED: {
    hint: 'Start it with `mesh coordinator start`, or name another folder with --folder.',
    explain:
      'The folder already holds a Coordinator. Making another one there would replace the keys by ' +
      'which its peers and its owners know it, so nothing was changed.',
  },
  MESH_ERR_COORDINATOR_CONFIG: {
    hint: 'Make a Coordinator with `mesh coordinator init`, or correct its coordinator.json.',
    explain:
      'The folder of a Coordinator has a file coordinator.json that says where it listens and where ' +
      'its history is. The file is missing, is no JSON, or has a field that is unknown or wrong.',
  },
} as const satisfies ErrorTable;

/** Makes an error of this table. */
export const coordinatorError = errorsOf(COORDINATOR_ERRORS);

/** Why a recovery failed. */
export const RECOVERY_FAILURES = [
  'no_peers',
  'peer_refused',
  'wrong_seed',
  'state_changed',
  'corrupt_history',
  'store_unavailable',
] as const;

export type RecoveryFailure = (typeof RECOVERY_FAILURES)[number];

const FAILURES: Readonly<Record<string, RecoveryFailure>> = {
  MESH_ERR_COORDINATOR_PEER_REFUSED: 'peer_refused',
  MESH_ERR_COORDINATOR_WRONG_SEED: 'wrong_seed',
  MESH_ERR_COORDINATOR_SEED_MALFORMED: 'wrong_seed',
  MESH_ERR_COORDINATOR_STATE_CHANGED: 'state_changed',
  MESH_ERR_COORDINATOR_MANIFEST_INVALID: 'corrupt_history',
  MESH_ERR_HISTORY_CORRUPT: 'corrupt_history',
  MESH_ERR_HISTORY_MISSING: 'corrupt_history',
  MESH_ERR_HISTORY_ROLLED_BACK: 'corrupt_history',
  MESH_ERR_HISTORY_UNAVAILABLE: 'store_unavailable',
};

/** The reason behind an error's code; `undefined` for a fault of the program. */
export const recoveryFailureOf = (code: string | undefined): RecoveryFailure | undefined =>
  code === undefined ? undefined : FAILURES[code];
