import { errorsOf } from '../../machines/kernel/coded-error.ts';
import type { ErrorTable } from '../../machines/kernel/coded-error.ts';

/** Why a connection between two ends of the mesh does not come about. */
export const TRANSPORT_ERRORS = {
  MESH_ERR_TRANSPORT_LISTEN: {
    retryable: true,
    hint: 'Free the port, or choose another one.',
    explain: 'The listener for attested connections could not be opened; the cause says why.',
  },
  MESH_ERR_TRANSPORT_CONNECT: {
    retryable: true,
    hint: 'Check the address, and that a Coordinator listens there.',
    explain:
      'No TCP connection to the other end came about; the cause has the error of the system.',
  },
  MESH_ERR_TRANSPORT_TLS: {
    hint: 'Speak TLS 1.3 with the application protocol of an attested connection.',
    explain:
      'The TLS handshake failed: an older version, no common application protocol, a key of an ' +
      'unknown kind, a resumed session, or bytes that are no TLS.',
  },
  MESH_ERR_TRANSPORT_CERTIFICATE: {
    hint: 'Show a certificate in the TLS handshake; a self-signed one will do.',
    explain:
      'Evidence is bound to the TLS key of who gives it. The other end showed no certificate, so ' +
      'there is no key to bind to, or one with a key that is neither of P-256, P-384 nor Ed25519.',
  },
  MESH_ERR_TRANSPORT_FRAME: {
    hint: 'Use a client and a server of the same version of this program.',
    explain:
      'Between the TLS handshake and the first request both ends exchange a few frames. One was of ' +
      'another kind than is due, longer than that kind may be, or malformed.',
  },
  MESH_ERR_TRANSPORT_NONCE: {
    hint: 'Do not trust what is on that connection; somebody reflects what is sent.',
    explain: "The other end sent this end's own nonce back in place of one of its own.",
  },
  MESH_ERR_TRANSPORT_DEADLINE: {
    retryable: true,
    hint: 'Try again; if it stays so, see why the other end is slow or silent.',
    explain: 'The connection was not established and attested by its deadline, so it was closed.',
  },
  MESH_ERR_TRANSPORT_CLOSED: {
    retryable: true,
    hint: 'Try again; look at the log of the other end.',
    explain: 'The other end, or the network, closed the connection before both ends were attested.',
  },
  MESH_ERR_TRANSPORT_PEER_REFUSED: {
    hint: 'Look up the code that the other end gave, with `mesh explain CODE`.',
    explain:
      "The other end did not accept this end's evidence, or is not able to serve. It gives only " +
      'the code of the reason; its own log has the whole of it.',
  },
  MESH_ERR_TRANSPORT_BUSY: {
    retryable: true,
    hint: 'Try again; if it stays so, look for clients that connect and say nothing.',
    explain:
      'More connections than the limit were waiting for their handshake. The one that had waited ' +
      'longest was closed, as those that mean it need milliseconds.',
  },
} as const satisfies ErrorTable;

export type TransportErrorCode = keyof typeof TRANSPORT_ERRORS;

/** Makes an error of this table. */
export const transportError = errorsOf(TRANSPORT_ERRORS);
