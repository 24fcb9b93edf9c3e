/** What the workload's machines say when something that they wait for does not come. */
import { initialTransition, transition } from 'xstate';
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { describe, expect, it } from 'vitest';
import { agentAppMachine } from '../../../machines/workload/agent-app.machine.ts';
import { DEFAULT_SETTINGS, reasonOf } from '../../../machines/workload/instance-rules.ts';
import { instanceMachine } from '../../../machines/workload/instance.machine.ts';
import { rolloutMachine } from '../../../machines/workload/rollout.machine.ts';
import { SLOT, assignment, instanceRecord } from '../../support/workload-samples.ts';

/** The end of an effect, the end of a delay, or an event as it is. */
type Step = { readonly done: unknown } | { readonly after: string } | EventObject;

function eventOf({ _nodes }: AnyMachineSnapshot, step: Step): EventObject {
  if ('done' in step) {
    const invoked = _nodes.flatMap((node) => node.invoke).at(-1);
    return { type: `xstate.done.actor.${invoked?.id ?? ''}`, output: step.done } as EventObject;
  }
  if (!('after' in step)) return step;
  const delays = _nodes.flatMap((node) => node.after.map(({ eventType }) => eventType));
  return { type: delays.find((type) => type.includes(`.${step.after}.`)) ?? 'none' };
}

function walk(machine: AnyStateMachine, input: unknown, ...steps: Step[]): unknown {
  let [snapshot] = initialTransition(machine, input) as unknown as [AnyMachineSnapshot];
  for (const step of steps)
    [snapshot] = transition(machine, snapshot, eventOf(snapshot, step)) as unknown as [
      AnyMachineSnapshot,
    ];
  return snapshot.context;
}

const files = { settings: DEFAULT_SETTINGS, command: '/x', args: [], env: {}, folder: '/' };
const identity = { pid: 7, startTicks: 7, bootId: 'b', token: '00'.repeat(16) };
const started: Step[] = [{ done: files }, { done: { process: identity, port: 9 } }];
const failed: Step = { type: 'health.failed', message: 'It answered 500.' } as EventObject;

describe('instance', () => {
  it.each<[string, boolean, string, Step[]]>([
    [
      'a spore that is not unpacked in time',
      false,
      'MESH_ERR_INSTANCE_PREPARE_TIMEOUT',
      [{ after: 'PREPARE_TIMEOUT_MS' }],
    ],
    [
      'a process that is not started in time',
      false,
      'MESH_ERR_INSTANCE_SPAWN_TIMEOUT',
      [{ done: files }, { after: 'SPAWN_TIMEOUT_MS' }],
    ],
    [
      'a process that is not found in time',
      true,
      'MESH_ERR_INSTANCE_SPAWN_TIMEOUT',
      [{ after: 'SPAWN_TIMEOUT_MS' }],
    ],
    [
      'a health path that fails after it had answered',
      false,
      'MESH_ERR_INSTANCE_UNHEALTHY',
      [...started, { type: 'health.passed' }, failed, failed, failed],
    ],
  ])('says of %s what it was', (_, adopt, code, steps) => {
    expect(walk(instanceMachine, { record: instanceRecord(), adopt }, ...steps)).toMatchObject({
      failure: { code, instance: 'hello-1' },
    });
  });
});

describe('agent-app', () => {
  it('says of a candidate that tells nothing that it was silent', () => {
    const context = walk(
      agentAppMachine,
      { slot: SLOT, desired: assignment() },
      { done: [] },
      { done: instanceRecord() },
      { after: 'CANDIDATE_TIMEOUT_MS' },
    );
    expect(context).toMatchObject({
      candidate: null,
      failures: 1,
      reason: { code: 'MESH_ERR_INSTANCE_SILENT' },
    });
  });
});

describe('rollout', () => {
  const input = { app: 'hello', generation: 1, strategy: 'blue_green' };
  const assignments = [assignment({ permission: 'launch' })];
  const report = { ...SLOT, generation: 1, restarts: 0, updatedAtMs: 0, reason: null };

  it('says of slots that report nothing that the time was up', () => {
    expect(walk(rolloutMachine, input, { after: 'PHASE_TIMEOUT_MS' })).toMatchObject({
      reason: { code: 'MESH_ERR_ROLLOUT_TIMEOUT' },
    });
  });

  it('has a reason also for a slot that failed without one', () => {
    const reports = [{ ...report, state: 'failed' }];
    const seen = { type: 'slots.changed', assignments, reports } as EventObject;
    expect(walk(rolloutMachine, input, seen)).toMatchObject({
      reason: { code: 'MESH_ERR_INSTANCE_FAILED', node: 'node-1' },
    });
  });
});

describe('reasonOf', () => {
  it('keeps the code of an error, and has one for an error without', () => {
    expect(reasonOf({ code: 'MESH_ERR_REPO_UNKNOWN', message: 'Gone.' })).toEqual({
      code: 'MESH_ERR_REPO_UNKNOWN',
      message: 'Gone.',
    });
    expect(reasonOf(new Error('odd'), 'hello-1')).toEqual({
      code: 'MESH_ERR_INSTANCE_FAILED',
      message: 'odd',
      instance: 'hello-1',
    });
  });
});
