import { describe, expect, it } from 'vitest';
import { createAgentAppLogic } from '../../../actors/workload/agent-app.actor.ts';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import { agentAppMachine } from '../../../machines/workload/agent-app.machine.ts';
import { goalOf } from '../../../machines/workload/succession.ts';
import type { AgentAppContext, AgentAppEvent } from '../../../machines/workload/succession.ts';
import { Gates } from '../../support/gates.ts';
import { edgePaths } from '../../support/model-paths.ts';
import { expectedEnd, walkPath } from '../../support/walk-path.ts';
import { DIGEST_B, SLOT, assignment, instanceRecord } from '../../support/workload-samples.ts';

const identity = { pid: 7, startTicks: 7, bootId: 'b', token: 'aa' };
const served = instanceRecord({ instance: 'old', role: 'active', process: identity, port: 9 });
/** What the binding makes of its fake randomness. */
const launched = instanceRecord({ instance: 'hello-aa', digest: DIGEST_B, generation: 2 });
const reason = { code: 'MESH_ERR_INSTANCE_EXITED', message: 'It exited.' };
const input = { slot: SLOT, desired: assignment({ digest: DIGEST_B, generation: 2 }) };

const samples: AgentAppEvent[] = [
  { type: 'assign', desired: null },
  {
    type: 'assign',
    desired: assignment({ permission: 'launch', digest: DIGEST_B, generation: 2 }),
  },
  { type: 'assign', desired: assignment({ permission: 'serve', digest: DIGEST_B, generation: 2 }) },
  { type: 'instance.ready', instance: 'old', port: 9 },
  { type: 'instance.ready', instance: 'hello-aa', port: 10 },
  { type: 'instance.ended', instance: 'old', reason, jitter: 0 },
  { type: 'instance.ended', instance: 'hello-aa', reason, jitter: 0 },
  { type: 'instance.lost', instance: 'hello-aa' },
  { type: 'report.failed', message: 'The disk is full.' },
  { type: 'stop' },
];

const paths = edgePaths(agentAppMachine, {
  input,
  samples,
  outputs: { recoverSlot: [[], [served]], recordInstance: [launched] },
  serialize: ({ desired, active, candidate, retiring, failures, lastServed }: AgentAppContext) => [
    desired?.permission,
    active?.instance,
    candidate?.instance,
    retiring.length > 0,
    Math.min(failures, 1),
    lastServed?.instance,
  ],
  statesMax: 20_000,
}).filter(({ from }) => from.value !== 'crashing');

/** Ports whose slow calls are gates and whose other calls answer at once. */
function portsOf(gates: Gates): WorkloadPorts {
  let isRecovered = false;
  const ok = { ok: true, path: '', incarnation: 1 } as const;
  const fabric = {
    instances: async () => {
      if (isRecovered) return [];
      isRecovered = true;
      return gates.wait('recoverSlot');
    },
    recordInstance: () => gates.wait('recordInstance'),
    promote: () => gates.wait('switchTraffic'),
    reportSlot: () => Promise.resolve(),
  };
  return {
    fabric,
    tree: {
      send: () => true,
      watch: () => () => undefined,
      snapshotOf: () => undefined,
      startChild: () => Promise.resolve(ok),
      terminateChild: () => Promise.resolve({ ok: true }),
    },
    random: { hex: () => 'aa', fraction: () => 0 },
    clock: { now: () => 0 },
  } as unknown as WorkloadPorts;
}

/** What both must agree on; a record made by the binding has times and tokens of its own. */
const essence = (context: unknown) => {
  const { desired, active, candidate, retiring, phase, failures, restarts } =
    context as AgentAppContext;
  return {
    desired,
    active: active?.instance,
    candidate: candidate?.instance,
    retiring,
    phase,
    failures,
    restarts,
  };
};

/** As the binding does it: what is launched is what is wanted at that moment. */
const recordInstance = (context: AgentAppContext) => ({
  ...launched,
  ...goalOf(context),
  instance: launched.instance,
});

const walks = paths.flatMap((path) => {
  const expected = expectedEnd(agentAppMachine, path, input, { recordInstance });
  return expected === undefined ? [] : [{ path, expected }];
});

describe('agent-app, bound to fake ports,', () => {
  it(`takes ${walks.length} transitions of its graph as its model does`, async () => {
    expect(walks.length).toBeGreaterThan(1_000);
    const different: string[] = [];
    for (const { path, expected } of walks) {
      const gates = new Gates();
      const bind = () => {
        const ports = portsOf(gates);
        return createAgentAppLogic(ports, SLOT, createInstanceLogic(ports));
      };
      const end = await walkPath(path, { bind, gates, input });
      const model = { state: expected.state, context: essence(expected.context) };
      const real = { state: end.state, context: essence(end.context) };
      if (JSON.stringify(real) !== JSON.stringify(model))
        different.push(`${path.name}: ${JSON.stringify({ model, real })}`);
    }
    expect(different.slice(0, 5)).toEqual([]);
  });
});
