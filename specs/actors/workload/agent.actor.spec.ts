import { createAgentLogic } from '../../../actors/workload/agent.actor.ts';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import type { Supervision } from '../../../actors/workload/ports/supervision.ts';
import { agentMachine } from '../../../machines/workload/agent.machine.ts';
import type { Assignment } from '../../../machines/workload/plan.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { SERVED, agentModel } from '../../support/model/workload-models.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

type Down = Parameters<Supervision['watch']>[1];

/** A tree whose children all start, and end when a spec says so. */
function treeOf(watchers: Map<string, Down>): Partial<Supervision> {
  return {
    send: () => true,
    watch: (path, listener) => {
      watchers.set(path, listener);
      return () => undefined;
    },
    startChild: (path) => Promise.resolve({ ok: true, path, incarnation: 1 }),
    deleteChild: () => Promise.resolve({ ok: true }),
  };
}

modelWalk(agentMachine, {
  models: [agentModel],
  bind: (gates, walker) => {
    const clock = new VirtualClock();
    const watchers = new Map<string, Down>();
    let assign: ((all: readonly Assignment[]) => void) | undefined;
    const fabric: Partial<Fabric> = {
      registerNode: () => gates.wait('joinMesh'),
      // One instance is there from before, so that there is a pair until it is gone.
      instances: async () => (walker.snapshot().value === 'joining' ? [SERVED] : []),
      renew: () => gates.wait('renew'),
      watchAssignments: (_, listener) => {
        assign = listener;
        listener([]);
        return () => undefined;
      },
    };
    const ports = {
      fabric,
      clock,
      tree: treeOf(watchers),
      notice: (about: string, error: unknown) => {
        throw new Error(about, { cause: error });
      },
    } as unknown as WorkloadPorts;
    return {
      reset: () => watchers.clear(),
      logic: createAgentLogic(ports, SERVED.node, createInstanceLogic(ports)),
      facts: {
        'assignments.changed': ({ assignments }: { assignments: readonly Assignment[] }) =>
          assign?.(assignments),
        'heartbeat.failed': async () => {
          await clock.fireNext();
          gates.fail('renew', new Error('The disk is full.'));
        },
        'pairs.gone': () => {
          for (const [path, tell] of watchers)
            tell({ type: 'down', path, incarnation: 1, reason: { type: 'normal' } });
        },
      },
    };
  },
});
