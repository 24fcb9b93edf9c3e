/** A history that refuses calls and loses answers while several Coordinators set and recover. */
import { describe, expect, it } from 'vitest';
import type { History } from '../../../actors/coordinator/ports/history.ts';
import { setManifest } from '../../../actors/coordinator/set-manifest.ts';
import type { SetManifestResponse } from '../../../actors/coordinator/set-manifest.ts';
import { historyError } from '../../../machines/coordinator/history-errors.ts';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { CoordinatorWorld, setRequest } from '../../support/coordinator/coordinator-world.ts';
import type { Member } from '../../support/coordinator/coordinator-world.ts';
import { createMemoryHistory } from '../../support/coordinator/memory-history.ts';
import { openShare } from '../../support/coordinator/shares.ts';
import { faulty } from '../../support/faulty.ts';

const COORDINATORS = 4;
const GENERATIONS = 4;
const ATTEMPTS_MAX = 200;

const error = (method: string): Error =>
  historyError('MESH_ERR_HISTORY_UNAVAILABLE', `${method} was made to fail.`);

/** Its swaps answer `unavailable` where others reject, as the port says. */
const faultyHistory = (world: CoordinatorWorld, seed: number) => {
  // A recovery makes some twenty calls, and must get through now and then.
  const fault = { before: 0.03, after: 0.03, delayMsMax: 40 };
  const plan = { seed, clock: world.clock, methods: { '*': fault, watch: {} }, error };
  const faults = faulty<History>(createMemoryHistory(world.disk), plan);
  const history: History = {
    ...createMemoryHistory(world.disk),
    put: (kind, bytes) => faults.port.put(kind, bytes),
    get: (kind, digest) => faults.port.get(kind, digest),
    latest: () => faults.port.latest(),
    watch: (listener) => faults.port.watch(listener),
    keepDelivery: (id, bytes) => faults.port.keepDelivery(id, bytes),
    deliveries: () => faults.port.deliveries(),
    dropDelivery: (id) => faults.port.dropDelivery(id),
    compareAndSwap: async (expected, next) => {
      try {
        return await faults.port.compareAndSwap(expected, next);
      } catch (cause) {
        return { type: 'unavailable', cause };
      }
    },
  };
  return { history, faults };
};

/** A client that repeats the same request until it is answered. */
async function insist(
  world: CoordinatorWorld,
  member: Member,
  previous: SetManifestResponse['transition'] | null,
): Promise<SetManifestResponse> {
  const request = setRequest({ previous });
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++)
    try {
      return await world.until(setManifest(member.ports, request));
    } catch (refusal) {
      if (!(refusal instanceof CodedError) || !refusal.retryable) throw refusal;
      await world.advance(1_000);
    }
  throw new Error('It was never answered.');
}

describe.each([1, 2, 3, 4, 5, 6])('Coordinators on a faulty history, seed %i,', (seed) => {
  it('end with one chain, which all of them hold, and shares that open it', async () => {
    await using world = new CoordinatorWorld(seed);
    const faults = [];
    for (let index = 0; index < COORDINATORS; index++) {
      const one = faultyHistory(world, seed * 10 + index);
      faults.push(one.faults);
      await world.add({ history: one.history });
    }
    await world.advance(30_000);
    const answers: SetManifestResponse[] = [];
    for (let generation = 1; generation <= GENERATIONS; generation++) {
      const setter = world.members[(seed + generation) % COORDINATORS];
      if (!setter) throw new Error('There is no such member.');
      answers.push(await insist(world, setter, answers.at(-1)?.transition ?? null));
      await world.advance(60_000);
    }
    for (const one of faults) one.heal();
    await world.advance(60_000);
    expect(world.statuses()).toEqual(world.members.map(() => 'ready'));
    const chain = answers.map(({ transition }) => transition);
    const states = world.members.map(({ ports }) => ports.cell.take());
    for (const state of states) expect(state.chain).toEqual(chain);
    expect(
      new Set(states.map(({ meshKey }) => Buffer.from(meshKey.reveal()).toString())).size,
    ).toBe(1);
    const { seed: opened } = openShare(answers[0]?.shares[0]);
    for (const { engine } of states) expect(engine.seed.reveal()).toEqual(opened.reveal());
    expect(faults.flatMap(({ injected }) => injected).length).toBeGreaterThan(5);
  });
});
