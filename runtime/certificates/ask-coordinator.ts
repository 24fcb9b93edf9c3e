/** One NewMeshCert, asked of the first Coordinator of a link that gives an answer. */
import type { KeyObject } from 'node:crypto';
import { COORDINATOR_IDENTITY } from '../../machines/coordinator/identities.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import { certificateError } from '../../machines/workload/certificate-errors.ts';
import { createProcessIssuer } from '../attest/process-evidence.ts';
import type { ProcessFacts } from '../attest/process-evidence.ts';
import { createValidator } from '../attest/validator.ts';
import { createTlsIdentity } from '../attested-tls/tls-identity.ts';
import { connectMeshApi } from '../rpc/client.ts';
import type { CoordinatorSource } from './coordinator-link.ts';
import type { IssuedIdentity } from './identity-files.ts';

export interface Asking extends CoordinatorSource {
  readonly clock: Clock;
}

/** For the handshake with one address, and again for the call. */
const STEP_TIMEOUT_MS = 5_000;

/** What another try, here or at another Coordinator, may do away with. */
const PASSING = new Set([
  'MESH_ERR_COORDINATOR_NO_MANIFEST',
  'MESH_ERR_COORDINATOR_NEEDS_RECOVERY',
  'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
  'MESH_ERR_COORDINATOR_STATE_CHANGED',
  // It is made anew for each handshake; clocks come right again.
  'MESH_ERR_ATTEST_EXPIRED',
]);
const OTHERS = ['MESH_ERR_TRANSPORT_', 'MESH_ERR_RPC_', 'MESH_ERR_HISTORY_'];

/** The code that the other end gave, where it gave one. */
function refusalIn(error: CodedError): string {
  const code = error.code === 'MESH_ERR_TRANSPORT_PEER_REFUSED' ? error.details?.['code'] : '';
  return typeof code === 'string' && code !== '' ? code : error.code;
}

/** What a try at one address came to, in the words of certificates. */
function explained(error: unknown, where: string, isAttested: boolean): CodedError {
  const about = `Asking the Coordinator at ${where} for a certificate`;
  if (!(error instanceof CodedError))
    return certificateError('MESH_ERR_CERTIFICATE_UNAVAILABLE', `${about}: ${String(error)}`, {
      cause: error,
    });
  if (error.code === 'MESH_ERR_CERTIFICATE_UNTRUSTED') return error;
  const code = refusalIn(error);
  const details = { code };
  // Attestation errors of this end are about the other one: its own are told as a refusal.
  if (!isAttested && error.code.startsWith('MESH_ERR_ATTEST_'))
    return certificateError(
      'MESH_ERR_CERTIFICATE_UNTRUSTED',
      `${about}: it did not prove to be a Coordinator of this mesh (${code}).`,
      { cause: error, details },
    );
  const isPassing = PASSING.has(code) || OTHERS.some((start) => code.startsWith(start));
  return isPassing
    ? certificateError('MESH_ERR_CERTIFICATE_UNAVAILABLE', `${about}: ${code}, ${error.message}`, {
        cause: error,
        details,
      })
    : certificateError('MESH_ERR_CERTIFICATE_REFUSED', `${about}: ${code}, ${error.message}`, {
        cause: error,
        details,
      });
}

/**
 * A leaf for this key, for what the facts prove. MESH_ERR_CERTIFICATE_REFUSED, _UNAVAILABLE,
 * _UNTRUSTED: of the last address that was asked. A refusal is not asked for again elsewhere.
 */
export async function askCoordinator(
  asking: Asking,
  facts: ProcessFacts,
  key: KeyObject,
  signal: AbortSignal,
): Promise<IssuedIdentity> {
  const { keys, nodeKey, clock } = asking;
  const identity = createTlsIdentity(clock.now(), key);
  const issuer = createProcessIssuer(nodeKey, facts, clock);
  const validator = createValidator(
    { hardware: 'optional', process: { nodeKeys: [...keys] } },
    { clock },
  );
  const options = { identity, issuer, validator, clock, signal, timeoutMs: STEP_TIMEOUT_MS };
  const addresses = await asking.addresses();
  let last: CodedError | undefined;
  for (const [at, { host, port }] of [...addresses, ...addresses].entries()) {
    signal.throwIfAborted();
    if (at >= addresses.length && !hasMoved(last)) break;
    let isAttested = false;
    try {
      await using client = await connectMeshApi({ ...options, host, port });
      if (client.peer.identity !== COORDINATOR_IDENTITY) throw noCoordinator(`${host}:${port}`);
      isAttested = true;
      return await newMeshCert(client, signal);
    } catch (error) {
      last = explained(error, `${host}:${port}`, isAttested);
      if (codeOf(last) === 'MESH_ERR_CERTIFICATE_REFUSED') break;
    }
  }
  throw last ?? certificateError('MESH_ERR_CERTIFICATE_UNAVAILABLE', NOBODY);
}

/** A new manifest closes what was asked under the last one; the same question is answered by it. */
const hasMoved = (error: CodedError | undefined): boolean =>
  MOVED.has(String(error?.details?.['code']));

const MOVED = new Set([
  'MESH_ERR_RPC_UNAVAILABLE',
  'MESH_ERR_TRANSPORT_CLOSED',
  'MESH_ERR_COORDINATOR_STATE_CHANGED',
]);

const NOBODY = 'Asking for a certificate: no Coordinator listens yet.';

const noCoordinator = (where: string): CodedError =>
  certificateError(
    'MESH_ERR_CERTIFICATE_UNTRUSTED',
    `Asking the Coordinator at ${where} for a certificate: it proved to be something else.`,
  );

async function newMeshCert(
  { meshApi }: Awaited<ReturnType<typeof connectMeshApi>>,
  signal: AbortSignal,
): Promise<IssuedIdentity> {
  const answer = await meshApi.newMeshCert({}, { timeoutMs: STEP_TIMEOUT_MS, signal });
  const { certChain, rootCaCert, meshCaCert, workloadSecret } = answer;
  return { chain: certChain, root: rootCaCert, meshAuthority: meshCaCert, secret: workloadSecret };
}
