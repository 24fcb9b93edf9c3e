/** Why something that a peer said is not taken, and how a session with it can end. */
import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** Counted by code and by who delivered it; nearly none of them ends anything but the one item. */
export const GOSSIP_ERRORS = {
  MESH_ERR_GOSSIP_UNSOLICITED: {
    hint: 'Nothing is to be done; ask the owner of that peer if it happens often.',
    explain:
      'A peer delivered a message that it was not asked for, or answered a question that nobody ' +
      'asked or that was given up. Only what was asked for is taken, so nobody can push messages.',
  },
  MESH_ERR_GOSSIP_NOT_PUBLIC: {
    hint: 'Ask the owner of that peer to look at its program: it passes on what is not public.',
    explain:
      'A delivery carried a direct, group or meta message. Only public messages are passed on by ' +
      'peers; everything else goes from its author to its recipient.',
  },
  MESH_ERR_GOSSIP_UNKNOWN_SENDER: {
    hint: 'Add the peer with its key: `mesh peer add KEY`.',
    explain:
      'A question or an answer came from a peer whose key is not known here and was not given ' +
      'along, so nobody can say who sent it.',
  },
  MESH_ERR_GOSSIP_NOT_FOR_US: {
    hint: 'Look at the relay: it gives this peer the mail of others.',
    explain: 'The relay handed out a message that is addressed to another peer, or to everybody.',
  },
  MESH_ERR_GOSSIP_META: {
    hint: 'Upgrade the older of the two programs.',
    explain:
      'The body of a meta message is none of the four that this version knows: another type, an ' +
      'unknown or missing field, more ids than one message may carry, or no JSON at all.',
  },
  MESH_ERR_GOSSIP_SENDER: {
    hint: 'Ask the owner of that peer to look at its program.',
    explain:
      'A meta message says that it is of another peer than the one that signed its envelope. ' +
      'Answers go to the proven sender only, so it is refused.',
  },
  MESH_ERR_GOSSIP_SESSIONS: {
    retryable: true,
    hint: 'Wait for the next query interval.',
    explain:
      'A peer has begun more sessions than one asker needs within a query interval, or there are ' +
      'as many responders as there may be. Its question is not answered; it will ask again.',
  },
  MESH_ERR_GOSSIP_ANSWERS: {
    hint: 'Ask the owner of that peer to look at its program: it asks without an end.',
    explain: 'One session has asked for more pages and deliveries than a whole store can have.',
  },
  MESH_ERR_GOSSIP_SILENT: {
    retryable: true,
    hint: 'Check that the peer is running; it is asked again at the next interval.',
    explain:
      'A peer did not answer a question that was asked four times, a minute apart. It may be off, ' +
      'or the relay loses messages. What was received is kept, and the next session goes on.',
  },
  MESH_ERR_GOSSIP_INTERRUPTED: {
    retryable: true,
    hint: 'Nothing is to be done; the peer is asked again at the next interval.',
    explain:
      'A session was under way when the program or its actor ended, and nothing was left to continue ' +
      'from. It is closed instead of begun anew, so that the query interval holds. What it had ' +
      'received is kept.',
  },
  MESH_ERR_GOSSIP_MISBEHAVED: {
    hint: 'Remove the peer if it happens again: `mesh peer rm ID`.',
    explain:
      'A peer answered against the protocol: a page that leads back to itself, pages without an ' +
      'end, an empty page that is not the last, or ids that it announced and never delivered.',
  },
  MESH_ERR_GOSSIP_CURSOR: {
    hint: 'Begin the session anew.',
    explain:
      'The cursor of a question is none that this peer has given out. It names a row of the store, ' +
      'and a store that was replaced has other rows.',
  },
  MESH_ERR_GOSSIP_QUARANTINE: {
    retryable: true,
    hint: 'Add the key of the author, or wait until older messages have expired.',
    explain:
      'A message without its author’s key was not kept, because the quarantine holds as many of ' +
      'this author, or of all authors, as it may. It is taken when it comes with its key.',
  },
  MESH_ERR_GOSSIP_OUTBOX_FULL: {
    retryable: true,
    hint: 'Wait until the relay can be reached again, or remove what is not needed.',
    explain:
      'As many messages wait to be sent as may wait. They are sent when the relay takes them, and ' +
      'dropped with their lifetime.',
  },
} as const satisfies ErrorTable;

/** Codes of the table. */
export type GossipErrorCode = keyof typeof GOSSIP_ERRORS;

/** Makes an error of this table. */
export const gossipError = errorsOf(GOSSIP_ERRORS);
