/** Why something of a peer's own does not work: its key, its list of peers, sealed bodies, frames. */
import { errorsOf } from '../../machines/kernel/coded-error.ts';
import type { ErrorTable } from '../../machines/kernel/coded-error.ts';

export const PEER_ERRORS = {
  MESH_ERR_RECONCILE_FRAME: {
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
  MESH_ERR_PEER_HOME: {
    hint: 'Give the state folder to this user, or choose another one with --home or MESH_HOME.',
    explain:
      'The folder `peer` of the state folder, with the key and the messages of this peer, cannot be ' +
      'made or written. The cause has the words of the operating system.',
  },
  MESH_ERR_PEER_NOT_RUNNING: {
    hint: 'Start it in this state folder: `mesh peer start`, or `mesh dev`.',
    explain:
      'What was asked for needs a peer that runs: one that asks other peers, or tells of messages as ' +
      'they arrive. Posting, listing and adding peers work without.',
  },
  MESH_ERR_PEER_KEY: {
    hint: 'Give the public key of the peer: `mesh peer id` on its side prints it.',
    explain:
      'A peer is added by its raw Ed25519 public key in 64 lower-case hex digits, or by the file ' +
      '`peer.pub` of its folder. Refused are a key that is not canonical or of small order, and this ' +
      "peer's own. An id is the hash of a key and cannot be added: the key does not follow from it.",
  },
  MESH_ERR_PEER_UNKNOWN: {
    hint: 'List the peers that are known: `mesh peer ls`.',
    explain:
      'No peer was added under that name, id or beginning of an id; or several begin so. To send a ' +
      'direct message the key of its recipient must be known, which is so for peers that were added.',
  },
  MESH_ERR_PEER_RELAY: {
    hint: 'Name the relay as http://HOST:PORT with --relay, MESH_RELAY or `relay` in mesh.toml.',
    explain:
      'Peers reach each other through a relay (`mesh relay start`). The address is none, or none is ' +
      'configured where one is needed.',
  },
  MESH_ERR_PEER_SYNC: {
    retryable: true,
    hint: 'See `mesh peer ls`; a peer that is away is asked again, ten minutes after it was asked.',
    explain:
      'At least one peer did not bring its session to its end in time: it is off, refuses, or answers ' +
      'against the protocol. What the others had is here, and what was received stays.',
  },
  MESH_ERR_PEER_MESSAGE: {
    hint: 'Give a text of 1 byte to 64 KiB of UTF-8, and a lifetime of a second to seven days.',
    explain:
      'The message cannot be posted as it is: empty, too long, not UTF-8, or with a lifetime that ' +
      'no peer would take.',
  },
} as const satisfies ErrorTable;

/** Throws with a row of PEER_ERRORS. */
export const peerError = errorsOf(PEER_ERRORS);
