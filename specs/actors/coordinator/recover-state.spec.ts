import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { recoverByUser, recoverFromPeer } from '../../../actors/coordinator/recover-state.ts';
import { lookAtHistory } from '../../../actors/coordinator/read-history.ts';
import { issueMeshCert } from '../../../actors/coordinator/serve-requests.ts';
import { Secret } from '../../../actors/coordinator/secret.ts';
import { encodeLatest } from '../../../machines/coordinator/transition.ts';
import type { RecoverResponse } from '../../../actors/coordinator/ports/peers.ts';
import { nodeKeyring } from '../../../runtime/coordinator/keyring.ts';
import {
  COORDINATOR_IDENTITY,
  CoordinatorWorld,
  OWNER_KEY,
  SEED_OWNER_SPKI,
  WORKLOAD_IDENTITY,
  manifestBytes,
  setRequest,
} from '../../support/coordinator/coordinator-world.ts';
import type { Member } from '../../support/coordinator/coordinator-world.ts';
import { openShare } from '../../support/coordinator/shares.ts';

const { signal } = new AbortController();

/** A ready Coordinator, and one that is recovering. */
async function setUp() {
  const world = new CoordinatorWorld();
  const peer = await world.add();
  const { shares, transition } = await world.until(peer.set());
  const member = await world.add();
  const recover = () => world.until(recoverFromPeer(member.ports, peer.name, signal));
  return { world, peer, member, recover, transition, user: openShare(shares[0]) };
}

