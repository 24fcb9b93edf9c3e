/** The snapshot of an actor in a thread, as it is seen from outside: a copy that can be asked. */
import { matchesState } from 'xstate';
import type { Snapshot, StateValue } from 'xstate';
import type { ThreadSnapshot } from '../ports.ts';

const PERSISTED = Symbol('persisted');
const SHOWN = Symbol('shown');

/** What a machine's snapshot can be asked without its machine. */
const asked = {
  matches(this: { readonly value: StateValue }, partial: StateValue): boolean {
    return matchesState(partial, this.value);
  },
  hasTag(this: { readonly tags: ReadonlySet<string> }, tag: string): boolean {
    return this.tags.has(tag);
  },
};

type Shown = NonNullable<ThreadSnapshot['shown']>;
type Mirror = Snapshot<unknown> & {
  readonly [PERSISTED]?: Snapshot<unknown>;
  readonly [SHOWN]?: Shown;
};

/** Stands for an actor whose thread has not told of it yet. */
export const NOT_YET: Snapshot<unknown> = Object.freeze({
  status: 'active',
  output: undefined,
  error: undefined,
});

/** The copy of what a thread has told; `before` is the one that it replaces. */
export function mirrorOf(
  { persisted, tags, shown }: ThreadSnapshot,
  before: Snapshot<unknown>,
): Snapshot<unknown> {
  const copy = { ...NOT_YET, ...persisted };
  const mirror = tags ? { ...asked, ...copy, tags: new Set(tags) } : copy;
  // Not enumerable: whoever prints or compares a snapshot sees it once.
  Object.defineProperty(mirror, PERSISTED, { value: persisted });
  return Object.defineProperty(mirror, SHOWN, { value: { ...shownByThread(before), ...shown } });
}

/** What the thread of an actor shows beside its snapshot; nothing of an actor without a thread. */
export const shownByThread = (mirror: Snapshot<unknown>): Shown | undefined =>
  (mirror as Mirror)[SHOWN];

/** What a journal keeps of a mirror; undefined while the thread has not told anything. */
export const persistedOf = (mirror: Snapshot<unknown>): Snapshot<unknown> | undefined =>
  (mirror as Mirror)[PERSISTED];
