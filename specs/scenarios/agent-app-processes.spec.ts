import { describe, expect, it } from 'vitest';
import type { AnyMachineSnapshot, EventObject } from 'xstate';
import { agentAppMachine } from '../../machines/workload/agent-app.machine.ts';
import type { AgentAppContext } from '../../machines/workload/succession.ts';
import { stateText } from '../../supervisor/describe.ts';
import { chartTransitions } from '../support/model/chart-transitions.ts';
import { coveringPaths } from '../support/model/covering-paths.ts';
import { walkForReal } from '../support/model/real-pair.ts';
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

describe('agent-app, on real processes and a real store,', () => {
  it('takes every transition of its chart as its model does', async () => {
    const paths = coveringPaths(agentAppMachine, model, isReal);
    const queue = [...paths];
    const taken = { pair: new Set<string>(), instance: new Set<string>() };
    const failed: string[] = [];
    const drive = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift())
        await walkForReal(next, taken).catch((error: unknown) => failed.push(String(error)));
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
    expect(missing).toEqual([]);
  });
});