/** A leaf of that Coordinator, for a new key. */
function leafOf({ ports }: Member): X509Certificate {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { response } = issueMeshCert(
    ports.cell.take(),
    { identity: WORKLOAD_IDENTITY, isHardware: false },
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  return new X509Certificate(response.certificateChain[0] ?? '');
}
const isIssuedBy = (leaf: X509Certificate, der: Uint8Array): boolean => {
  const issuer = new X509Certificate(der);
  return leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
};

describe('recoverFromPeer', () => {
  it('takes over seed, mesh key and workload secrets, so old leaves still verify', async () => {
    const { world, peer, member, recover, transition } = await setUp();
    await using _ = world;
    const leaf = leafOf(peer);
    expect(await recover()).toEqual({ transition, generation: 1 });
    await world.advance(0);
    expect(member.status).toBe('ready');
    const { authority, engine } = member.ports.cell.take();
    expect(isIssuedBy(leaf, authority.meshCertificate)).toBe(true);
    expect(isIssuedBy(leafOf(member), peer.ports.cell.take().authority.meshCertificate)).toBe(true);
    const secretOf = (of: typeof engine) => Buffer.from(of.workloadSecret('hello').reveal());
    expect(secretOf(engine)).toEqual(secretOf(peer.ports.cell.take().engine));
    expect(await member.floor.read()).toEqual({ transition, generation: 1 });
  });

  const other = nodeKeyring.createSeed();
  it.each<[string, (response: RecoverResponse) => RecoverResponse, string]>([
    ['another seed', (one) => ({ ...one, seed: other.seed, salt: other.salt }), 'WRONG_SEED'],
    ['another salt', (one) => ({ ...one, salt: other.salt }), 'WRONG_SEED'],
    ['half a seed', (one) => ({ ...one, seed: new Secret(new Uint8Array(32)) }), 'SEED_MALFORMED'],
    ['a mesh key that is none', (one) => ({ ...one, meshKey: one.seed }), 'PEER_REFUSED'],
    ['another generation', (one) => ({ ...one, generation: 2 }), 'STATE_CHANGED'],
  ])('refuses %s and leaves memory as it was', async (_, tamper, reason) => {
    const { world, member, recover } = await setUp();
    await using _world = world;
    world.tamper = tamper;
    await expect(recover()).rejects.toMatchObject({ code: `MESH_ERR_COORDINATOR_${reason}` });
    expect(member.ports.cell.held).toBeNull();
    expect(await member.floor.read()).toBeNull();
  });

  it('refuses a peer that serves an older transition than the history has', async () => {
    const { world, peer, member, recover, transition } = await setUp();
    await using _ = world;
    const old = peer.serve({ identity: COORDINATOR_IDENTITY, isHardware: false });
    await world.until(peer.set({ previous: transition }));
    world.tamper = () => old;
    await expect(recover()).rejects.toMatchObject({ code: 'MESH_ERR_COORDINATOR_STATE_CHANGED' });
    expect(member.ports.cell.held).toBeNull();
  });

  it('refuses a state that moves on while the peer answers', async () => {
    const { world, peer, member, transition } = await setUp();
    await using _ = world;
    const transport: Member['ports']['transport'] = {
      recover: async (name, appraisal, signal) => {
        const response = await member.ports.transport.recover(name, appraisal, signal);
        await peer.set({ previous: transition });
        return response;
      },
    };
    const recovering = recoverFromPeer({ ...member.ports, transport }, peer.name, signal);
    await expect(world.until(recovering)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_STATE_CHANGED',
    });
    expect(member.ports.cell.held).toBeNull();
  });

  it('neither asks nor answers who is no coordinator by the manifest', async () => {
    const { world, peer, member, recover } = await setUp();
    await using _ = world;
    for (const identity of [WORKLOAD_IDENTITY, 'ee'.repeat(32), '__proto__'])
      expect(() => peer.serve({ identity, isHardware: true })).toThrow(
        expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_NOT_AUTHORISED' }),
      );
    const impostor = await world.add({ name: 'impostor', identity: WORKLOAD_IDENTITY });
    const asking = recoverFromPeer(member.ports, impostor.name, signal);
    await expect(asking).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_PEER_REFUSED',
      cause: { code: 'MESH_ERR_COORDINATOR_NOT_AUTHORISED' },
    });
    world.members.splice(world.members.indexOf(peer), 1);
    await expect(recover()).rejects.toMatchObject({ code: 'MESH_ERR_COORDINATOR_PEER_REFUSED' });
    world.members.push(peer);
  });

  it('refuses evidence of software where the manifest requires hardware', async () => {
    await using world = new CoordinatorWorld();
    const peer = await world.add();
    const mrs = '00'.repeat(48);
    const tdx = [
      { mrTd: mrs, rtMrs: [mrs, mrs, mrs, mrs], xfam: '00'.repeat(8), tcbStatuses: ['UpToDate'] },
    ];
    const manifest = manifestBytes({ referenceValues: { tdx, hardware: 'required' } });
    await world.until(peer.set({ manifest }));
    const serve = (isHardware: boolean) =>
      peer.serve({ identity: COORDINATOR_IDENTITY, isHardware }).generation;
    expect(() => serve(false)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_NOT_AUTHORISED' }),
    );
    expect(serve(true)).toBe(1);
    const software = { identity: WORKLOAD_IDENTITY, isHardware: false };
    expect(() => issueMeshCert(peer.ports.cell.take(), software, OWNER_KEY)).toThrow(
      expect.objectContaining({ code: 'MESH_ERR_COORDINATOR_NOT_AUTHORISED' }),
    );
  });
});

