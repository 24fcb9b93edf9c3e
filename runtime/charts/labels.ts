/** What the parts of a machine are called in a picture. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** XState adds these two to make `after` work; nobody wrote them. */
const BEHIND_AFTER = new Set(['xstate.raise', 'xstate.cancel']);

const typeOf = (thing: unknown): string | undefined => {
  if (typeof thing === 'string') return thing;
  const type = (thing as { readonly type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' ? type : undefined;
};

/** Names of actions; a built-in one without a name is called by its kind, as in `assign`. */
export function actionNames(actions: readonly unknown[]): string[] {
  return actions.flatMap((action) => {
    const type = typeOf(action) ?? 'inline';
    if (isBehindAfter(action, type)) return [];
    return [type.replace(/^xstate\./, '')];
  });
}

const isBehindAfter = (action: unknown, type: string): boolean =>
  BEHIND_AFTER.has(type) && JSON.stringify(action, functionFields).includes('xstate.after');

/** A built-in action is a function with its arguments as fields. */
function functionFields(_: string, value: unknown): unknown {
  return typeof value === 'function' ? Object.fromEntries(Object.entries(value)) : value;
}

/** Combined guards read as `and(a, not(b))`. */
export function guardLabel(guard: unknown): string | undefined {
  if (guard === undefined) return undefined;
  const combined = (guard as { readonly guards?: readonly unknown[] }).guards;
  const name = typeOf(guard) ?? ((guard as { readonly name?: string }).name || 'inline');
  if (!Array.isArray(combined)) return name.replace(/^xstate\./, '');
  return `${name.replace(/^xstate\./, '')}(${combined.map(guardLabel).join(', ')})`;
}

/** `xstate.done.actor.…` as `done(startProcess)`; other events as they are. */
export function eventLabel(event: string, node: AnyStateNode): string {
  if (event === '') return 'always';
  const [, what, rest] = /^xstate\.(done|error)\.(?:actor|state)\.(.*)$/.exec(event) ?? [];
  if (what === undefined) return event;
  const invoked = node.invoke.find(({ id }) => id === rest);
  const name = typeof invoked?.src === 'string' ? invoked.src : node.key;
  return `${what}(${name})`;
}

/** In the largest unit that keeps it whole; a computed one by its name. */
export function delayLabel(delay: unknown, machine: AnyStateMachine): string {
  if (typeof delay === 'number') return milliseconds(delay);
  if (typeof delay !== 'string') return 'inline';
  const known: unknown = machine.implementations.delays[delay];
  return typeof known === 'number' ? milliseconds(known) : delay;
}

function milliseconds(ms: number): string {
  for (const [size, unit] of [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const)
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`;
  return `${ms} ms`;
}
