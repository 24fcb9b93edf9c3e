/** Why something of a peer's own does not work: its key, its list of peers, sealed bodies, frames. */
import { errorsOf } from '../../machines/kernel/coded-error.ts';
import type { ErrorTable } from '../../machines/kernel/coded-error.ts';

export const PEER_ERRORS = {
  MESH_ERR_GOSSIP_FRAME: {
    hint: 'Ask that peer without set reconciliation, or not at all.',
    explain:
      'Two peers find out what one of them is missing by frames of the negentropy protocol, version ' +
      '1. One of them was of another version, cut off, longer than agreed, or had its ranges out of ' +
      'order. The session ends; the messages that are there stay.',
  },
  MESH_ERR_SEALED_KEY: {
    hint: 'Do not use that key; ask the peer for the one that it signs with.',
    explain:
      'A direct message is sealed for the key of its recipient. That key is none: it has another ' +
      'length, is no point of the curve, or is of small order, so that anybody could open what is ' +
      'sealed for it.',
  },
  MESH_ERR_SEALED_OPEN: {
    hint: 'Ask the sender to send it again; check that both use the same group key.',
    explain:
      'The body of a direct or group message does not open with the keys that are there: it was ' +
      'changed, cut off, or sealed for somebody else.',
  },
  MESH_ERR_SEALED_GROUP_KEY: {
    hint: 'Make one with `openssl rand -hex 32`, mode 0600, and give the same file to every member.',
    explain:
      'The file of a group key holds 64 lower-case hex digits (32 random bytes) and may be read by ' +
      'its owner only.',
  },
} as const satisfies ErrorTable;

/** Throws with a row of PEER_ERRORS. */
export const peerError = errorsOf(PEER_ERRORS);
