/**
 * The process dies in every call of every port, before and after the call is done: of SetManifest,
 * first and later, and of ResetState. What is left is always the old state or the new one, whole,
 * and a way on.
 */
import { describe, expect, it } from 'vitest';
import { recoverByUser, recoverFromPeer } from '../../../actors/coordinator/recover-state.ts';
import { setManifest } from '../../../actors/coordinator/set-manifest.ts';
import type { SetManifestRequest } from '../../../actors/coordinator/set-manifest.ts';
import type { CoordinatorPorts } from '../../../actors/coordinator/ports/services.ts';
import {
  CoordinatorWorld,
  SEED_OWNER_SPKI,
  manifestBytes,
  setRequest,
} from '../../support/coordinator/coordinator-world.ts';
import type { Member } from '../../support/coordinator/coordinator-world.ts';
import { crashAt } from '../../support/coordinator/crashing.ts';
import type { Crash, Moment } from '../../support/coordinator/crashing.ts';
import { createMemoryHistory } from '../../support/coordinator/memory-history.ts';
import { openShare } from '../../support/coordinator/shares.ts';

const MOMENTS: readonly Moment[] = ['before', 'after'];
/** More than any of the services makes. */
const CALLS_MAX = 60;
const { signal } = new AbortController();

/** The ports of a process that dies; its actors' own are not counted. */
const dying = (ports: CoordinatorPorts, { wrap }: Crash): CoordinatorPorts => ({
  ...ports,
  history: wrap(ports.history),
  floor: wrap(ports.floor),
  transport: wrap(ports.transport),
  directory: wrap(ports.directory),
});

/** Runs `act` until it dies or ends. */
async function runUntilDeath(world: CoordinatorWorld, crash: Crash, act: () => Promise<unknown>) {
  return world.until(
    Promise.race([act().then(() => 'ended' as const), crash.died.then(() => 'died' as const)]),
  );
}

/** Recovers as an operator does, with the shares that a repeated request gives. */
async function recoverWithShares(
  world: CoordinatorWorld,
  member: Member,
  request: SetManifestRequest,
): Promise<void> {
  const { shares } = await world.until(setManifest(member.ports, request));
  const user = { ...openShare(shares[0]), callerKey: SEED_OWNER_SPKI, isForced: false };
  await world.until(recoverByUser(member.ports, user, signal));
}

/** For every number of calls up to the last, what `act` leaves behind is looked at. */
async function atEveryCall(
  moment: Moment,
  act: (crash: Crash) => Promise<'ended' | 'died'>,
): Promise<number> {
  for (let number = 1; number <= CALLS_MAX; number++)
    if ((await act(crashAt(number, moment))) === 'ended') return number - 1;
  throw new Error(`It made over ${CALLS_MAX} calls.`);
}

describe.each(MOMENTS)('a Coordinator that dies %s a call is done', (moment) => {
  it('of its first SetManifest leaves nothing, or a state and its shares', async () => {
    let isSet = 0;
    const steps = await atEveryCall(moment, async (crash) => {
      await using world = new CoordinatorWorld();
      const request = setRequest({
        manifest: manifestBytes({ trustDomain: 'bytes.local' }),
      });
      const member = await world.add();
      const end = await runUntilDeath(world, crash, () =>
        setManifest(dying(member.ports, crash), request),
      );
      const latest = await createMemoryHistory(world.disk).latest();
      const again = await world.restart(member);
      expect(again.status).toBe(latest === null ? 'empty' : 'recovering');
      if (latest === null) await world.until(setManifest(again.ports, request));
      else await recoverWithShares(world, again, request);
      await world.advance(0);
      expect(again.status).toBe('ready');
      expect(again.ports.cell.take().manifest.trustDomain).toBe('bytes.local');
      isSet += latest === null ? 0 : 1;
      return end;
    });
    expect(steps).toBe(8);
    expect(isSet).toBeGreaterThan(1);
  });

  it('of a later SetManifest leaves the old state or the new one', async () => {
    const found = new Set<number>();
    await atEveryCall(moment, async (crash) => {
      await using world = new CoordinatorWorld();
      const [member, peer] = [await world.add(), await world.add()];
      const first = setRequest();
      const { transition } = await world.until(setManifest(member.ports, first));
      await world.advance(20_000);
      const request = setRequest({ previous: transition });
      const end = await runUntilDeath(world, crash, () =>
        setManifest(dying(member.ports, crash), request),
      );
      const again = await world.restart(member);
      await world.advance(25_000);
      // Only a Coordinator that died has the mesh key of the new state; the old one is at a peer.
      if (again.status !== 'ready') {
        expect([peer.status, again.status]).toEqual(['stale', 'recovering']);
        await recoverWithShares(world, again, first);
        await world.advance(20_000);
      }
      expect(world.statuses()).toEqual(['ready', 'ready']);
      const states = [again, peer].map(({ ports }) => ports.cell.take());
      expect(states[0]?.record).toEqual(states[1]?.record);
      const { generation } = again.ports.cell.take();
      found.add(generation);
      if (generation === 1) await world.until(setManifest(again.ports, request));
      await world.advance(0);
      expect(again.ports.cell.take().generation).toBe(2);
      return end;
    });
    expect([...found].toSorted()).toEqual([1, 2]);
  });

  it('of ResetState from a peer leaves what was in memory', async () => {
    const steps = await atEveryCall(moment, async (crash) => {
      await using world = new CoordinatorWorld();
      const [member, peer] = [await world.add(), await world.add()];
      const { transition } = await world.until(member.set());
      await world.advance(20_000);
      await world.until(peer.set({ previous: transition }));
      await world.advance(0);
      expect(member.status).toBe('stale');
      const held = member.ports.cell.held;
      const end = await runUntilDeath(world, crash, () =>
        recoverFromPeer(dying(member.ports, crash), peer.name, signal),
      );
      if (end === 'died') expect(member.ports.cell.held).toBe(held);
      const again = await world.restart(member);
      await world.advance(20_000);
      expect(again.status).toBe('ready');
      expect(again.ports.cell.take().generation).toBe(2);
      return end;
    });
    expect(steps).toBeGreaterThan(8);
  });

  it('of ResetState by a user leaves nothing in memory, and can be repeated', async () => {
    const steps = await atEveryCall(moment, async (crash) => {
      await using world = new CoordinatorWorld();
      const first = await world.add();
      const request = setRequest();
      const { shares } = await world.until(setManifest(first.ports, request));
      const member = await world.restart(first);
      const user = { ...openShare(shares[0]), callerKey: SEED_OWNER_SPKI, isForced: false };
      const end = await runUntilDeath(world, crash, () =>
        recoverByUser(dying(member.ports, crash), user, signal),
      );
      if (end === 'died') expect(member.ports.cell.held).toBeNull();
      const again = await world.restart(member);
      await world.until(recoverByUser(again.ports, user, signal));
      await world.advance(0);
      expect(again.status).toBe('ready');
      return end;
    });
    expect(steps).toBeGreaterThan(6);
  });
});
