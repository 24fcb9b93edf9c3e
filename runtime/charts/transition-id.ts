import type { AnyStateNode } from 'xstate';
import { transitionId } from './chart.ts';

/** As much of XState's definition of a transition as tells which one it is. */
export interface TransitionDefinition {
  /** Descriptor of the event; empty where the transition needs none. */
  readonly eventType: string;
  readonly source: { readonly path: readonly string[] };
}

const ids = new WeakMap<TransitionDefinition, string>();

/** Its id in the chart. A definition lives as long as its machine, and is taken again and again. */
export function transitionIdOf(definition: TransitionDefinition): string {
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
