import { fromPromise } from 'xstate';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import type { Fabric } from '../../../actors/workload/ports/fabric.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import type { Ownership } from '../../../actors/workload/ports/process.ts';
import type { ProcessExit } from '../../../machines/workload/instance-record.ts';
import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import { instanceMachine } from '../../../machines/workload/instance.machine.ts';
import type { Gates } from '../../support/model/gates.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { PROCESS, instanceModel } from '../../support/model/workload-models.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

/** What a walk says of the world when an effect asks. */
class World {
  readonly clock = new VirtualClock();
  readonly #gates: Gates;
  owner: Ownership = 'own';
  exited: ((exit: ProcessExit) => void) | undefined;
  #probes = 0;

  constructor(gates: Gates) {
    this.#gates = gates;
  }

  /** Answers the next probe, for which an eager or a steady watch may have to wait. */
  async probe(result: object): Promise<void> {
    for (let turn = 0; turn < 10 && !this.#gates.waiting.includes('probe'); turn++)
      await this.clock.fireNext();
    this.#gates.open('probe', result);
  }

  /** A message of its own each time: what was told once is not told again. */
  failed = (): Promise<void> =>
    this.probe({ ok: false, status: null, message: `refused ${++this.#probes} times` });

  passed = (owner: Ownership): Promise<void> => {
    this.owner = owner;
    return this.probe({ ok: true, status: 200 });
  };
}

function portsOf(gates: Gates, world: World): WorkloadPorts {
  const done = () => Promise.resolve();
  const fabric: Partial<Fabric> = {
    instances: () => Promise.resolve([]),
    recordInstance: done,
    switchEndpoints: done,
    forgetInstance: () => gates.wait('reapProcess'),
  };
  return {
    fabric,
    clock: world.clock,
    homeId: 'home',
    tree: { send: () => true },
    random: { fraction: () => 0 },
    notice: () => undefined,
    ports: { pick: () => Promise.resolve(9) },
    logs: { prepare: () => Promise.resolve('/log'), tail: () => Promise.resolve([]), prune: done },
    files: {
      prepare: () => gates.wait('prepareFiles'),
      settings: () => Promise.resolve(DEFAULT_SETTINGS),
      discard: done,
    },
    requests: { drain: () => gates.wait('drainRequests') },
    health: { probe: (_: unknown, signal: AbortSignal) => gates.wait('probe', signal) },
    processes: {
      spawn: () => gates.wait('startProcess'),
      isAlive: () => gates.wait('adoptProcess'),
      watchExit: (_: unknown, listener: (exit: ProcessExit) => void) => {
        world.exited = listener;
        return () => undefined;
      },
      listenerOf: () => Promise.resolve(world.owner),
      strays: () => Promise.resolve([]),
      // What is reaped is gone by then.
      signal: () => Promise.resolve(false),
      reap: done,
    },
  } as unknown as WorkloadPorts;
}

modelWalk(instanceMachine, {
  models: [instanceModel(false), instanceModel(true)],
  bind: (gates) => {
    const world = new World(gates);
    return {
      // Its binding starts another actor; it has a spec of its own.
      logic: createInstanceLogic(portsOf(gates, world)).provide({
        actors: {
          certifyInstance: fromPromise(({ signal }) => gates.wait('certifyInstance', signal)),
        },
      }),
      effects: {
        startProcess: { done: () => gates.open('startProcess', PROCESS) },
        adoptProcess: { done: () => gates.open('adoptProcess', true) },
      },
      facts: {
        'process.exited': ({ exit }: { exit: ProcessExit }) => world.exited?.(exit),
        'health.passed': () => world.passed('own'),
        'port.hijacked': () => world.passed('foreign'),
        'health.failed': () => world.failed(),
      },
    };
  },
  // What a probe says is the world's; the model has one sentence for all.
  essence: ({ lastProbe, failure, ...context }) => ({
    ...context,
    hasProbed: lastProbe !== null,
    failure: failure && { ...failure, lastProbe: failure.lastProbe !== null },
  }),
});
