import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** What a relay refuses, and what its client says of it. The relay answers with these codes. */
export const RELAY_ERRORS = {
  MESH_ERR_RELAY_UNAVAILABLE: {
    retryable: true,
    hint: 'Check that the relay runs and that its address is right; it is tried again.',
    explain:
      'The relay could not be reached, or did not answer in time. What was posted may have been ' +
      'taken or not; posting it again does no harm, since a relay keeps each message once.',
  },
  MESH_ERR_RELAY_ANSWER: {
    retryable: true,
    hint: 'Check that the address is the one of a relay, of a version like this one.',
    explain:
      'Something answered, but not as a relay does: another status, a body of another form or ' +
      'length, or as many results as nobody asked for. Nothing of it was believed.',
  },
  MESH_ERR_RELAY_LISTEN: {
    hint: 'Name another port, or end the program that has this one.',
    explain: 'The relay could not open its port: it is taken, or not for this user.',
  },
  MESH_ERR_RELAY_REQUEST: {
    hint: 'Send what the protocol of the relay says, with a Content-Length.',
    explain:
      'The request is none of the relay: an unknown parameter or field, a peer id of another form, ' +
      'a body without a length, more items than one request may have.',
  },
  MESH_ERR_RELAY_NOT_FOUND: {
    hint: 'Check the address; a relay has /envelopes and /inbox/PEER only.',
    explain: 'The relay has nothing under this path, or not for this method.',
  },
  MESH_ERR_RELAY_PROOF: {
    hint: 'Sign the request with the key of the peer, for the address under which the relay is known.',
    explain:
      'Every request is signed by a peer: over the address of the relay, method, path, hash of the ' +
      'body, time and a nonce. This one is not, or was signed for another relay or request, or its ' +
      'key does not count.',
  },
  MESH_ERR_RELAY_CLOCK: {
    retryable: true,
    hint: 'Set the clock; the answer says what time it is at the relay.',
    explain:
      'The request was signed at a time that is not now, so it may be an old one that somebody ' +
      'repeats. A client signs again with the time of the relay.',
  },
  MESH_ERR_RELAY_REPLAYED: {
    hint: 'Sign each request anew, with a fresh nonce.',
    explain: 'A request with this nonce was here already; somebody repeats it.',
  },
  MESH_ERR_RELAY_FORBIDDEN: {
    hint: 'Ask for the inbox of the peer that signs.',
    explain: 'Only a peer itself may read, acknowledge or watch its inbox.',
  },
  MESH_ERR_RELAY_TOO_LARGE: {
    hint: 'Send less at once.',
    explain: 'The body of a request is longer than the relay reads.',
  },
  MESH_ERR_RELAY_RATE: {
    retryable: true,
    hint: 'Wait as long as the answer says.',
    explain: 'One peer asks or posts more often than the relay lets anybody.',
  },
  MESH_ERR_RELAY_BUSY: {
    retryable: true,
    hint: 'Try again in a moment.',
    explain: 'The relay has as many requests or watchers at this moment as it takes at once.',
  },
  MESH_ERR_RELAY_SENDER: {
    hint: 'Post only what the peer that signs the request wrote itself.',
    explain: 'The envelope is of another sender than the one who proved itself by the request.',
  },
  MESH_ERR_RELAY_RECIPIENT: {
    hint: 'Address a message to one peer; public ones reach others when they ask for them.',
    explain: 'A relay has inboxes of single peers, and none of everybody.',
  },
  MESH_ERR_RELAY_INBOX_FULL: {
    retryable: true,
    hint: 'Wait until the recipient has read its inbox.',
    explain:
      'The inbox of the recipient holds as much as one may, in all or of this sender. It was not ' +
      'read for long, or somebody floods it.',
  },
  MESH_ERR_RELAY_SENDER_FULL: {
    retryable: true,
    hint: 'Wait until recipients have read what waits for them.',
    explain: 'As much of this sender waits in all inboxes as of one sender may.',
  },
} as const satisfies ErrorTable;

/** Codes of the table. */
export type RelayErrorCode = keyof typeof RELAY_ERRORS;

/** Makes an error of this table. */
export const relayError = errorsOf(RELAY_ERRORS);
