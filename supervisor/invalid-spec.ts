/** The refusal of a spec, in the one form that all checks of specs use. */
import type { CodedError } from '../machines/kernel/coded-error.ts';
import { supervisorError } from './errors.ts';

/** `field` of the spec of `path` cannot be meant: it must be `wanted`. */
export const invalidSpec = (
  path: string,
  field: string,
  found: unknown,
  wanted: string,
): CodedError =>
  supervisorError(
    'MESH_ERR_SUPERVISOR_SPEC_INVALID',
    `The spec of ${path} was refused: ${field} must be ${wanted}, found ${show(found)}.`,
    { details: { path, field, found: show(found) } },
  );

function show(found: unknown): string {
  if (typeof found === 'function') return 'a function';
  return typeof found === 'string' ? JSON.stringify(found) : String(found);
}
