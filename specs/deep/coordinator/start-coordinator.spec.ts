import { COORDINATOR_IDENTITY } from '../../../machines/coordinator/identities.ts';
import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createValidator } from '../../../runtime/attest/validator.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { verifyLeaf } from '../../../runtime/x509/certificate-profile.ts';
import { connectUserApi } from '../../../runtime/rpc/client.ts';
import { pemOf } from '../../../runtime/attested-tls/tls-identity.ts';
import {
  CoordinatorFarm,
  OWNERS,
  WORKLOAD,
  manifestFor,
  meshApiOf,
  setFirst,
  setManifestAs,
  userApiOf,
} from '../../support/coordinator/real-coordinators.ts';
import { until } from '../../support/until.ts';

const keyOf = (der: Uint8Array): unknown =>
  new X509Certificate(der).publicKey.export({ type: 'spki', format: 'pem' });
const coded = (code: string) => expect.objectContaining({ code });

describe('startCoordinator', () => {
  it('listens without a manifest, and says what it waits for', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    expect(await coordinator.view()).toMatchObject({
      name: 'one',
      address: { host: '127.0.0.1', port: coordinator.port },
      state: 'empty',
      reason: 'No manifest is set.',
      generation: null,
      policies: [],
      policyCount: 0,
      owners: null,
      authority: null,
      peers: [],
    });
    await using client = await userApiOf(coordinator);
    await expect(client.userApi.getManifests({})).rejects.toEqual(
      coded('MESH_ERR_COORDINATOR_NO_MANIFEST'),
    );
    expect(await client.userApi.getStatus({})).toMatchObject({ name: 'one', state: 'empty' });
    expect(statSync(join(farm.folder, 'one', 'keys', 'node.key')).mode & 0o777).toBe(0o600);
  });

  it('takes a first manifest, proves itself, and certifies a workload', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    const { nodeKeys, transition, answer } = await setFirst(coordinator);
    expect(await coordinator.view()).toMatchObject({
      state: 'ready',
      reason: null,
      generation: 1,
      transition,
      manifests: [{ generation: 1, transition }],
    });
    await using owner = await userApiOf(coordinator);
    const { referenceValues } = manifestFor(nodeKeys);
    const validator = createValidator(referenceValues, { clock: systemClock });
    expect(await owner.attest(validator)).toMatchObject({ identity: COORDINATOR_IDENTITY });
    await using client = await meshApiOf(coordinator, nodeKeys);
    expect(client.peer.identity).toBe(COORDINATOR_IDENTITY);
    const { certChain, rootCaCert, workloadSecret } = await client.meshApi.newMeshCert({});
    const anchor = { certificate: rootCaCert, kind: 'root' } as const;
    expect(verifyLeaf(certChain, anchor, Date.now())).toMatchObject({
      spiffeId: 'spiffe://mesh.local/workload/hello',
    });
    expect(rootCaCert).toEqual(answer.rootCaCert);
    expect(workloadSecret).toHaveLength(32);
  });

  it('says whom the manifest in force lets in, to its owner and to any client', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    await setFirst(coordinator);
    const policies = [
      {
        identity: COORDINATOR_IDENTITY,
        name: 'coordinator',
        role: 'coordinator',
        spiffeId: 'spiffe://mesh.local/coordinator/coordinator',
        san: ['coordinator', '127.0.0.1'],
        nodeKeys: 1,
      },
      {
        identity: WORKLOAD,
        name: 'hello',
        role: 'workload',
        spiffeId: 'spiffe://mesh.local/workload/hello',
        san: ['hello.mesh.local', 'localhost', '127.0.0.1'],
        nodeKeys: null,
      },
    ];
    const owners = { workload: 1, seedShare: 1 };
    expect(await coordinator.view()).toMatchObject({ policies, policyCount: 2, owners });
    await using client = await userApiOf(coordinator);
    const status = await client.userApi.getStatus({});
    const told = status.policies.map(({ identity, ...policy }) => [
      Buffer.from(identity).toString('hex'),
      policy,
    ]);
    const { identity: first, ...ofCoordinator } = policies[0] ?? { identity: '' };
    const { identity: second, nodeKeys: _, ...ofHello } = policies[1] ?? { identity: '' };
    expect(told).toMatchObject([
      [first, ofCoordinator],
      [second, ofHello],
    ]);
    expect([status.policyCount, status.policies[1]?.nodeKeys]).toEqual([2, undefined]);
  });

  it('shows plain clients a certificate of its own mesh, from its first state on', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    const { answer } = await setFirst(coordinator);
    const { certificate } = await coordinator.view();
    expect(certificate?.spiffeId).toBe('spiffe://mesh.local/coordinator/coordinator');
    const { host, port } = coordinator;
    await using client = await connectUserApi({
      host,
      port,
      clock: systemClock,
      roots: pemOf(answer.rootCaCert),
    });
    expect((await client.userApi.getManifests({})).manifests).toHaveLength(1);
  });

  it('keeps its state and its port over a front that ends', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    const { transition } = await setFirst(coordinator);
    coordinator.tree.send('coordinator/front', { type: 'front.ended' });
    const incarnation = (): number =>
      coordinator.tree.describe().children.find(({ id }) => id === 'front')?.restarts ?? 0;
    await until(() => incarnation() === 1);
    await until(() => coordinator.tree.snapshotOf('coordinator/front')?.status === 'active');
    await expect
      .poll(() => coordinator.view(), { timeout: 5_000 })
      .toMatchObject({ address: { port: coordinator.port }, state: 'ready', transition });
    await using client = await userApiOf(coordinator);
    expect((await client.userApi.getManifests({})).manifests).toHaveLength(1);
  });

  it('needs an owner for the next manifest, and goes on with a new mesh key', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    const { nodeKeys, transition, answer } = await setFirst(coordinator);
    const next = manifestFor(nodeKeys, { trustDomain: 'other.local' });
    const as = { previous: transition };
    await expect(
      setManifestAs(coordinator, next, { ...as, identity: OWNERS.stranger }),
    ).rejects.toEqual(coded('MESH_ERR_COORDINATOR_NOT_OWNER'));
    const second = await setManifestAs(coordinator, next, as);
    expect(second.generation).toBe(2n);
    expect(keyOf(second.rootCaCert)).toBe(keyOf(answer.rootCaCert));
    expect(keyOf(second.meshCaCert)).not.toBe(keyOf(answer.meshCaCert));
  });

  it('drives each connection by an actor of its own, and keeps none that has ended', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    const { nodeKeys } = await setFirst(coordinator);
    const most: number[] = [];
    const actors = () => coordinator.tree.whichChildren('coordinator/connections').length;
    for (let round = 0; round < 5; round++)
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          await using client = await meshApiOf(coordinator, nodeKeys);
          most.push(actors());
          await client.meshApi.newMeshCert({});
        }),
      );
    expect(Math.max(...most)).toBeGreaterThan(1);
    await until(() => actors() === 0);
    await expect
      .poll(async () => (await coordinator.view()).connections)
      .toEqual({ pending: 0, open: 0, refused: 0 });
  });

  it('gives its seed to no node but those that the manifest names for Coordinators', async () => {
    await using farm = new CoordinatorFarm();
    const coordinator = await farm.start({ name: 'one' });
    const { nodeKeys } = await setFirst(coordinator);
    const refused = coded('MESH_ERR_COORDINATOR_NOT_AUTHORISED');
    await using posing = await meshApiOf(coordinator, nodeKeys, { spore: COORDINATOR_IDENTITY });
    await expect(posing.meshApi.recover({})).rejects.toEqual(refused);
    await expect(posing.meshApi.newMeshCert({})).rejects.toEqual(refused);
    await using workload = await meshApiOf(coordinator, nodeKeys);
    await expect(workload.meshApi.recover({})).rejects.toEqual(refused);
  });

  it('recovers from a peer that it finds beside the history', async () => {
    await using farm = new CoordinatorFarm();
    const first = await farm.start({ name: 'one' });
    const second = await farm.start({ name: 'two' });
    const { transition } = await setFirst(first, [second.nodeKey]);
    await expect
      .poll(() => second.view(), { timeout: 10_000 })
      .toMatchObject({ state: 'ready', transition });
    const { peers } = await second.view();
    expect(peers).toMatchObject([{ name: 'one', state: 'ready', isLive: true }]);
    await first.stop();
    await expect.poll(async () => (await second.view()).peers).toEqual([]);
  });

  it('recovers by the seed share of its owner, when no peer is there', async () => {
    await using farm = new CoordinatorFarm();
    const first = await farm.start({ name: 'one' });
    const { seed, salt, transition } = await setFirst(first);
    await first.stop();
    const again = await farm.start({ name: 'one' });
    await expect.poll(() => again.view()).toMatchObject({ state: 'recovering' });
    const request = { seed: seed.reveal(), salt: salt.reveal(), force: false };
    const copy = () => ({ ...request, seed: request.seed.slice(), salt: request.salt.slice() });
    await using stranger = await userApiOf(again, OWNERS.stranger);
    await expect(stranger.userApi.recover(copy())).rejects.toEqual(
      coded('MESH_ERR_COORDINATOR_NOT_SEED_OWNER'),
    );
    await using owner = await userApiOf(again, OWNERS.seedShare);
    const answer = await owner.userApi.recover(copy());
    expect(Buffer.from(answer.transitionHash).toString('hex')).toBe(transition);
    await expect.poll(() => again.view()).toMatchObject({ state: 'ready', transition });
  });
});
