/** The snapshot of an actor in a thread, as it is seen from outside: a copy that can be asked. */
import { matchesState } from 'xstate';
import type { Snapshot, StateValue } from 'xstate';
import type { ThreadSnapshot } from '../ports.ts';

const PERSISTED = Symbol('persisted');

/** What a machine's snapshot can be asked without its machine. */
const asked = {
  matches(this: { readonly value: StateValue }, partial: StateValue): boolean {
    return matchesState(partial, this.value);
  },
  hasTag(this: { readonly tags: ReadonlySet<string> }, tag: string): boolean {
    return this.tags.has(tag);
  },
};

type Mirror = Snapshot<unknown> & { readonly [PERSISTED]?: Snapshot<unknown> };

/** Stands for an actor whose thread has not told of it yet. */
export const NOT_YET: Snapshot<unknown> = Object.freeze({
  status: 'active',
  output: undefined,
  error: undefined,
});

/** The copy of what a thread has told. */
export function mirrorOf({ persisted, tags }: ThreadSnapshot): Snapshot<unknown> {
  const copy = { ...NOT_YET, ...persisted };
  const mirror = tags ? { ...asked, ...copy, tags: new Set(tags) } : copy;
  // Not enumerable: whoever prints or compares a snapshot sees it once.
  return Object.defineProperty(mirror, PERSISTED, { value: persisted });
}

/** What a journal keeps of a mirror; undefined while the thread has not told anything. */
export const persistedOf = (mirror: Snapshot<unknown>): Snapshot<unknown> | undefined =>
  (mirror as Mirror)[PERSISTED];
