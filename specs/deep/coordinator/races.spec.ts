import { describe, expect, it } from 'vitest';
import type { History } from '../../../actors/coordinator/ports/history.ts';
import { recoverByUser } from '../../../actors/coordinator/recover-state.ts';
import { historyError } from '../../../machines/coordinator/history-errors.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import {
  CoordinatorWorld,
  SEED_OWNER_SPKI,
  manifestBytes,
} from '../../support/coordinator/coordinator-world.ts';
import type { Member } from '../../support/coordinator/coordinator-world.ts';
import { createMemoryHistory } from '../../support/coordinator/memory-history.ts';
import { faulty } from '../../support/faulty.ts';

const COORDINATORS = 10;

/** Ten Coordinators whose calls of the history take up to `delayMsMax`, in an order of the seed's. */
async function tenCoordinators(seed: number): Promise<CoordinatorWorld> {
  const world = new CoordinatorWorld(seed);
  const error = (method: string): Error =>
    historyError('MESH_ERR_HISTORY_UNAVAILABLE', `${method} was made to fail.`);
  for (let index = 0; index < COORDINATORS; index++) {
    const { port } = faulty<History>(createMemoryHistory(world.disk), {
      seed: seed * 100 + index,
      clock: world.clock,
      methods: { '*': { delayMsMax: 50 }, watch: {} },
      error,
    });
    await world.add({ history: port });
  }
  await world.advance(1_000);
  return world;
}

/** What each of them got: a generation, or a code. */
const raced = (world: CoordinatorWorld, set: (member: Member, index: number) => Promise<unknown>) =>
  world.until(
    Promise.all(
      world.members.map((member, index) =>
        set(member, index).then(
          () => 'set',
          (error: unknown) => codeOf(error) ?? String(error),
        ),
      ),
    ),
  );

const CONFLICT = 'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT';
const isLate = (result: string): boolean => result === 'MESH_ERR_COORDINATOR_NEEDS_RECOVERY';
const count = (results: readonly string[], of: string): number =>
  results.filter((one) => one === of).length;

describe.each([1, 2, 3, 4, 5])('ten Coordinators on one history, seed %i,', (seed) => {
  it.each([
    ['different', (index: number) => manifestBytes({ trustDomain: `mesh-${index}.local` })],
    ['the same', () => manifestBytes()],
  ])('set %s first manifests: one wins, the others recover from it', async (_, manifestOf) => {
    await using world = await tenCoordinators(seed);
    expect(new Set(world.statuses())).toEqual(new Set(['empty']));
    const results = await raced(world, (member, index) =>
      member.set({ manifest: manifestOf(index) }),
    );
    expect(count(results, 'set')).toBe(1);
    // Whoever was so slow that it saw the winner's transition first needs recovery instead.
    expect(new Set(results)).toEqual(new Set(['set', CONFLICT, ...results.filter(isLate)]));
    const winner = world.members[results.indexOf('set')];
    await world.advance(1_000);
    expect(count(world.statuses(), 'ready')).toBe(1);
    expect(count(world.statuses(), 'recovering')).toBe(COORDINATORS - 1);
    expect(winner?.status).toBe('ready');
    await world.advance(20_000);
    expect(world.statuses()).toEqual(world.members.map(() => 'ready'));
    const states = world.members.map(({ ports }) => ports.cell.take());
    const meshKeys = new Set(
      states.map(({ meshKey }) => Buffer.from(meshKey.reveal()).toString('hex')),
    );
    expect(meshKeys.size).toBe(1);
    expect(new Set(states.map(({ record }) => record.signature)).size).toBe(1);
  });

  it('update at once: one wins, the others go stale and recover', async () => {
    await using world = await tenCoordinators(seed);
    const [first] = world.members;
    const { transition } = await world.until(first!.set());
    await world.advance(20_000);
    expect(world.statuses()).toEqual(world.members.map(() => 'ready'));
    const results = await raced(world, (member, index) =>
      member.set({
        previous: transition,
        manifest: manifestBytes({ trustDomain: `m${index}.local` }),
      }),
    );
    expect(count(results, 'set')).toBe(1);
    await world.advance(1_000);
    expect(count(world.statuses(), 'ready')).toBe(1);
    expect(count(world.statuses(), 'stale')).toBe(COORDINATORS - 1);
    await world.advance(20_000);
    expect(world.statuses()).toEqual(world.members.map(() => 'ready'));
    const generations = world.members.map(({ ports }) => ports.cell.take().generation);
    expect(generations).toEqual(world.members.map(() => 2));
  });
});

describe('Coordinators that hear late, or not at all,', () => {
  it('find a lost event by asking, within five seconds', async () => {
    await using world = new CoordinatorWorld();
    const first = await world.add();
    const deaf = await world.add({ history: createMemoryHistory(world.disk, { hears: false }) });
    const { transition } = await world.until(first.set());
    await world.advance(25_000);
    expect(deaf.status).toBe('ready');
    await world.until(first.set({ previous: transition, manifest: manifestBytes() }));
    expect(deaf.status).toBe('ready');
    await world.advance(5_000);
    expect(deaf.status).toBe('stale');
    await world.advance(20_000);
    expect([deaf.status, deaf.ports.cell.take().generation]).toEqual(['ready', 2]);
  });

  it('are not made stale by an ancestor that comes late', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    const { transition } = await world.until(member.set());
    const old = await member.ports.history.latest();
    await world.until(member.set({ previous: transition }));
    member.ports.cell.observe(old);
    await world.advance(0);
    expect(member.status).toBe('ready');
    expect(member.ports.cell.take().generation).toBe(2);
  });

  it('serve nothing while stale, and so hand no old state to a peer', async () => {
    await using world = new CoordinatorWorld();
    const [first, second] = [await world.add(), await world.add()];
    const { transition } = await world.until(first.set());
    await world.advance(20_000);
    await world.until(second.set({ previous: transition }));
    await world.advance(0);
    expect(first.status).toBe('stale');
    expect(() => first.serve({ identity: first.identity, isHardware: false })).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_NEEDS_RECOVERY' }),
    );
  });
});

describe('three Coordinators, one of which lags,', () => {
  it('bring it from generation 1 to 3 in one recovery', async () => {
    await using world = new CoordinatorWorld();
    const [a, b] = [await world.add(), await world.add()];
    const lagging = await world.add({ history: createMemoryHistory(world.disk, { hears: false }) });
    let { transition } = await world.until(a.set());
    await world.advance(20_000);
    ({ transition } = await world.until(a.set({ previous: transition })));
    ({ transition } = await world.until(a.set({ previous: transition })));
    expect([a.status, b.status, lagging.status]).toEqual(['ready', 'stale', 'ready']);
    await world.advance(25_000);
    expect(world.statuses()).toEqual(['ready', 'ready', 'ready']);
    expect(lagging.ports.cell.take().record.transition).toBe(transition);
    const users = recoverByUser(
      lagging.ports,
      { ...lagging.ports.cell.take().engine, callerKey: SEED_OWNER_SPKI, isForced: true },
      new AbortController().signal,
    );
    await expect(users).rejects.toMatchObject({ code: 'MESH_ERR_COORDINATOR_RECOVERY_NEEDLESS' });
  });
});
