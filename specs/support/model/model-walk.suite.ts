/**
 * Runs a machine with its real bindings along every transition of its graph, and holds the actor
 * against the model after each step. Every transition that the chart draws must be taken at least
 * once, or be excused by name.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AnyMachineSnapshot, AnyStateMachine, ContextFrom } from 'xstate';
import { ModelCoverage } from '../../../runtime/testing/model-coverage.ts';
import { exploreMachine } from './model-paths.ts';
import type { EdgePath, ModelOptions } from './model-paths.ts';
import { chartTransitions } from './chart-transitions.ts';
import { Lane } from './lane.ts';
import type { WalkOptions } from './lane.ts';

export interface ModelWalkOptions<TMachine extends AnyStateMachine> extends WalkOptions<
  ContextFrom<TMachine>
> {
  /** One graph for each way in which the machine may begin. */
  readonly models: readonly ModelOptions<TMachine>[];
  /** Why a transition of the chart is not taken, by the name that the report gives it. */
  readonly untaken?: { readonly [transition: string]: string };
}

/** Walks that share turns of the event loop: each of them waits for the same one. */
const LANES = 16;

/** Where each walk leaves what it took, as a file that paints the charts of the inspector. */
const COVERAGE = process.env['MESH_COVERAGE'];

/** Four seconds of work for the largest graph, on a machine that others keep busy. */
const TIMEOUT_MS = 60_000;

interface Tally {
  readonly taken: ReadonlySet<string>;
  readonly different: readonly string[];
  readonly transitions: number;
  readonly walks: number;
  /** Transitions of the graph that no walk takes: failures of watches. */
  readonly left: number;
}

async function walkAll<TMachine extends AnyStateMachine>(
  machine: TMachine,
  { models, ...options }: ModelWalkOptions<TMachine>,
): Promise<Tally> {
  const queue: (readonly [EdgePath<TMachine>, unknown])[] = [];
  let [transitions, left] = [0, 0];
  for (const model of models) {
    const all = exploreMachine(machine, model).edges.filter(isLived);
    const paths = all.filter((path) => !isWatchFailure(path));
    transitions += paths.length;
    left += all.length - paths.length;
    for (const path of longest(paths)) queue.push([path, model.input]);
  }
  const walks = queue.length;
  if (COVERAGE !== undefined) await leaveCoverage(machine, queue, COVERAGE);
  const different: string[] = [];
  const taken = new Set<string>();
  const drive = async (lane: Lane<ContextFrom<TMachine>>): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const difference = await lane.walk(...next);
      if (difference !== undefined) different.push(difference);
    }
    for (const name of lane.taken) taken.add(name);
  };
  await Promise.all(Array.from({ length: LANES }, () => drive(new Lane(options))));
  return { taken, different, transitions, walks, left };
}

/** How often the walks take each transition. */
async function leaveCoverage<TMachine extends AnyStateMachine>(
  machine: TMachine,
  walks: readonly (readonly [EdgePath<TMachine>, unknown])[],
  folder: string,
): Promise<void> {
  const coverage = new ModelCoverage(machine, walks[0]?.[1]);
  for (const [{ initial, prefix, via, event }] of walks)
    for (const [index, one] of [...prefix, event].entries())
      coverage.add(via[index - 1] ?? initial, one);
  await coverage.write(join(folder, `${machine.id}.json`));
}

/** Declares the walk of `machine` under its id. */
export function modelWalk<TMachine extends AnyStateMachine>(
  machine: TMachine,
  options: ModelWalkOptions<TMachine>,
): void {
  const { untaken = {} } = options;
  describe(`${machine.id}, bound to fake ports,`, () => {
    it(
      'takes every transition of its graph as its model does',
      async () => {
        const { taken, different, transitions, walks, left } = await walkAll(machine, options);
        expect(different.slice(0, 5)).toEqual([]);
        const drawn = chartTransitions(machine);
        const missing = drawn.filter((name) => !taken.has(name));
        console.log(
          `${machine.id}: ${transitions} transitions of the graph in ${walks} walks; ` +
            `${drawn.length - missing.length} of ${drawn.length} transitions of the chart` +
            (left > 0 ? `; left out: ${left} failures of watches, ${WATCH_FAILS}` : '') +
            missing.map((name) => `\n  untaken: ${name}: ${untaken[name] ?? 'WHY?'}`).join(''),
        );
        expect(missing.toSorted()).toEqual(Object.keys(untaken).toSorted());
      },
      TIMEOUT_MS,
    );
  });
}

/** Without those that another one begins with. */
function longest<TMachine extends AnyStateMachine>(
  paths: readonly EdgePath<TMachine>[],
): readonly EdgePath<TMachine>[] {
  const left = new Set<unknown>(paths.map(({ from }) => from));
  return paths.filter(({ from, to }) => from === to || !left.has(to));
}

/** Why the failure of a watch cannot be walked to: an unhandled one ends the actor all the same. */
const WATCH_FAILS = 'which throw only as they begin and tell everything else as facts';

/** An effect whose end nobody awaits is a watch. */
function isWatchFailure<TMachine extends AnyStateMachine>(path: EdgePath<TMachine>): boolean {
  const id = /^xstate\.error\.actor\.(.*)$/.exec(path.event.type)?.[1];
  const { _nodes } = path.from as unknown as AnyMachineSnapshot;
  const node = _nodes.find(({ invoke }) => invoke.some((one) => one.id === id));
  return node !== undefined && !node.transitions.has(`xstate.done.actor.${id}`);
}

/** An actor does not rest where it crashes, so nothing comes after. */
function isLived<TMachine extends AnyStateMachine>({ from }: EdgePath<TMachine>): boolean {
  const { children } = from as unknown as {
    children: Record<string, { src: unknown } | undefined>;
  };
  return Object.values(children).every((child) => child?.src !== 'crash');
}
