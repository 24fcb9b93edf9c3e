import { describe, expect, it } from 'vitest';
import type { History } from '../../../actors/coordinator/ports/history.ts';
import { confirmShares } from '../../../actors/coordinator/seed-shares.ts';
import { getManifests } from '../../../actors/coordinator/serve-requests.ts';
import { setManifest } from '../../../actors/coordinator/set-manifest.ts';
import { historyError } from '../../../machines/coordinator/history-errors.ts';
import {
  CoordinatorWorld,
  STRANGER_KEY,
  manifestBytes,
  manifestSource,
  setRequest,
} from '../../support/coordinator/coordinator-world.ts';
import { createMemoryHistory, sha256 } from '../../support/coordinator/memory-history.ts';
import { openShare } from '../../support/coordinator/shares.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A Coordinator with its first manifest. */
async function setUp() {
  const world = new CoordinatorWorld();
  const member = await world.add();
  const request = setRequest();
  const response = await world.until(setManifest(member.ports, request));
  return { world, member, request, response };
}

describe('setManifest, for the first time,', () => {
  it('trusts whoever comes, and answers a share that opens to the seed', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    expect(() => member.ports.cell.take()).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_NO_MANIFEST' }),
    );
    const response = await world.until(member.set({ callerKey: null }));
    expect(response.generation).toBe(1);
    const { engine, record } = member.ports.cell.take();
    expect(response.transition).toBe(record.transition);
    const { seed, salt } = openShare(response.shares[0]);
    expect(Buffer.from(seed.reveal()).equals(engine.seed.reveal())).toBe(true);
    expect(Buffer.from(salt.reveal()).equals(engine.salt.reveal())).toBe(true);
  });

  it('answers the same to the same request until the shares are confirmed', async () => {
    const { world, member, request, response } = await setUp();
    await using _ = world;
    expect(await setManifest(member.ports, request)).toEqual(response);
    const other = setRequest();
    await expect(setManifest(member.ports, other)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT',
    });
    await confirmShares(member.ports, request);
    await confirmShares(member.ports, request);
    await expect(setManifest(member.ports, request)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT',
    });
    expect(await member.ports.history.deliveries()).toEqual([]);
  });

  it('answers it also from a Coordinator without memory, and after later manifests', async () => {
    const { world, member, request, response } = await setUp();
    await using _ = world;
    await world.until(member.set({ previous: response.transition }));
    const other = await world.restart(member);
    expect(other.status).toBe('recovering');
    expect(await setManifest(other.ports, request)).toEqual(response);
  });

  it('refuses malformed shares that were kept', async () => {
    const { world, member, request } = await setUp();
    await using _ = world;
    await member.ports.history.keepDelivery(sha256(text('x')), text('{"request":1}'));
    await expect(setManifest(member.ports, request)).rejects.toMatchObject({
      code: 'MESH_ERR_HISTORY_CORRUPT',
    });
  });

  it.each(['', 'zz'.repeat(20), 'ab', 'ab'.repeat(65)])(
    'refuses the idempotency key %j',
    async (idempotencyKey) => {
      await using world = new CoordinatorWorld();
      const member = await world.add();
      await expect(member.set({ idempotencyKey })).rejects.toMatchObject({
        code: 'MESH_ERR_COORDINATOR_IDEMPOTENCY_KEY',
      });
    },
  );
});

