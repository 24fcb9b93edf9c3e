/** Errors of the kernel itself. */
import type { ErrorTable } from './coded-error.ts';

/** The one code that errors get which lost theirs. */
export const KERNEL_ERRORS = {
  MESH_ERR_KERNEL_UNKNOWN: {
    hint: 'Look at the cause and at the log of the mesh, and report it.',
    explain:
      'An error came from another process, a worker thread or a journal in a form that has no code. ' +
      'Its message is what was left of it. Whoever wrote it runs another version of this program, ' +
      'or the bytes were damaged.',
  },
} as const satisfies ErrorTable;
