/** Refuses a placement that cannot be meant, before any thread is started. */
import type { ChildSpec } from '../child-spec.ts';
import { supervisorError } from '../errors.ts';
import { invalidSpec } from '../invalid-spec.ts';
import { assertClonable } from './clonable.ts';
import { isThreadLogic } from './thread-logic.ts';
import type { ThreadPlace } from './thread-logic.ts';

/**
 * Checks where the child at `path` is to run. Throws `MESH_ERR_SUPERVISOR_THREAD_LOGIC_INLINE`,
 * `MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE` or `MESH_ERR_SUPERVISOR_SPEC_INVALID`.
 */
export function checkPlacement(path: string, { placement, logic, input }: ChildSpec): void {
  const isInThread = placement === 'thread';
  if (!isInThread && placement !== undefined && placement !== 'local')
    throw invalidSpec(path, 'placement', placement, 'one of local, thread');
  if (!isThreadLogic(logic)) {
    if (isInThread) throw inlineLogic(path);
    return;
  }
  if (!isInThread)
    throw invalidSpec(path, 'placement', placement, "'thread' where logic is threadLogic(…)");
  checkPlace(path, logic.thread);
  if (typeof input !== 'function') assertClonable('The input for', path, input);
}

function checkPlace(path: string, place: ThreadPlace): void {
  if (!/^[a-z][a-z0-9+.-]+:/.test(place.module))
    throw invalidSpec(path, 'logic.module', place.module, 'a URL: new URL(path, import.meta.url)');
  if (typeof place.export !== 'string' || place.export === '')
    throw invalidSpec(path, 'logic.export', place.export, 'the name of an export');
  if (!(place.heartbeatTimeoutMs > 0))
    throw invalidSpec(path, 'heartbeatTimeoutMs', place.heartbeatTimeoutMs, 'milliseconds > 0');
  for (const [limit, found] of Object.entries(place.resourceLimits))
    if (!(typeof found === 'number' && found > 0))
      throw invalidSpec(path, `resourceLimits.${limit}`, found, 'MiB > 0');
}

const inlineLogic = (path: string): Error =>
  supervisorError(
    'MESH_ERR_SUPERVISOR_THREAD_LOGIC_INLINE',
    `The spec of ${path} was refused: it places in a thread logic that is given as an object.`,
    { details: { path } },
  );
