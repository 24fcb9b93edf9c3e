/** A control plane for one spec, and the records that specs of it share. */
import type { Fabric } from '../../actors/workload/ports/fabric.ts';
import type { InstanceRecord } from '../../machines/workload/instance-record.ts';
import type { Endpoint, PlanRequest, SlotReport } from '../../machines/workload/plan.ts';
import { createFabric } from '../../runtime/adapters/fabric.sqlite.ts';
import { scratch } from './scratch.ts';
import { VirtualClock } from './virtual-clock.ts';
import { DIGEST_A, instanceRecord } from './workload-samples.ts';

export interface FabricWorld extends AsyncDisposable {
  readonly fabric: Fabric;
  readonly clock: VirtualClock;
  /** What listeners threw. */
  readonly reported: unknown[];
}

/** Makes a control plane without any state. */
export type MakeFabricWorld = () => FabricWorld;

export const inFile: MakeFabricWorld = () => {
  const folder = scratch();
  const world = inMemory({ path: folder.file('fabric.sqlite') });
  return {
    ...world,
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
};

export function inMemory({ path = ':memory:' } = {}): FabricWorld {
  const clock = new VirtualClock();
  const reported: unknown[] = [];
  const onListenerError = (error: unknown): void => void reported.push(error);
  const fabric = createFabric({ path, clock, onListenerError });
  return { fabric, clock, reported, [Symbol.asyncDispose]: () => fabric.close() };
}

/** Registers nodes without limits, whose leases end in a minute. */
export async function join({ fabric, clock }: FabricWorld, ...names: string[]): Promise<void> {
  for (const node of names)
    await fabric.registerNode({
      node,
      cpuMilli: 0,
      memoryMb: 0,
      expiresAtMs: clock.now() + 60_000,
    });
}

export const planRequest = (over: Partial<PlanRequest> = {}): PlanRequest => ({
  app: 'hello',
  digest: DIGEST_A,
  version: '1.0.0',
  min: 1,
  max: 3,
  strategy: 'blue_green',
  nutrients: { cpuMilli: 100, memoryMb: 64 },
  ...over,
});

export const slotReport = (over: Partial<SlotReport> = {}): SlotReport => ({
  app: 'hello',
  node: 'node-1',
  ordinal: 0,
  generation: 1,
  state: 'serving',
  reason: null,
  restarts: 0,
  updatedAtMs: 0,
  ...over,
});

export const endpointOf = (
  { instance, app, node, generation }: InstanceRecord,
  over: Partial<Endpoint> = {},
): Endpoint => ({
  app,
  url: 'http://127.0.0.1:4001',
  node,
  instance,
  generation,
  expiresAtMs: Date.UTC(2026, 0, 1) + 10_000,
  ...over,
});

/** Records instances of these ids and gives them endpoints. */
export async function serve({ fabric }: FabricWorld, ...ids: string[]): Promise<void> {
  for (const instance of ids) {
    const record = instanceRecord({ instance, role: 'active' });
    await fabric.recordInstance(record);
    await fabric.switchEndpoints([endpointOf(record)], []);
  }
}
