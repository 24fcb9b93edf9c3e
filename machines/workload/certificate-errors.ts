import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** What can go wrong with the mesh certificates of instances and of the edge. */
export const CERTIFICATE_ERRORS = {
  MESH_ERR_CERTIFICATE_NO_COORDINATOR: {
    hint: 'Start the mesh with a Coordinator, or let the manifest say `"identity": "optional"`.',
    explain:
      'The manifest of the spore requires a mesh certificate for each of its instances, and this ' +
      'mesh was started without a Coordinator that could give one.',
  },
  MESH_ERR_CERTIFICATE_LINK: {
    hint: 'Give each address as HOST:PORT, and each key as 64 lower-case hex digits.',
    explain:
      'What the mesh was told of its Coordinator cannot be used: an address without a port, no ' +
      'address, a key that is no Ed25519 public key in hex, or no key. Without a pinned key ' +
      'whoever answers would be believed.',
  },
  MESH_ERR_CERTIFICATE_REFUSED: {
    hint: 'Look up the code that the Coordinator gave; often the manifest has no policy for the spore.',
    explain:
      'The Coordinator answered, and does not give this certificate: the mesh manifest has no ' +
      'policy for what was proved, does not name the key of this node, or requires hardware. The ' +
      'code in the message is its own; `mesh explain` knows it.',
  },
  MESH_ERR_CERTIFICATE_UNAVAILABLE: {
    retryable: true,
    hint: 'See with `mesh coordinator status` whether a Coordinator runs and is ready.',
    explain:
      'No Coordinator could be reached, or none is able to serve now: without a manifest, in need ' +
      'of recovery, or too busy. It is tried again with back-off. Certificates that are there stay ' +
      'valid until they expire.',
  },
  MESH_ERR_CERTIFICATE_UNTRUSTED: {
    hint: 'Check the address, and the key of the Coordinator that the mesh was started with.',
    explain:
      'Who answered at the address of the Coordinator did not prove to be one with a key that this ' +
      'mesh was told. Nothing was asked of it.',
  },
  MESH_ERR_CERTIFICATE_UNSOUND: {
    hint: 'Use a Coordinator of the same version as this program.',
    explain:
      'The answer to a request for a certificate does not verify: the chain does not lead to its ' +
      'root, it is not of the profile of a mesh, or it is not for the key that it was asked for.',
  },
  MESH_ERR_CERTIFICATE_NAME: {
    hint: 'Name the policy in the mesh manifest as the app, or run the spore as the app of that name.',
    explain:
      'The edge asks an instance with `serve.tls` for the SPIFFE ID of its app. The Coordinator ' +
      'certifies the spore under another name, so no request could ever reach the instance.',
  },
  MESH_ERR_CERTIFICATE_IO: {
    retryable: true,
    hint: 'Check space and permissions of the state folder.',
    explain: 'The files of a certificate could not be written; the cause has the error.',
  },
  MESH_ERR_CERTIFICATE_TIMEOUT: {
    retryable: true,
    hint: 'See with `mesh coordinator status` whether the Coordinator answers, and how loaded it is.',
    explain:
      'The Coordinator neither gave a certificate nor refused it in time. An instance that requires ' +
      'one is not started without it.',
  },
  MESH_ERR_CERTIFICATE_FAILED: {
    retryable: true,
    hint: 'Read the message, then the log of the runtime.',
    explain: 'A try to get a certificate failed with an error that has no code of its own.',
  },
} as const satisfies ErrorTable;

/** Makes an error of this table. */
export const certificateError = errorsOf(CERTIFICATE_ERRORS);
