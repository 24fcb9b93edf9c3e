import { createAgentAppLogic } from '../../../actors/workload/agent-app.actor.ts';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import type { Supervision } from '../../../actors/workload/ports/supervision.ts';
import { agentAppMachine } from '../../../machines/workload/agent-app.machine.ts';
import { goalOf } from '../../../machines/workload/succession.ts';
import type { AgentAppContext } from '../../../machines/workload/succession.ts';
import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import type { Gates } from '../../support/model/gates.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import type { Walker } from '../../support/model/lane.ts';
import { agentAppModel, suffixOf } from '../../support/model/workload-models.ts';
import { SLOT } from '../../support/workload-samples.ts';

type Down = Parameters<Supervision['watch']>[1];

/** A tree of which only the ends of instances are seen. */
function treeOf(watchers: Map<string, Down>, walker: Walker): Partial<Supervision> {
  return {
    send: (_, event) => {
      walker.send(event);
      return true;
    },
    watch: (path, listener) => {
      watchers.set(path.slice(path.lastIndexOf('/') + 1), listener);
      return () => undefined;
    },
    snapshotOf: () => undefined,
    startChild: (path) => Promise.resolve({ ok: true, path, incarnation: 1 }),
    terminateChild: () => Promise.resolve({ ok: true }),
  };
}

/** A store whose slow calls are gates and whose other calls answer at once. */
function fabricOf(gates: Gates, walker: Walker): Partial<Fabric> {
  return {
    instances: async () =>
      walker.snapshot().value === 'recovering' ? gates.wait('recoverSlot') : [],
    recordInstance: () => gates.wait('recordInstance'),
    promote: () => gates.wait('switchTraffic'),
    reportSlot: () => gates.wait('reportSlot'),
  };
}

modelWalk(agentAppMachine, {
  models: [agentAppModel],
  bind: (gates, walker) => {
    const watchers = new Map<string, Down>();
    const contextOf = (): AgentAppContext => walker.snapshot().context as AgentAppContext;
    const ports = {
      fabric: fabricOf(gates, walker),
      files: { settings: () => Promise.resolve(DEFAULT_SETTINGS) },
      tree: treeOf(watchers, walker),
      random: {
        hex: () => suffixOf(goalOf(contextOf()) ?? { digest: '' as never }),
        fraction: () => 0,
      },
      clock: { now: () => 0 },
    } as unknown as WorkloadPorts;
    return {
      reset: () => watchers.clear(),
      logic: createAgentAppLogic(ports, SLOT, createInstanceLogic(ports)),
      facts: {
        'report.failed': ({ message }: { message: string }) => gates.fail('reportSlot', message),
        // Whoever watches is told so by the tree; where nobody does, the fact itself is sent.
        'instance.lost': (event: { type: string; instance: string }) => {
          const tell = watchers.get(event.instance);
          const reason = { type: 'killed' } as const;
          if (tell) tell({ type: 'down', path: event.instance, incarnation: 1, reason });
          else walker.send(event);
        },
      },
    };
  },
  // A record made by the binding has times and tokens of its own.
  essence: ({ active, candidate, lastServed, ...context }) => ({
    ...context,
    active: active?.instance,
    candidate: candidate?.instance,
    lastServed: lastServed?.instance,
  }),
});
