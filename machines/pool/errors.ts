import { errorsOf } from '../kernel/coded-error.ts';

/** What can go wrong with work on worker threads, whatever the work is. */
export const POOL_ERRORS = {
  MESH_ERR_POOL_BUSY: {
    retryable: true,
    hint: 'Send the work again a little later, or send less of it at a time.',
    explain:
      'As much work waits for worker threads as the pool takes. Nothing of this call was done. ' +
      'Hashing, packing and signature checks have one bounded queue each; a queue that stays ' +
      'full means that the machine has too few cores for its load.',
  },
  MESH_ERR_POOL_CLOSED: {
    hint: 'Send work only while the runtime runs.',
    explain:
      'The pool has been closed, or its close deadline passed while this work was still waiting ' +
      'or under way. A closed pool is never opened again.',
  },
  MESH_ERR_POOL_CANCELLED: {
    hint: 'Start the work again if it is still wanted.',
    explain:
      'The caller aborted the work. If a worker had begun it, that worker has been ended and ' +
      'replaced; a batch of signatures under way ends by itself within milliseconds.',
  },
  MESH_ERR_POOL_WORKER_DIED: {
    retryable: true,
    hint: 'Look at the cause, and at the memory that the work needs.',
    explain:
      'A worker thread ended under the work: it ran out of memory, exited, or threw outside of ' +
      'its task. Work that may be repeated was tried once more, alone, and met the same end; ' +
      'other work is never repeated.',
  },
  MESH_ERR_POOL_TASK_FAILED: {
    hint: 'Report this with its cause: a task should fail with its own code.',
    explain:
      'The code of a task threw something without an error code, or its input or result cannot ' +
      'be handed between threads. The pool serves on.',
  },
  MESH_ERR_POOL_UNAVAILABLE: {
    retryable: true,
    hint: 'Look in the log for why worker threads do not start.',
    explain:
      'No worker threads have been attached to the pool for longer than work waits for them: ' +
      'they broke and their supervisor has not brought them back.',
  },
  MESH_ERR_POOL_BROKEN: {
    retryable: true,
    hint: 'Look at the cause; memory and thread limits of the machine are the usual ones.',
    explain:
      'Worker threads cannot start, did not answer a first task in time, or died too often in a ' +
      'row. The pool actor ends with this error and its supervisor starts a fresh set.',
  },
  MESH_ERR_POOL_FILE_UNREADABLE: {
    hint: 'Check that the file exists and that this user may read it.',
    explain: 'A file that was to be hashed could not be opened or read; details name the cause.',
  },
} as const;

/** Makes an error of this table. */
export const poolError = errorsOf(POOL_ERRORS);
