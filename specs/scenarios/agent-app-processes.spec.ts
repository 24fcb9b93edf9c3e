import { describe, expect, it } from 'vitest';
import type { AnyMachineSnapshot, EventObject } from 'xstate';
import { agentAppMachine } from '../../machines/workload/agent-app.machine.ts';
import { instanceMachine } from '../../machines/workload/instance.machine.ts';
import type { AgentAppContext } from '../../machines/workload/succession.ts';
import { stateText } from '../../supervisor/describe.ts';
import { chartTransitions } from '../support/model/chart-transitions.ts';
import { exploreMachine } from '../support/model/model-paths.ts';
import { createTakenBy } from '../support/model/noting.ts';
import { walkForReal } from '../support/model/real-pair.ts';
import type { PairPath } from '../support/model/real-pair.ts';
import { PROCESS, SERVED, agentAppModel } from '../support/model/workload-models.ts';
import { instanceRecord } from '../support/workload-samples.ts';

/** Slots at once: each has a Node process or two that start. */
const LANES = 3;

/** A runtime that died in a switch leaves two. */
const LEFT = instanceRecord({ instance: 'hello-left', process: PROCESS, port: 10 });
const FOUND = [SERVED.instance, LEFT.instance];

const model: typeof agentAppModel = {
  ...agentAppModel,
  samples: [
    ...agentAppModel.samples,
    { type: 'instance.ended', instance: LEFT.instance, reason: null, jitter: 0 },
  ],
  outputs: { ...agentAppModel.outputs, recoverSlot: [[], [SERVED], [SERVED, LEFT]] },
};

const contextOf = (snapshot: AnyMachineSnapshot): AgentAppContext =>
  snapshot.context as AgentAppContext;

/**
 * An instance tells something only while the slot knows it, and is ready only once. One that is sent
 * away as it starts ends at once, so only what has served stays for a step to end it.
 */
function isReal(
  before: readonly AnyMachineSnapshot[],
  { type, instance }: EventObject & { instance?: string },
): boolean {
  const [snapshot] = before.slice(-1);
  if (snapshot === undefined) return false;
  const { active, candidate, retiring } = contextOf(snapshot);
  const served = new Set(before.map((one) => contextOf(one).active?.instance));
  if (retiring.some((one) => !served.has(one) && !FOUND.includes(one))) return false;
  if (instance === undefined) return true;
  const waiting = [
    snapshot.value === 'adopting' ? active?.instance : undefined,
    stateText(snapshot.value) === 'launching.probing' ? candidate?.instance : undefined,
  ];
  if (type === 'instance.ready') return waiting.includes(instance);
  const known = [active?.instance, candidate?.instance, ...retiring];
  return known.filter((one) => one === instance).length === 1;
}

interface Chosen {
  readonly path: PairPath;
  /** What its last step takes. */
  readonly names: readonly string[];
}

/** The shortest paths that together take every transition of the chart. */
function chosenPaths(): readonly Chosen[] {
  const takenBy = createTakenBy(agentAppMachine, model.input);
  const missing = new Set(chartTransitions(agentAppMachine));
  const chosen: Chosen[] = [];
  const all = exploreMachine(agentAppMachine, model).edges;
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

describe('agent-app, on real processes and a real store,', () => {
  it('takes every transition of its chart as its model does', async () => {
    const paths = chosenPaths();
    const queue = [...paths];
    const taken = { pair: new Set<string>(), instance: new Set<string>() };
    const failed: string[] = [];
    const drive = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const { path, names } = next;
        await walkForReal(path, names, taken).catch((error: unknown) => failed.push(String(error)));
      }
    };
    const began = performance.now();
    await Promise.all(Array.from({ length: LANES }, drive));
    expect(failed).toEqual([]);
    const drawn = chartTransitions(agentAppMachine);
    const missing = drawn.filter((name) => !taken.pair.has(name));
    console.log(
      `agent-app: ${drawn.length - missing.length} of ${drawn.length} transitions of the chart ` +
        `in ${paths.length} walks and ${((performance.now() - began) / 1_000).toFixed(1)} s` +
        missing.map((name) => `\n  not with real parts: ${name}`).join(''),
    );
    const ofInstance = chartTransitions(instanceMachine);
    console.log(
      `instance, in passing: ${ofInstance.filter((name) => taken.instance.has(name)).length} of ` +
        `${ofInstance.length} transitions of the chart` +
        ofInstance
          .filter((name) => !taken.instance.has(name))
          .map((name) => `\n  not in passing: ${name}`)
          .join(''),
    );
    expect(missing).toEqual([]);
  });
});
