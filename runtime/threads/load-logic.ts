/** Finds the logic that a child spec names by module and export. */
import type { AnyActorLogic } from 'xstate';
import { supervisorError } from '../../supervisor/errors.ts';
import type { ThreadOrder } from '../../supervisor/index.ts';

/**
 * Loads it. Throws `MESH_ERR_SUPERVISOR_THREAD_MODULE_FAILED` and
 * `MESH_ERR_SUPERVISOR_THREAD_EXPORT_MISSING`.
 */
export async function loadLogic(path: string, place: ThreadOrder['place']): Promise<AnyActorLogic> {
  const loaded = await load(path, place.module);
  const found = loaded[place.export];
  if (isLogic(found)) return found;
  const exports = Object.keys(loaded);
  throw supervisorError(
    'MESH_ERR_SUPERVISOR_THREAD_EXPORT_MISSING',
    `Starting ${path}: ${place.module} exports no logic as ${place.export}, ` +
      `but ${exports.join(', ') || 'nothing'}.`,
    { details: { path, module: place.module, export: place.export, exports } },
  );
}

async function load(path: string, module: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(module)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw supervisorError(
      'MESH_ERR_SUPERVISOR_THREAD_MODULE_FAILED',
      `Starting ${path}: its thread could not load ${module}.`,
      { cause, details: { path, module } },
    );
  }
}

const isLogic = (found: unknown): found is AnyActorLogic =>
  typeof found === 'object' && found !== null && 'transition' in found && !('thread' in found);
