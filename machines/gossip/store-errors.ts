import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** What can be wrong with the database of a peer or of a relay. */
export const GOSSIP_STORE_ERRORS = {
  MESH_ERR_PEER_STORE_UNAVAILABLE: {
    retryable: true,
    hint: "Look at the cause: space, permissions and health of the database's disk.",
    explain:
      'The messages of this peer could not be read or written now, or its database was closed. What ' +
      'was to be written counts as not written; whoever sent it will send it again.',
  },
  MESH_ERR_PEER_STORE_CORRUPT: {
    hint: 'Look at the file that was kept; the peer fills a new one by asking its peers.',
    explain:
      'The database of this peer is damaged. At the start it is renamed and a new one is made; ' +
      'public messages come back from other peers, and what only this peer had is in the kept file.',
  },
  MESH_ERR_PEER_STORE_LOCKED: {
    hint: 'End the other program, or give this one a folder of its own.',
    explain: 'One program at a time has the database of a peer open, and another one has it.',
  },
  MESH_ERR_PEER_STORE_SCHEMA_NEWER: {
    hint: 'Use a program of at least that version, or another folder.',
    explain: 'A later version, or another program, wrote this database. It was left as it is.',
  },
  MESH_ERR_RELAY_STORE_UNAVAILABLE: {
    retryable: true,
    hint: "Look at the cause: space, permissions and health of the relay's disk.",
    explain:
      'The inboxes of the relay could not be read or written now, or its database was closed. What ' +
      'was not answered with 202 is not in an inbox; peers send it again.',
  },
  MESH_ERR_RELAY_STORE_CORRUPT: {
    hint: 'Look at the file that was kept; peers repeat what they were not answered.',
    explain:
      'The database of the relay is damaged. At the start it is renamed and a new one is made; ' +
      'messages that waited in it are in the kept file, and handshakes begin anew without them.',
  },
  MESH_ERR_RELAY_STORE_LOCKED: {
    hint: 'End the other relay, or give this one a folder of its own.',
    explain: 'One program at a time has the database of a relay open, and another one has it.',
  },
  MESH_ERR_RELAY_STORE_SCHEMA_NEWER: {
    hint: 'Use a program of at least that version, or another folder.',
    explain: 'A later version, or another program, wrote this database. It was left as it is.',
  },
} as const satisfies ErrorTable;

/** Makes an error of this table. */
export const gossipStoreError = errorsOf(GOSSIP_STORE_ERRORS);