describe('setManifest, again,', () => {
  it('replaces manifest and mesh key, keeps seed and root, and gives no shares', async () => {
    const { world, member, response } = await setUp();
    await using _ = world;
    const before = member.ports.cell.take();
    const next = await world.until(member.set({ previous: response.transition }));
    const after = member.ports.cell.take();
    expect(next).toMatchObject({ generation: 2, shares: [] });
    expect(after.engine).toBe(before.engine);
    expect(after.meshKey).not.toBe(before.meshKey);
    expect(after.chain).toEqual([response.transition, next.transition]);
    const { manifests, transitions } = await getManifests(member.ports);
    expect(transitions).toEqual(after.chain);
    expect(manifests.map((one) => Buffer.from(one).toString())).toEqual(
      [1, 2].map(() => Buffer.from(manifestBytes()).toString()),
    );
  });

  it('answers a repetition as it answered, and sets nothing', async () => {
    const { world, member, response } = await setUp();
    await using _ = world;
    const request = setRequest({ previous: response.transition });
    const first = await world.until(setManifest(member.ports, request));
    expect(await setManifest(member.ports, request)).toEqual(first);
    expect(member.ports.cell.take().generation).toBe(2);
    const stranger = { ...request, callerKey: STRANGER_KEY };
    await expect(setManifest(member.ports, stranger)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_NOT_OWNER',
    });
  });

  it('needs an owner of the manifest in force, not of the one that is set', async () => {
    const { world, member, response } = await setUp();
    await using _ = world;
    const previous = response.transition;
    const manifest = manifestBytes({ workloadOwnerKeyDigests: [sha256(STRANGER_KEY)] });
    for (const callerKey of [null, STRANGER_KEY])
      await expect(member.set({ previous, manifest, callerKey })).rejects.toMatchObject({
        code: 'MESH_ERR_COORDINATOR_NOT_OWNER',
      });
    expect(member.ports.cell.take().generation).toBe(1);
    const next = await world.until(member.set({ previous, manifest }));
    await expect(member.set({ previous: next.transition })).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_NOT_OWNER',
    });
  });

  it('is never possible where no owner is named', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    const manifest = manifestBytes({ workloadOwnerKeyDigests: [] });
    const { transition } = await world.until(member.set({ manifest }));
    await expect(member.set({ previous: transition })).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_NOT_OWNER',
    });
  });

  it('needs the latest transition as the previous one', async () => {
    const { world, member, response } = await setUp();
    await using _ = world;
    await world.until(member.set({ previous: response.transition }));
    for (const previous of [null, sha256(text('elsewhere'))])
      await expect(
        member.set({ previous, manifest: manifestBytes({ trustDomain: 'other.local' }) }),
      ).rejects.toMatchObject({ code: 'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT' });
  });
});

describe('setManifest refuses, and changes nothing:', () => {
  const policies = manifestSource().policies;
  const [identity = '', policy] = Object.entries(policies)[0] ?? [];
  const withPolicy = (fields: object) => ({ policies: { [identity]: { ...policy, ...fields } } });
  it.each([
    ['no JSON', text('{'), 'strict JSON'],
    ['a key twice', text('{"kind":1,"kind":1}'), 'strict JSON'],
    ['bytes that are no UTF-8', Uint8Array.of(0xff), 'strict JSON'],
    ['an unknown field', manifestBytes({ extra: 1 }), 'extra'],
    ['another version', manifestBytes({ version: 2 }), 'version'],
    ['no policies', manifestBytes({ policies: {} }), 'has no policy'],
    ['a policy without SAN', manifestBytes(withPolicy({ san: [] })), 'no subject alternative name'],
    ['a wildcard', manifestBytes(withPolicy({ san: ['*.local'] })), 'host name nor an address'],
    ['a URI as SAN', manifestBytes(withPolicy({ san: ['spiffe://a/b'] })), 'host name nor an'],
    ['half an address', manifestBytes(withPolicy({ san: ['10.0.0'] })), 'host name nor an address'],
    ['a SAN twice', manifestBytes(withPolicy({ san: ['a', 'a'] })), 'names one twice'],
    ['another role', manifestBytes(withPolicy({ role: 'root' })), 'role'],
    ['no seed owner', manifestBytes({ seedShareOwnerKeys: [] }), 'seedShareOwnerKeys'],
    [
      'a seed owner whose key is none',
      manifestBytes({ seedShareOwnerKeys: [Buffer.alloc(300).toString('base64')] }),
      'no RSA key',
    ],
    [
      'hardware required beside process evidence',
      manifestBytes({
        referenceValues: { ...manifestSource().referenceValues, hardware: 'required' },
      }),
      'names process evidence',
    ],
    ['no evidence', manifestBytes({ referenceValues: { hardware: 'optional' } }), 'no evidence'],
    ['a quarter of a MiB', new Uint8Array(256 * 1024 + 1), '262145 bytes'],
  ])('%s', async (_, manifest, found) => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    await expect(member.set({ manifest })).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
      message: expect.stringContaining(found) as string,
    });
    expect(await member.ports.history.latest()).toBeNull();
    expect(member.status).toBe('empty');
  });

  it('a policy that the manifest does not name, or that is too long', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    for (const policy of [text('nobody named it'), new Uint8Array(256 * 1024 + 1)])
      await expect(member.set({ policies: [policy] })).rejects.toMatchObject({
        code: 'MESH_ERR_COORDINATOR_MANIFEST_INVALID',
      });
    const named = text('allow all');
    const own = { [sha256(named)]: { name: 'a', role: 'workload', san: ['a'] } };
    await world.until(
      member.set({ policies: [named], manifest: manifestBytes({ policies: own }) }),
    );
    expect(await member.ports.history.get('policies', sha256(named))).toEqual(named);
  });
});

