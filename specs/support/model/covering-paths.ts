/** The shortest paths of a graph that together take every transition of its chart. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { chartTransitions } from './chart-transitions.ts';
import { exploreMachine } from './model-paths.ts';
import type { EdgePath, ModelOptions } from './model-paths.ts';
import { createTakenBy } from './noting.ts';

export interface Chosen<TMachine extends AnyStateMachine> {
  readonly path: EdgePath<TMachine>;
  /** What its last step takes. */
  readonly names: readonly string[];
}

/**
 * Chooses among the paths whose every step `isReal`, which is given all states up to the step. Takes
 * from `missing` what the paths take: what is left cannot be taken so.
 */
export function coveringPaths<TMachine extends AnyStateMachine>(
  machine: TMachine,
  model: ModelOptions<TMachine>,
  isReal: (before: readonly AnyMachineSnapshot[], event: EventObject) => boolean,
  missing = new Set(chartTransitions(machine)),
): readonly Chosen<TMachine>[] {
  const takenBy = createTakenBy(machine, model.input);
  const chosen: Chosen<TMachine>[] = [];
  const all = exploreMachine(machine, model).edges;
  for (const path of all.toSorted((a, b) => a.prefix.length - b.prefix.length)) {
    const froms = [path.initial, ...path.via] as unknown as readonly AnyMachineSnapshot[];
    const events = [...path.prefix, path.event];
    const [last] = froms.slice(-1);
    if (!last || last.value === 'crashing') continue;
    const names = takenBy(last, path.event);
    if (!names.some((name) => missing.has(name))) continue;
    if (!events.every((event, at) => isReal(froms.slice(0, at + 1), event))) continue;
    for (const name of names) missing.delete(name);
    chosen.push({ path, names });
  }
  return chosen;
}

/** The first step after this one that leaves the state that this one leads to. */
export function leavesAt(texts: readonly string[], at: number): number {
  const stays = texts.slice(at + 1).findIndex((text) => text !== texts[at]);
  return stays === -1 ? texts.length : at + 1 + stays;
}
