import { describe, expect, it } from 'vitest';
import type { EventObject } from 'xstate';
import { instanceMachine } from '../../machines/workload/instance.machine.ts';
import { chartTransitions } from '../support/model/chart-transitions.ts';
import { coveringPaths } from '../support/model/covering-paths.ts';
import { walkInstance } from '../support/model/real-instance.ts';
import { instanceModel } from '../support/model/workload-models.ts';

const LANES = 3;

/** Why no real process takes a transition of the chart. */
const UNREAL: { readonly [transition: string]: string } = {
  'running.killing: abort → stays': 'The kernel ends a killed process before anything is said.',
  'running.killing: after KILL_TIMEOUT_MS → reaping':
    'Only a process stuck in the kernel lives on.',
};

/** A watch does not fail, and nobody can ask from outside for an exit code. */
const isReal = (event: EventObject & { exit?: { exitCode: number | null } }): boolean =>
  !/^xstate\.error\.actor\.0\.instance\.running(\.probing|\.up)?$/.test(event.type) &&
  (event.exit === undefined || event.exit.exitCode === null);

describe('instance, on real processes and a real store,', () => {
  it('takes every transition of its chart as its model does', async () => {
    const drawn = chartTransitions(instanceMachine);
    const missing = new Set(drawn.filter((name) => !(name in UNREAL)));
    const paths = [false, true].flatMap((adopt) =>
      coveringPaths(instanceMachine, instanceModel(adopt), (_, event) => isReal(event), missing),
    );
    const queue = [...paths];
    const taken = new Set<string>();
    const failed: string[] = [];
    const drive = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift())
        await walkInstance(next, taken).catch((error: unknown) => failed.push(String(error)));
    };
    const began = performance.now();
    await Promise.all(Array.from({ length: LANES }, drive));
    expect(failed).toEqual([]);
    const untaken = drawn.filter((name) => !taken.has(name));
    console.log(
      `instance: ${drawn.length - untaken.length} of ${drawn.length} transitions of the chart ` +
        `in ${paths.length} walks and ${((performance.now() - began) / 1_000).toFixed(1)} s` +
        untaken
          .map((name) => `\n  not with real parts: ${name}: ${UNREAL[name] ?? 'WHY?'}`)
          .join(''),
    );
    expect(untaken.filter((name) => !(name in UNREAL))).toEqual([]);
  });
});
