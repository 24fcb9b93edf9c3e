import { errorsOf } from '../../machines/kernel/coded-error.ts';

/** Every error of durable actors and of their journal, by code. */
export const JOURNAL_ERRORS = {
  MESH_ERR_JOURNAL_SNAPSHOT_UNSERIALISABLE: {
    hint: 'Keep plain data in the context: strings, finite numbers, booleans, null, arrays, objects.',
    explain:
      'A child with `resume: snapshot` holds something that JSON cannot bring back: a function, a ' +
      'Date, a Map, a BigInt, an instance of a class, a cycle, an actor that is not its own child, ' +
      'or a child spawned from inline logic. `details.at` is the place. It is looked for at the ' +
      'start, in the initial snapshot, and again at each write; the child crashes, and goes on from ' +
      'the last snapshot that could be written. Nothing is dropped silently.',
  },
  MESH_ERR_JOURNAL_SNAPSHOT_TOO_LARGE: {
    hint: 'Keep bulk data elsewhere, and a reference to it in the context.',
    explain:
      'The written form of a snapshot is longer than a record of the journal may be. It is written ' +
      'whole at every commit, so its size is a cost of every event.',
  },
  MESH_ERR_JOURNAL_SNAPSHOT_DAMAGED: {
    hint: 'Check the disk; the damaged record is kept in the quarantine of the journal.',
    explain:
      'The bytes of a record do not match their checksum, or they are not a record at all. The ' +
      'record was set aside and the child started fresh: no part of it was used.',
  },
  MESH_ERR_JOURNAL_SNAPSHOT_NEWER: {
    hint: 'Run the newer program, or accept the fresh start.',
    explain:
      'The record was written by a newer version of the machine, or of this program, than the one ' +
      'that runs. It was set aside and the child started fresh.',
  },
  MESH_ERR_JOURNAL_SNAPSHOT_FOREIGN: {
    hint: 'Give the child an id of its own, or delete it where the old machine is gone for good.',
    explain:
      'The record under this path was written by another machine (another `id`). It was set aside ' +
      'and the child started fresh.',
  },
  MESH_ERR_JOURNAL_SNAPSHOT_REFUSED: {
    hint: 'Look at the cause, and at the record in the quarantine of the journal.',
    explain:
      'The machine cannot start from this snapshot, or crashed too often right after it continued ' +
      'from it. It was set aside and the child started fresh, so that a bad snapshot does not crash ' +
      'it for ever.',
  },
  MESH_ERR_JOURNAL_EVENT_REFUSED: {
    hint: 'Look at `details.reason`; the event was not applied.',
    explain:
      'An event sent with `sendDurably` reached nobody who could keep it: there is no such child, ' +
      'it does not run, it has no `resume: snapshot`, the tree has no journal or has ended, or too ' +
      'many such events wait already. It was not applied.',
  },
  MESH_ERR_JOURNAL_EVENT_TIMED_OUT: {
    retryable: true,
    hint: 'Send it again with the same id: it is applied once, however often it is sent.',
    explain:
      'An event sent with `sendDurably` was not committed in time. Whether it will be is unknown, ' +
      'which is what its id is for.',
  },
  MESH_ERR_JOURNAL_UNAVAILABLE: {
    retryable: true,
    hint: 'Check that the disk is not full and that the file can be written.',
    explain:
      'The journal could not be opened, or did not take a commit. Actors of the commit crash and ' +
      'continue from their last committed snapshot; no event of it was acknowledged and no effect ' +
      'of it was let out.',
  },
  MESH_ERR_JOURNAL_LOCKED: {
    retryable: true,
    hint: 'Stop the other program, or give this one a journal of its own.',
    explain: 'A journal has one writer. Another tree or another process has this one open.',
  },
  MESH_ERR_JOURNAL_CORRUPT: {
    hint: 'Restore the file that was kept aside, or accept that its actors start fresh.',
    explain:
      'The file is not a database or has damaged pages. It was renamed, never deleted, and a new ' +
      'one takes its place.',
  },
  MESH_ERR_JOURNAL_SCHEMA_NEWER: {
    hint: 'Run the newer program, or name another file.',
    explain: 'The file was written by a later version of this program, or belongs to another one.',
  },
} as const;

/** Makes an error of the journal; family and hint come from its row. */
export const journalError = errorsOf(JOURNAL_ERRORS);
