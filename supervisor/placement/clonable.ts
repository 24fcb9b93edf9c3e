/** Whether a value can cross to a thread, found out before it is sent, with the place that cannot. */
import { supervisorError } from '../errors.ts';

/** Deeper values are left to the structured clone itself, which also knows circles. */
const DEPTH_MAX = 16;

/**
 * Throws `MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE` for a value that the structured clone refuses:
 * functions, symbols, promises, and whatever holds one. `what` begins the message.
 */
export function assertClonable(what: string, path: string, value: unknown): void {
  const at = unclonableIn(value, '', 0);
  if (at === undefined) return;
  throw supervisorError(
    'MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE',
    `${what} ${path} was refused: that is a thread's, and ${at}.`,
    { details: { path, found: at } },
  );
}

/** Where and what the value holds that cannot be cloned; plain data is not copied to find out. */
function unclonableIn(value: unknown, at: string, depth: number): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol')
    return `${at === '' ? 'this' : at} is a ${typeof value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain || depth === DEPTH_MAX) return refusedByClone(value, at);
  for (const [key, inner] of Object.entries(value)) {
    const found = unclonableIn(inner, at === '' ? key : `${at}.${key}`, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refusedByClone(value: object, at: string): string | undefined {
  try {
    structuredClone(value);
    return undefined;
  } catch (cause) {
    return `${at === '' ? 'this' : at} cannot be cloned (${String(cause)})`;
  }
}
