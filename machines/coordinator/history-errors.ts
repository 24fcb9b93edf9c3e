import { errorsOf } from '../kernel/coded-error.ts';
import type { ErrorTable } from '../kernel/coded-error.ts';

/** What can be wrong with the history of a Coordinator: its content, its latest transition, its floor. */
export const HISTORY_ERRORS = {
  MESH_ERR_HISTORY_UNAVAILABLE: {
    retryable: true,
    hint: "Look at the cause: space, permissions and health of the history's disk.",
    explain:
      'The history could not be read or written now. Where a write was under way it may have been ' +
      'done or not; the Coordinator reads again before it decides.',
  },
  MESH_ERR_HISTORY_MISSING: {
    hint: 'Restore the history from a copy that has this content.',
    explain:
      'The latest transition leads to a manifest, a policy or an earlier transition that is not in ' +
      'the history. Content is written before what names it, so somebody removed it.',
  },
  MESH_ERR_HISTORY_CORRUPT: {
    hint: 'Restore the history from a copy; do not repair it by hand.',
    explain:
      'What was read is not what its name says: content with another SHA-256 than its name, a latest ' +
      'transition or a floor of the wrong form, or a chain of transitions that does not end.',
  },
  MESH_ERR_HISTORY_ROLLED_BACK: {
    hint: 'Bring back the newest copy of the history, or find out who replaced it.',
    explain:
      'The history is older than, or another one than, what this Coordinator has already seen: its ' +
      'generation floor, which is kept outside of the history, is not in the chain of transitions. ' +
      'An old manifest could let in what a newer one keeps out, so nothing is served from it.',
  },
  MESH_ERR_HISTORY_TOO_LARGE: {
    hint: 'Shorten the manifest or the policy.',
    explain: 'Content of the history is at most one MiB, so that reading it is always bounded.',
  },
} as const satisfies ErrorTable;

/** Makes an error of this table. */
export const historyError = errorsOf(HISTORY_ERRORS);
