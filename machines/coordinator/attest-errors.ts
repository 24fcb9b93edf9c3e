import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** Why evidence is not issued, not believed, or not good enough. */
export const ATTEST_ERRORS = {
  MESH_ERR_ATTEST_MALFORMED: {
    hint: 'Have the peer make its evidence again with a version that matches this one.',
    explain:
      'The evidence, or the collateral that goes with it, is not laid out as its type says: a ' +
      'length, a version, a field that must be zero, an encoding. The message names the place. ' +
      'Nothing of it was believed.',
  },
  MESH_ERR_ATTEST_TYPE: {
    hint: 'Name reference values of that kind in the manifest, or use another kind of evidence.',
    explain:
      'The evidence is of a type that this program does not read, or for which the manifest has ' +
      'no reference values, so there is nothing to compare it with.',
  },
  MESH_ERR_ATTEST_SOFTWARE_ONLY: {
    hint: 'Run the workload on confidential hardware, or set `hardware: optional` in the manifest.',
    explain:
      'The evidence is a signature by a key in software (`process`), and the manifest requires ' +
      'hardware. Whoever holds that key, or is root on its node, could have signed anything.',
  },
  MESH_ERR_ATTEST_SIGNATURE: {
    hint: 'Do not trust the peer; its evidence was changed or is not from where it says.',
    explain:
      'A signature in the evidence does not verify: of the node key, of the chip over its report, ' +
      'of the quoting enclave, or of the vendor over its collateral. Bytes were changed, or were ' +
      'signed by another key.',
  },
  MESH_ERR_ATTEST_CHAIN: {
    hint: "Send the vendor's own certificates, leaf first, up to the root that is pinned here.",
    explain:
      'The certificates in the evidence do not lead from the signing key to a pinned root of AMD ' +
      'or Intel, or they describe another chip, another product or another firmware than the ' +
      'report does.',
  },
  MESH_ERR_ATTEST_EXPIRED: {
    retryable: true,
    hint: 'Fetch fresh collateral, and check the clocks of both machines.',
    explain:
      'A certificate, a revocation list, a piece of collateral or the evidence itself is not valid ' +
      'at this time: it has expired, or is from the future.',
  },
  MESH_ERR_ATTEST_REVOKED: {
    hint: 'Do not trust that machine; ask its vendor.',
    explain:
      "A certificate of the chain is on its issuer's revocation list, or the vendor says that the " +
      'firmware of the platform is revoked.',
  },
  MESH_ERR_ATTEST_REPORT_DATA: {
    hint: 'Do not trust the peer; somebody may be relaying the evidence of another connection.',
    explain:
      'The evidence is sound, but it was made for other report data: for another TLS session, ' +
      'another key, another nonce or the other role.',
  },
  MESH_ERR_ATTEST_UNKNOWN_KEY: {
    hint: "Add the node's key to `referenceValues.process.nodeKeys` of the manifest.",
    explain: 'The process evidence is signed by a node key that the manifest does not name.',
  },
  MESH_ERR_ATTEST_GUEST_POLICY: {
    hint: 'Launch the guest again without debugging and migration, at privilege level 0.',
    explain:
      'The guest runs, but in a way that lets its host look inside: it may be debugged or ' +
      'migrated, or the report was asked for at a lower privilege level.',
  },
  MESH_ERR_ATTEST_MEASUREMENT: {
    hint: 'Add the measurement to the manifest if you know what was launched.',
    explain:
      'The evidence is genuine, but what was measured is in no reference value of the manifest: ' +
      'the product, the launch measurement, the runtime registers or the chip is another one.',
  },
  MESH_ERR_ATTEST_TCB: {
    hint: 'Update the firmware of that machine, or accept its level in the manifest.',
    explain:
      'Firmware or microcode of the platform is older than the manifest accepts, or the vendor ' +
      'rates it with a status that the manifest does not accept.',
  },
  MESH_ERR_ATTEST_COLLATERAL: {
    retryable: true,
    hint: "Give the vendor's collateral for that platform along with the quote.",
    explain:
      'A quote can only be appraised with what its vendor publishes for the platform: TCB ' +
      'information, the identity of the quoting enclave and revocation lists. Some is missing or ' +
      'is for another platform.',
  },
} as const satisfies ErrorTable;

export type AttestErrorCode = keyof typeof ATTEST_ERRORS;

/** Makes an error of this table. */
export const attestError = errorsOf(ATTEST_ERRORS);
