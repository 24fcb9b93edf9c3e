/**
 * Evidence as an answer: a client that attests nothing itself asks a Coordinator to prove what it is,
 * over the TLS session that both are on.
 */
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type {
  Evidence,
  Issuer,
  ProvenIdentity,
  Validator,
} from '../../actors/coordinator/ports/attestation.ts';
import { NONCE_BYTES } from '../attested-tls/limits.ts';
import { answererKeysOf, reportDataOf } from '../attested-tls/report-data.ts';
import { transportError } from '../attested-tls/errors.ts';

/** Evidence, and the nonce that its maker added. */
export interface EvidenceAnswer extends Evidence {
  readonly nonce: Uint8Array;
}

/** Answers for one connection. MESH_ERR_TRANSPORT_NONCE for a nonce of another length. */
export type Answerer = (nonce: Uint8Array, signal: AbortSignal) => Promise<EvidenceAnswer>;

/** To be made before HTTP/2 takes the socket over. */
export function createAnswerer(
  socket: TLSSocket,
  { issuer, publicKey }: { readonly issuer: Issuer; readonly publicKey: Uint8Array },
): Answerer {
  const exported = answererKeysOf(socket);
  return async (peerNonce, signal) => {
    checkNonce(peerNonce);
    const ownNonce = randomBytes(NONCE_BYTES);
    const end = { role: 'answerer', ownNonce, peerNonce, ownPublicKey: publicKey } as const;
    return { ...(await issuer.issue(reportDataOf(exported, end), signal)), nonce: ownNonce };
  };
}

/** The client's side of one connection. */
export interface EvidenceQuestion {
  readonly nonce: Uint8Array;
  /** What the answer proves; rejects as `Validator.validate` does, and with MESH_ERR_TRANSPORT_NONCE. */
  appraise(
    answer: EvidenceAnswer,
    validator: Validator,
    signal: AbortSignal,
  ): Promise<ProvenIdentity>;
}

/** To be made before HTTP/2 takes the socket over; `publicKey` is the server's. */
export function createEvidenceQuestion(socket: TLSSocket, publicKey: Uint8Array): EvidenceQuestion {
  const exported = answererKeysOf(socket);
  const nonce = randomBytes(NONCE_BYTES);
  return {
    nonce,
    appraise: async (answer, validator, signal) => {
      checkNonce(answer.nonce);
      const reportData = reportDataOf(exported, {
        role: 'answerer',
        ownNonce: answer.nonce,
        peerNonce: nonce,
        ownPublicKey: publicKey,
      });
      return validator.validate(answer, reportData, signal);
    },
  };
}

function checkNonce({ length }: Uint8Array): void {
  if (length === NONCE_BYTES) return;
  throw transportError(
    'MESH_ERR_TRANSPORT_NONCE',
    `Asking for evidence: a nonce has ${length} bytes, ${NONCE_BYTES} are due.`,
    { hint: 'Send 32 bytes of fresh randomness.' },
  );
}
