import { describe, expect, it } from 'vitest';
import { ERROR_CATALOG } from '../../../runtime/cli/error-catalog.ts';
import { EXIT, exitCodeOf } from '../../../runtime/cli/exit-code.ts';

const CODES = [...ERROR_CATALOG.keys()];
const codesWith = (exitCode: number): string[] =>
  CODES.filter((code) => exitCodeOf({ code }) === exitCode).sort();

describe('exitCodeOf', () => {
  it('says failed of everything that has no better word', () => {
    expect(exitCodeOf(new Error('no code'))).toBe(1);
    expect(exitCodeOf(undefined)).toBe(1);
    expect(exitCodeOf({ code: 'ENOENT' })).toBe(1);
    expect(exitCodeOf({ code: 'MESH_ERR_CLI_DEPLOYMENT_REVERTED' })).toBe(1);
  });

  it.each([
    [
      EXIT.usage,
      [
        'MESH_ERR_CLI_CONFIG_INVALID',
        'MESH_ERR_CLI_CONFIG_UNREADABLE',
        'MESH_ERR_CLI_USAGE',
        'MESH_ERR_CONTROL_BODY_TOO_LARGE',
        'MESH_ERR_CONTROL_INVALID_REQUEST',
        'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
        'MESH_ERR_FABRIC_INVALID',
        'MESH_ERR_KEY_NAME',
        'MESH_ERR_PEER_KEY',
        'MESH_ERR_PEER_MESSAGE',
        'MESH_ERR_PEER_RELAY',
        'MESH_ERR_SPORE_JSON',
        'MESH_ERR_SPORE_MANIFEST',
        'MESH_ERR_TRUST_ENTRY',
      ],
    ],
    [
      EXIT.unreachable,
      [
        'MESH_ERR_CONTROL_DISCONNECTED',
        'MESH_ERR_CONTROL_UNREACHABLE',
        'MESH_ERR_PEER_NOT_RUNNING',
        'MESH_ERR_RPC_UNAVAILABLE',
        'MESH_ERR_TRANSPORT_CLOSED',
        'MESH_ERR_TRANSPORT_CONNECT',
      ],
    ],
    [
      EXIT.timedOut,
      [
        'MESH_ERR_CLI_TIMED_OUT',
        'MESH_ERR_CONTROL_TIMED_OUT',
        'MESH_ERR_RPC_DEADLINE',
        'MESH_ERR_TRANSPORT_DEADLINE',
      ],
    ],
    [EXIT.interrupted, ['MESH_ERR_CLI_DETACHED']],
  ])('says %i of exactly these', (exitCode, codes) => {
    expect(codesWith(exitCode)).toEqual(codes);
  });

  it.each([
    [EXIT.notFound, 'MESH_ERR_FABRIC_UNKNOWN_APP'],
    [EXIT.notFound, 'MESH_ERR_COORDINATOR_CONFIG'],
    [EXIT.notFound, 'MESH_ERR_INSPECT_UNKNOWN'],
    [EXIT.notFound, 'MESH_ERR_REPO_UNKNOWN'],
    [EXIT.notFound, 'MESH_ERR_TRUST_UNKNOWN'],
    [EXIT.verification, 'MESH_ERR_CLI_VERIFICATION_FAILED'],
    [EXIT.verification, 'MESH_ERR_COORDINATOR_NOT_SEED_OWNER'],
    [EXIT.verification, 'MESH_ERR_COORDINATOR_WRONG_SEED'],
    [EXIT.verification, 'MESH_ERR_SPORE_UNTRUSTED'],
    [EXIT.verification, 'MESH_ERR_SPORE_SIGNATURE'],
    [EXIT.conflict, 'MESH_ERR_CONTROL_ALREADY_RUNNING'],
    [EXIT.conflict, 'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT'],
    [EXIT.conflict, 'MESH_ERR_COORDINATOR_PEER_AVAILABLE'],
    [EXIT.conflict, 'MESH_ERR_FABRIC_BUDGET_EXCEEDED'],
    [EXIT.conflict, 'MESH_ERR_KEY_EXISTS'],
  ])('says %i of %s', (exitCode, code) => {
    expect(CODES).toContain(code);
    expect(exitCodeOf({ code })).toBe(exitCode);
  });
});
