/** What the process says at its end: was the intent reached, and if not, what kind of thing failed. */
import { codeOf } from '../../machines/kernel/coded-error.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  verification: 4,
  unreachable: 5,
  conflict: 6,
  timedOut: 7,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * By code, the first match counts; a code without a row means `failed`. A row is a whole code, or
 * the start of some where it ends in an underscore.
 */
const ROWS: readonly (readonly [string, ExitCode])[] = [
  ['MESH_ERR_CLI_USAGE', EXIT.usage],
  ['MESH_ERR_CLI_CONFIG_', EXIT.usage],
  ['MESH_ERR_CONTROL_INVALID_REQUEST', EXIT.usage],
  ['MESH_ERR_CONTROL_BODY_TOO_LARGE', EXIT.usage],
  ['MESH_ERR_FABRIC_INVALID', EXIT.usage],
  ['MESH_ERR_KEY_NAME', EXIT.usage],
  ['MESH_ERR_TRUST_ENTRY', EXIT.usage],
  ['MESH_ERR_SPORE_MANIFEST', EXIT.usage],
  ['MESH_ERR_SPORE_JSON', EXIT.usage],

  ['MESH_ERR_PEER_KEY', EXIT.usage],
  ['MESH_ERR_PEER_MESSAGE', EXIT.usage],
  ['MESH_ERR_PEER_RELAY', EXIT.usage],

  ['MESH_ERR_CHART_UNKNOWN', EXIT.notFound],
  ['MESH_ERR_PEER_UNKNOWN', EXIT.notFound],
  ['MESH_ERR_CLI_UNKNOWN_CODE', EXIT.notFound],
  ['MESH_ERR_FABRIC_UNKNOWN_', EXIT.notFound],
  ['MESH_ERR_FABRIC_NO_ROLLBACK', EXIT.notFound],
  ['MESH_ERR_INSPECT_UNKNOWN', EXIT.notFound],
  ['MESH_ERR_REPO_UNKNOWN', EXIT.notFound],
  ['MESH_ERR_TRUST_UNKNOWN', EXIT.notFound],

  ['MESH_ERR_CLI_VERIFICATION_FAILED', EXIT.verification],
  ['MESH_ERR_SPORE_CONTAINER', EXIT.verification],
  ['MESH_ERR_SPORE_DATA', EXIT.verification],
  ['MESH_ERR_SPORE_DIGEST', EXIT.verification],
  ['MESH_ERR_SPORE_SIGNATURE', EXIT.verification],
  ['MESH_ERR_SPORE_UNTRUSTED', EXIT.verification],
  ['MESH_ERR_SPORE_POLICY', EXIT.verification],
  ['MESH_ERR_SPORE_UNCHECKED', EXIT.verification],
  ['MESH_ERR_REPO_CORRUPT', EXIT.verification],
  ['MESH_ERR_KEY_EXPOSED', EXIT.verification],
  ['MESH_ERR_KEY_MALFORMED', EXIT.verification],

  ['MESH_ERR_ATTEST_', EXIT.verification],

  ['MESH_ERR_SEALED_GROUP_KEY', EXIT.verification],

  ['MESH_ERR_CONTROL_UNREACHABLE', EXIT.unreachable],
  ['MESH_ERR_PEER_NOT_RUNNING', EXIT.unreachable],
  ['MESH_ERR_RPC_UNAVAILABLE', EXIT.unreachable],
  ['MESH_ERR_TRANSPORT_CLOSED', EXIT.unreachable],
  ['MESH_ERR_TRANSPORT_CONNECT', EXIT.unreachable],
  ['MESH_ERR_CONTROL_DISCONNECTED', EXIT.unreachable],

  ['MESH_ERR_CLI_DEPLOYMENT_OVERTAKEN', EXIT.conflict],
  ['MESH_ERR_CONTROL_ALREADY_RUNNING', EXIT.conflict],
  ['MESH_ERR_CONTROL_ADMIN_PORT', EXIT.conflict],
  ['MESH_ERR_EDGE_LISTEN', EXIT.conflict],
  ['MESH_ERR_INSPECT_PORT', EXIT.conflict],
  ['MESH_ERR_PEER_STORE_LOCKED', EXIT.conflict],
  ['MESH_ERR_RELAY_LISTEN', EXIT.conflict],
  ['MESH_ERR_RELAY_STORE_LOCKED', EXIT.conflict],
  ['MESH_ERR_TRANSPORT_LISTEN', EXIT.conflict],
  ['MESH_ERR_FABRIC_APP_RUNNING', EXIT.conflict],
  ['MESH_ERR_FABRIC_BUDGET_EXCEEDED', EXIT.conflict],
  ['MESH_ERR_FABRIC_NAME_MISMATCH', EXIT.verification],
  ['MESH_ERR_FABRIC_CAPACITY_EXCEEDED', EXIT.conflict],
  ['MESH_ERR_KEY_EXISTS', EXIT.conflict],
  ['MESH_ERR_TRUST_CONFLICT', EXIT.conflict],

  ['MESH_ERR_CLI_TIMED_OUT', EXIT.timedOut],
  ['MESH_ERR_CONTROL_TIMED_OUT', EXIT.timedOut],
  ['MESH_ERR_RPC_DEADLINE', EXIT.timedOut],
  ['MESH_ERR_TRANSPORT_DEADLINE', EXIT.timedOut],

  ['MESH_ERR_COORDINATOR_MANIFEST_INVALID', EXIT.usage],
  ['MESH_ERR_COORDINATOR_CONFIG', EXIT.notFound],
  ['MESH_ERR_COORDINATOR_NO_MANIFEST', EXIT.notFound],
  ['MESH_ERR_COORDINATOR_NOT_', EXIT.verification],
  ['MESH_ERR_COORDINATOR_SEED_MALFORMED', EXIT.verification],
  ['MESH_ERR_COORDINATOR_WRONG_SEED', EXIT.verification],
  ['MESH_ERR_COORDINATOR_INITIALISED', EXIT.conflict],
  ['MESH_ERR_COORDINATOR_MANIFEST_CONFLICT', EXIT.conflict],
  ['MESH_ERR_COORDINATOR_PEER_AVAILABLE', EXIT.conflict],
  ['MESH_ERR_COORDINATOR_RECOVERY_NEEDLESS', EXIT.conflict],

  ['MESH_ERR_CLI_DETACHED', EXIT.interrupted],
];

/** The exit code for anything thrown. */
export function exitCodeOf(thrown: unknown): ExitCode {
  const code = codeOf(thrown) ?? '';
  const row = ROWS.find(([key]) => (key.endsWith('_') ? code.startsWith(key) : code === key));
  return row?.[1] ?? EXIT.failed;
}
