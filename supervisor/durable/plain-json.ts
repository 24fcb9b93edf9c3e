import { journalError } from './errors.ts';

/** Nesting beyond this is taken for a cycle, before it overflows the stack. */
const DEPTH_MAX = 200;
/** What XState puts in the place of an actor. */
const ACTOR_MARK = 'xstate$$type';

/** Something that JSON would lose; the path is built on the way back, so that success costs none. */
interface Fault {
  readonly found: string;
  at: string;
}

/**
 * The JSON of `value`, if it brings back all of it. Throws
 * MESH_ERR_JOURNAL_SNAPSHOT_UNSERIALISABLE with the place and the kind of what it would not.
 * `undefined` is allowed as a property, where leaving it out means the same. `actorIds` are the ids
 * of the actors that `value` may refer to.
 */
export function toPlainJson(owner: string, value: unknown, actorIds: ReadonlySet<string>): string {
  const fault = faultOf(value, 0, actorIds);
  if (fault) throw unserialisable(owner, fault.at, fault.found);
  return JSON.stringify(value);
}

function faultOf(value: unknown, depth: number, ids: ReadonlySet<string>): Fault | undefined {
  if (isAtom(value)) return undefined;
  if (typeof value !== 'object' || value === null) return { at: '', found: kindOf(value) };
  if (depth > DEPTH_MAX) return { at: '', found: 'part of a cycle, or nested too deep' };
  if (Array.isArray(value)) return faultInArray(value, depth, ids);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return { at: '', found: kindOf(value) };
  const object = value as Readonly<Record<string, unknown>>;
  if (ACTOR_MARK in object && !ids.has(String(object['id'])))
    return { at: '', found: 'an actor that is not its own child' };
  for (const key in object) {
    const inner = object[key];
    if (isAtom(inner) || inner === undefined) continue;
    const fault = faultOf(inner, depth + 1, ids);
    if (!fault) continue;
    fault.at = fault.at.startsWith('[') || fault.at === '' ? key + fault.at : `${key}.${fault.at}`;
    return fault;
  }
  return undefined;
}

function faultInArray(
  array: readonly unknown[],
  depth: number,
  ids: ReadonlySet<string>,
): Fault | undefined {
  for (let index = 0; index < array.length; index++) {
    const fault = faultOf(array[index], depth + 1, ids);
    if (!fault) continue;
    const rest = fault.at.startsWith('[') || fault.at === '' ? fault.at : `.${fault.at}`;
    fault.at = `[${index}]${rest}`;
    return fault;
  }
  return undefined;
}

const isAtom = (value: unknown): boolean =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  value === null ||
  (typeof value === 'number' && Number.isFinite(value));

function kindOf(value: unknown): string {
  if (value === undefined) return 'undefined in an array';
  if (typeof value === 'object' && value !== null)
    return `an instance of ${value.constructor?.name || 'an unnamed class'}`;
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}

/** The error of what cannot be written, with its place. */
export const unserialisable = (owner: string, at: string, found: string, cause?: unknown): Error =>
  journalError(
    'MESH_ERR_JOURNAL_SNAPSHOT_UNSERIALISABLE',
    `The snapshot of ${owner} cannot be written: ${at === '' ? 'it' : at} is ${found}.`,
    { cause, details: { path: owner, at, found } },
  );
