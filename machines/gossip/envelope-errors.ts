import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** Why an envelope, or what claims to be one, is refused. Retrying the same bytes never helps. */
export const ENVELOPE_ERRORS = {
  MESH_ERR_ENVELOPE_MALFORMED: {
    hint: 'Send the canonical JSON of an envelope of version 1, with the fields of its form only.',
    explain:
      'An envelope has one form on the wire: RFC 8785 canonical JSON of header, body and signature, ' +
      'with every field known, hexadecimal in lower case and base64 without variants. Two readings ' +
      'of one text would give two peers two messages under one signature.',
  },
  MESH_ERR_ENVELOPE_TOO_LARGE: {
    hint: 'Shorten the body, or split it over several messages.',
    explain:
      'A body holds at most 64 KiB and its envelope 96 KiB; a meta message, which carries other ' +
      'envelopes, one MiB. Nothing longer is read, so that a stranger cannot fill memory.',
  },
  MESH_ERR_ENVELOPE_VERSION: {
    hint: 'Upgrade the older of the two programs.',
    explain:
      'The header is of a version that this program does not know. It is refused rather than ' +
      'guessed at; peers of the newer version keep it for later.',
  },
  MESH_ERR_ENVELOPE_KIND: {
    hint: 'Use one of the kinds public, direct, group and meta; upgrade if a newer one is meant.',
    explain: 'The kind decides who may see a message, so an unknown kind is never passed on.',
  },
  MESH_ERR_ENVELOPE_ID: {
    hint: 'Drop the message; its id is the SHA-256 of the signed bytes of its header.',
    explain:
      'Every receiver computes the id again. One that differs would let a peer hide a message ' +
      'behind the id of another.',
  },
  MESH_ERR_ENVELOPE_BODY: {
    hint: 'Drop the message; its body is not the one that its author signed.',
    explain: 'The header binds the body by its SHA-256, and this body has another one.',
  },
  MESH_ERR_ENVELOPE_KEY: {
    hint: 'Drop the key; a peer id is the SHA-256 of the raw Ed25519 public key.',
    explain:
      'The key is not the one of that peer, or is none that counts: of another length than 32 ' +
      'octets, not canonical, or of small order, under which anybody can make signatures.',
  },
  MESH_ERR_ENVELOPE_SIGNATURE: {
    hint: 'Drop the message; other messages of its author are not touched by it.',
    explain:
      'The signature is not the one of the sender over the pre-authentication encoding (DSSE) of ' +
      'the header. Somebody changed the message, or made it in the name of another.',
  },
  MESH_ERR_ENVELOPE_EXPIRED: {
    hint: 'Nothing is to be done; a message ends with its time to live.',
    explain: 'The message is older than its own time to live, which is at most seven days.',
  },
  MESH_ERR_ENVELOPE_FUTURE: {
    hint: 'Set the clock of the author, or of this machine.',
    explain:
      'The message says that it was made more than five minutes from now. It would outlive every ' +
      'other one and be read first for ever.',
  },
  MESH_ERR_ENVELOPE_FOREIGN_MESH: {
    hint: 'Join that mesh, or drop the message.',
    explain: 'The header names another mesh than the one that this peer belongs to.',
  },
} as const satisfies ErrorTable;

/** Codes of the table. */
export type EnvelopeErrorCode = keyof typeof ENVELOPE_ERRORS;

/** Makes an error of this table. */
export const envelopeError = errorsOf(ENVELOPE_ERRORS);
