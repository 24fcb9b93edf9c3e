/** Every machine definition that was seen, under a key of its own. */
import type { AnyMachineSnapshot, AnyStateMachine, StateValue } from 'xstate';
import { chartOf, statesOf } from '../../charts/chart.ts';
import type { Chart, ChartTransition } from '../../charts/chart.ts';

export interface KnownChart {
  readonly key: string;
  readonly chart: Chart;
  /** By the id of the state that they leave. */
  readonly transitions: ReadonlyMap<string, readonly ChartTransition[]>;
}

/** Definitions that may be remembered; a script that makes machines by the thousand gets no charts. */
const CHARTS_MAX = 500;

export class ChartRegistry {
  /** `provide()` makes another machine of the same config. */
  readonly #byConfig = new WeakMap<object, KnownChart>();
  /** Each incarnation in a thread sends a copy of its own. */
  readonly #byText = new Map<string, KnownChart>();
  readonly #byKey = new Map<string, KnownChart>();

  /** Undefined when there are too many, or none can be made of it. */
  of(machine: AnyStateMachine): KnownChart | undefined {
    const config = machine.config as object;
    const known = this.#byConfig.get(config);
    if (known !== undefined) return known;
    if (this.#byKey.size >= CHARTS_MAX) return undefined;
    const entry = this.#keep(chartOf(machine));
    this.#byConfig.set(config, entry);
    return entry;
  }

  /** The same of a chart that came from a thread. */
  ofChart(chart: Chart): KnownChart | undefined {
    const text = JSON.stringify(chart);
    const known = this.#byText.get(text);
    if (known !== undefined || this.#byKey.size >= CHARTS_MAX) return known;
    const entry = this.#keep(chart);
    this.#byText.set(text, entry);
    return entry;
  }

  get(key: string): KnownChart | undefined {
    return this.#byKey.get(key);
  }

  keys(): string[] {
    return [...this.#byKey.keys()];
  }

  #keep(chart: Chart): KnownChart {
    const entry: KnownChart = {
      key: this.#freeKey(chart.name),
      chart,
      transitions: new Map([...statesOf(chart.root)].map((one) => [one.id, one.transitions])),
    };
    this.#byKey.set(entry.key, entry);
    return entry;
  }

  #freeKey(name: string): string {
    let key = name;
    for (let count = 2; this.#byKey.has(key); count++) key = `${name}~${count}`;
    return key;
  }
}

/** The machine of a snapshot, where it is one of a machine. */
export function machineOfSnapshot(snapshot: unknown): AnyStateMachine | undefined {
  return (snapshot as Partial<AnyMachineSnapshot> | undefined)?.machine;
}

/** Ids of the chart's states that are active, the root left out. */
export function activeOf(snapshot: unknown): string[] {
  const { _nodes: nodes, value } = (snapshot ?? {}) as Partial<AnyMachineSnapshot>;
  // The snapshot of an actor in a thread is a copy without its machine.
  if (nodes === undefined) return value === undefined ? [] : pathsIn(value as StateValue);
  return nodes.filter(({ path }) => path.length > 0).map(({ path }) => path.join('.'));
}

/** `{ on: { lamp: 'lit' } }` is `on`, `on.lamp` and `on.lamp.lit`. */
function pathsIn(value: StateValue): string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([key, inner]) => [
    key,
    ...(inner === undefined ? [] : pathsIn(inner).map((path) => `${key}.${path}`)),
  ]);
}

/** Whether an event's type fits a descriptor: equal, `*`, or a prefix ending in `.*`. */
export const fits = (descriptor: string, event: string): boolean =>
  descriptor === event ||
  descriptor === '*' ||
  (descriptor.endsWith('.*') && event.startsWith(descriptor.slice(0, -1)));
