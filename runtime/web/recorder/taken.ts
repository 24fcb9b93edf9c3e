/** Which transitions of the chart an actor took, and which guard kept it from taking one. */
import type { AnyStateNode } from 'xstate';
import type { TransitionDefinition } from '../../../supervisor/index.ts';
import { transitionId } from '../../charts/chart.ts';
import { activeOf, fits } from './chart-registry.ts';
import type { KnownChart } from './chart-registry.ts';

const ids = new WeakMap<TransitionDefinition, string>();
const NONE: readonly string[] = [];

/** Ids of the chart's transitions, in the order in which they were taken. */
export function takenIds(transitions: readonly TransitionDefinition[]): readonly string[] {
  return transitions.length === 0 ? NONE : transitions.map(idOf);
}

/** A definition lives as long as its machine, and is taken again and again. */
function idOf(definition: TransitionDefinition): string {
  const known = ids.get(definition);
  if (known !== undefined) return known;
  const { eventType } = definition;
  const source = definition.source as AnyStateNode;
  const among: readonly unknown[] =
    (eventType === '' ? source.always : source.transitions.get(eventType)) ?? [];
  const id = transitionId(source, eventType, among.indexOf(definition));
  ids.set(definition, id);
  return id;
}

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