describe('setManifest, when the answer of the history is lost,', () => {
  const lost = (history: History, isDone: boolean, isReadable = true): History => ({
    ...history,
    compareAndSwap: async (expected, next) => {
      if (isDone) await history.compareAndSwap(expected, next);
      const cause = historyError('MESH_ERR_HISTORY_UNAVAILABLE', 'The answer was lost.');
      return { type: 'unavailable', cause };
    },
    latest: async () => {
      if (isReadable) return history.latest();
      throw historyError('MESH_ERR_HISTORY_UNAVAILABLE', 'It cannot be read either.');
    },
  });

  it('looks, and has succeeded where it is done', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    const ports = { ...member.ports, history: lost(member.ports.history, true) };
    await world.until(setManifest(ports, setRequest()));
    expect(member.status).toBe('ready');
  });

  it('does not know where it is not done yet, keeps the shares, and adopts it if it comes', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    const request = setRequest();
    const ports = { ...member.ports, history: lost(member.ports.history, false) };
    await expect(setManifest(ports, request)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
      retryable: true,
    });
    expect(member.status).toBe('empty');
    expect(await member.ports.history.deliveries()).toHaveLength(1);
    await world.until(setManifest(member.ports, request));
    expect(member.status).toBe('ready');
  });

  it('is adopted by the watch where it was done and could not be read', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    const request = setRequest();
    const ports = { ...member.ports, history: lost(member.ports.history, true, false) };
    await expect(setManifest(ports, request)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
    });
    await world.advance(5_000);
    expect(member.status).toBe('ready');
    const { shares } = await world.until(setManifest(member.ports, request));
    expect(openShare(shares[0]).seed.length).toBe(64);
  });

  it('takes up the attempt that was done, whose keys are nowhere else, when repeated', async () => {
    await using world = new CoordinatorWorld();
    const deaf = createMemoryHistory(world.disk, { hears: false });
    const member = await world.add({ history: deaf });
    const { transition } = await world.until(member.set());
    const request = setRequest({ previous: transition });
    const ports = { ...member.ports, history: lost(deaf, true, false) };
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(setManifest(ports, request)).rejects.toMatchObject({
        code: 'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
      });
    expect((await world.until(setManifest(member.ports, request))).generation).toBe(2);
    expect(member.ports.cell.take().record).toEqual(await deaf.latest());
  });

  it('is set although the floor cannot be raised, which the watch makes good', async () => {
    await using world = new CoordinatorWorld();
    const member = await world.add();
    const floor = {
      ...member.floor,
      raise: () => Promise.reject(historyError('MESH_ERR_HISTORY_UNAVAILABLE', 'It is full.')),
    };
    const { transition } = await world.until(setManifest({ ...member.ports, floor }, setRequest()));
    expect(world.notices.map(({ what }) => what)).toEqual(['raising the generation floor']);
    await world.advance(5_000);
    expect(await member.floor.read()).toEqual({ generation: 1, transition });
  });
});
