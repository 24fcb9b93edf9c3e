/** Which transitions of the chart an actor took, and which guard kept it from taking one. */
import type { Snapshot } from 'xstate';
import { shownByThread } from '../../../supervisor/index.ts';
import type { TransitionDefinition } from '../../../supervisor/index.ts';
import type { ShownByThread } from '../../threads/shown.ts';
import { transitionIdOf } from '../../charts/transition-id.ts';
import { activeOf, fits } from './chart-registry.ts';
import type { KnownChart } from './chart-registry.ts';

const NONE: readonly string[] = [];

/** Ids of the chart's transitions, in the order in which they were taken. */
export const takenIds = (transitions: readonly TransitionDefinition[]): readonly string[] =>
  transitions.length === 0 ? NONE : transitions.map(transitionIdOf);

/** What the thread of an actor shows beside its snapshot. */
export const threadShowOf = (snapshot: Snapshot<unknown> | undefined): ShownByThread | undefined =>
  // Only our own threads put it there.
  snapshot && (shownByThread(snapshot) as ShownByThread | undefined);

/** The guard of the innermost state that names the event: it is false, as nothing was taken. */
export function refusalOf(
  { transitions }: KnownChart,
  snapshot: unknown,
  event: string,
): string | undefined {
  const states = [...activeOf(snapshot).toReversed(), ''];
  for (const state of states)
    for (const { event: descriptor, guard } of transitions.get(state) ?? [])
      if (guard !== undefined && fits(descriptor, event)) return guard;
  return undefined;
}