describe('recoverByUser', () => {
  const asUser = { callerKey: SEED_OWNER_SPKI, isForced: false };

  it('rotates the mesh key: old leaves verify by their chain to the root only', async () => {
    const { world, peer, user, transition } = await setUp();
    await using _ = world;
    const leaf = leafOf(peer);
    const before = peer.ports.cell.take().authority;
    while (world.members[0]) await world.kill(world.members[0]);
    const member = await world.add();
    expect(member.status).toBe('recovering');
    const state = await recoverByUser(member.ports, { ...user, ...asUser }, signal);
    expect(state).toEqual({ transition, generation: 1 });
    await world.advance(0);
    const { authority } = member.ports.cell.take();
    expect(isIssuedBy(leaf, authority.meshCertificate)).toBe(false);
    expect(isIssuedBy(leaf, before.intermediateCertificate)).toBe(true);
    const intermediate = new X509Certificate(before.intermediateCertificate);
    expect(isIssuedBy(intermediate, authority.rootCertificate)).toBe(true);
  });

  it('is refused while a peer is ready, unless forced', async () => {
    const { world, member, user } = await setUp();
    await using _ = world;
    const recover = (isForced: boolean) =>
      recoverByUser(member.ports, { ...user, ...asUser, isForced }, signal);
    await expect(recover(false)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_PEER_AVAILABLE',
    });
    expect((await recover(true)).generation).toBe(1);
  });

  it('needs the key of a seed owner, a seed of its length, and the right one', async () => {
    const { world, peer, member, user } = await setUp();
    await using _ = world;
    await world.kill(peer);
    const wrong = nodeKeyring.createSeed();
    const short = new Secret(user.seed.reveal().subarray(1));
    const recover = (one: object) =>
      recoverByUser(member.ports, { ...user, ...asUser, ...one }, signal);
    for (const callerKey of [null, OWNER_KEY, new Uint8Array()])
      await expect(recover({ callerKey })).rejects.toMatchObject({
        code: 'MESH_ERR_COORDINATOR_NOT_SEED_OWNER',
      });
    await expect(recover({ seed: short })).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_SEED_MALFORMED',
    });
    await expect(recover({ salt: short })).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_SEED_MALFORMED',
    });
    await expect(recover({ seed: wrong.seed })).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_WRONG_SEED',
    });
    expect(member.ports.cell.held).toBeNull();
  });

  it('is needless for a Coordinator that is ready or empty', async () => {
    const { world, peer, user } = await setUp();
    await using _ = world;
    await using fresh = new CoordinatorWorld();
    for (const { ports } of [peer, await fresh.add()])
      await expect(
        recoverByUser(ports, { ...user, ...asUser, isForced: true }, signal),
      ).rejects.toMatchObject({ code: 'MESH_ERR_COORDINATOR_RECOVERY_NEEDLESS' });
  });
});

describe('a history that was tampered with', () => {
  it('is corrupt where a transition or a manifest has other bytes, or is gone', async () => {
    for (const kind of ['transitions', 'manifests'])
      for (const damage of ['changed', 'gone']) {
        const { world, member, recover } = await setUp();
        await using _ = world;
        const key = [...world.disk.content.keys()].find((one) => one.startsWith(kind)) ?? '';
        if (damage === 'gone') world.disk.content.delete(key);
        else world.disk.content.set(key, new Uint8Array(64));
        await expect(recover()).rejects.toMatchObject({
          code: `MESH_ERR_HISTORY_${damage === 'gone' ? 'MISSING' : 'CORRUPT'}`,
        });
        expect(member.ports.cell.held).toBeNull();
      }
  });

  it('has a wrong seed where the signature of its latest transition was changed', async () => {
    const { world, member, recover } = await setUp();
    await using _ = world;
    const latest = world.disk.latest ?? new Uint8Array();
    world.disk.latest = Uint8Array.from(latest, (byte, at) => (at === 100 ? byte ^ 1 : byte));
    await expect(recover()).rejects.toMatchObject({ code: 'MESH_ERR_COORDINATOR_WRONG_SEED' });
    expect(member.ports.cell.held).toBeNull();
  });

  it('is rolled back where it is older than the floor, or another one, or empty', async () => {
    const { world, peer, transition } = await setUp();
    await using _ = world;
    const old = world.disk.latest;
    await world.until(peer.set({ previous: transition }));
    const stranger = nodeKeyring.createSeed().sign(transition);
    for (const latest of [old, encodeLatest(stranger), null]) {
      world.disk.latest = latest;
      const again = await world.add({ name: 'again', floor: peer.floor });
      expect(again.status).toBe('storeUnavailable');
      await expect(lookAtHistory(again.ports)).rejects.toMatchObject({
        code: 'MESH_ERR_HISTORY_ROLLED_BACK',
      });
      await expect(again.set()).rejects.toMatchObject({
        code: 'MESH_ERR_COORDINATOR_STORE_UNAVAILABLE',
      });
      await world.kill(again);
    }
    // What is in memory is newer than what is stored, so it is served.
    await world.advance(10_000);
    expect(peer.status).toBe('ready');
    expect(peer.ports.cell.take().generation).toBe(2);
  });

  it('with more than a record makes it stale: nobody can say what it is', async () => {
    const { world, peer } = await setUp();
    await using _ = world;
    const unknown = nodeKeyring.createSeed().sign(nodeKeyring.digest(new Uint8Array()));
    world.disk.latest = encodeLatest(unknown);
    await world.advance(5_000);
    expect(peer.status).toBe('stale');
    await expect(peer.set(setRequest())).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_NEEDS_RECOVERY',
    });
  });
});
