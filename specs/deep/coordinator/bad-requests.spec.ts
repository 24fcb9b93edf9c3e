/** What a real Coordinator says to bad input: a code each, and its state is as before. */
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createProcessIssuer } from '../../../runtime/attest/process-evidence.ts';
import { createValidator } from '../../../runtime/attest/validator.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { ATTESTED_PROTOCOL } from '../../../runtime/attested-tls/limits.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { tlsOptionsOf } from '../../../runtime/attested-tls/tls-options.ts';
import type { CoordinatorOptions } from '../../../runtime/coordinator/compose-coordinator.ts';
import { createSeedEngine } from '../../../runtime/coordinator/seed-engine.ts';
import type { Coordinator } from '../../../runtime/coordinator/start-coordinator.ts';
import { connectMeshApi } from '../../../runtime/rpc/client.ts';
import { Secret } from '../../../actors/coordinator/secret.ts';
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

const coded = (code: string) => expect.objectContaining({ code });
const MINUTE_MS = 60_000;

/** A Coordinator that is ready, and what its owner knows. */
async function world(options: Partial<CoordinatorOptions> = {}) {
  const farm = new CoordinatorFarm();
  const coordinator = await farm.start({ name: 'one', ...options });
  const first = await setFirst(coordinator);
  return { farm, coordinator, ...first, [Symbol.asyncDispose]: () => farm[Symbol.asyncDispose]() };
}
type World = Awaited<ReturnType<typeof world>>;

const manifestWith = ({ nodeKeys }: World, overrides: object) => ({
  ...manifestFor(nodeKeys),
  ...overrides,
});
const set = (one: World, manifest: unknown, as: Parameters<typeof setManifestAs>[2] = {}) =>
  setManifestAs(one.coordinator, manifest, { previous: one.transition, ...as });
const policyOf = (san: readonly string[]) => ({
  policies: { [WORKLOAD]: { name: 'hello', role: 'workload', san } },
});

const SETS: readonly (readonly [string, string, (one: World) => Promise<unknown>])[] = [
  ['no JSON', 'MANIFEST_INVALID', (one) => set(one, Buffer.from('{"kind":'))],
  ['another kind', 'MANIFEST_INVALID', (one) => set(one, { kind: 'Spore' })],
  ['an unknown field', 'MANIFEST_INVALID', (one) => set(one, manifestWith(one, { extra: 1 }))],
  [
    'an unknown field inside of a policy',
    'MANIFEST_INVALID',
    (one) =>
      set(
        one,
        manifestWith(one, {
          policies: { [WORKLOAD]: { name: 'a', role: 'workload', san: ['a'], x: 1 } },
        }),
      ),
  ],
  [
    'a policy without a name to certify',
    'MANIFEST_INVALID',
    (one) => set(one, manifestWith(one, policyOf([]))),
  ],
  [
    'a policy with a wildcard',
    'MANIFEST_INVALID',
    (one) => set(one, manifestWith(one, policyOf(['*.mesh.local']))),
  ],
  ['300 KiB', 'MANIFEST_INVALID', (one) => set(one, Buffer.alloc(300 * 1024, 0x20))],
  [
    'the key of a stranger',
    'NOT_OWNER',
    (one) => set(one, manifestWith(one, {}), { identity: OWNERS.stranger }),
  ],
  [
    'the certificate of the owner and another key',
    'NOT_OWNER',
    (one) => {
      const { privateKey } = OWNERS.seedShare;
      const posing = { ...OWNERS.workload, privateKey };
      return set(one, manifestWith(one, {}), { identity: posing });
    },
  ],
  [
    'a stale transition before it',
    'MANIFEST_CONFLICT',
    (one) => set(one, manifestWith(one, {}), { previous: 'ab'.repeat(32) }),
  ],
  [
    'half a transition before it',
    'MANIFEST_CONFLICT',
    (one) => set(one, manifestWith(one, {}), { previous: one.transition.slice(0, 32) }),
  ],
  [
    'no transition before it',
    'MANIFEST_CONFLICT',
    (one) => set(one, manifestWith(one, {}), { previous: '' }),
  ],
  [
    'a short idempotency key',
    'IDEMPOTENCY_KEY',
    (one) => set(one, manifestWith(one, {}), { key: 'abc' }),
  ],
];

async function expectUnchanged({ coordinator, transition }: World): Promise<void> {
  expect(await coordinator.view()).toMatchObject({ state: 'ready', generation: 1, transition });
  await using client = await userApiOf(coordinator);
  expect((await client.userApi.getManifests({})).manifests).toHaveLength(1);
}

describe('SetManifest', () => {
  it('refuses each bad request by its code, and changes nothing', async () => {
    await using one = await world();
    for (const [what, code, request] of SETS)
      await expect(request(one), what).rejects.toEqual(coded(`MESH_ERR_COORDINATOR_${code}`));
    await expectUnchanged(one);
  });

  it('refuses a message that is larger than any, before it is read', async () => {
    await using one = await world({ rpcLimits: { messageBytesMax: 512 * 1024 } });
    await expect(set(one, Buffer.alloc(600 * 1024, 0x20))).rejects.toEqual(
      coded('MESH_ERR_RPC_TOO_LARGE'),
    );
    await expectUnchanged(one);
  });
});

describe('Recover, for owners', () => {
  it('refuses short, wrong and stolen seeds, and a Coordinator that needs none', async () => {
    await using one = await world();
    const { farm, coordinator, seed, salt } = one;
    const good = () => ({ seed: seed.reveal().slice(), salt: salt.reveal().slice() });
    await using early = await userApiOf(coordinator, OWNERS.seedShare);
    await expect(early.userApi.recover(good())).rejects.toEqual(
      coded('MESH_ERR_COORDINATOR_RECOVERY_NEEDLESS'),
    );
    await coordinator.stop();
    const again = await farm.start({ name: 'one' });
    await until(() => again.tree.snapshotOf('coordinator/stateguard') !== undefined);
    await expect.poll(async () => (await again.view()).state).toBe('recovering');
    const attempt = async (request: object, identity = OWNERS.seedShare) => {
      await using client = await userApiOf(again, identity);
      return await client.userApi.recover({ ...good(), ...request });
    };
    const other = createSeedEngine(new Secret(new Uint8Array(64)), salt);
    const rows = [
      ['SEED_MALFORMED', { seed: new Uint8Array(63) }, OWNERS.seedShare],
      ['SEED_MALFORMED', { salt: new Uint8Array() }, OWNERS.seedShare],
      ['WRONG_SEED', { seed: other.seed.reveal().slice() }, OWNERS.seedShare],
      ['NOT_SEED_OWNER', {}, OWNERS.workload],
      ['NOT_SEED_OWNER', {}, OWNERS.stranger],
    ] as const;
    for (const [code, request, identity] of rows)
      await expect(attempt(request, identity)).rejects.toEqual(
        coded(`MESH_ERR_COORDINATOR_${code}`),
      );
    expect((await again.view()).state).toBe('recovering');
    await attempt({});
    await expect.poll(async () => (await again.view()).state).toBe('ready');
  });
});

/** Attests with a clock that is off, as a key, as a spore. */
function attesting(
  { coordinator: { host, port }, nodeKeys }: World,
  { aheadMs = 0, key = OWNERS.nodeKey, spore = WORKLOAD, identity = createTlsIdentity(Date.now()) },
) {
  const clock = { now: () => Date.now() + aheadMs };
  const { referenceValues } = manifestFor(nodeKeys);
  return connectMeshApi({
    host,
    port,
    identity,
    clock: systemClock,
    issuer: createProcessIssuer(key, { spore, binary: 'cc'.repeat(32), instance: 'i' }, clock),
    validator: createValidator(referenceValues, { clock: systemClock }),
  });
}

describe('NewMeshCert', () => {
  it('refuses evidence of another time or by an unknown key, and identities without a policy', async () => {
    await using one = await world();
    const refused = (code: string) => ({
      code: 'MESH_ERR_TRANSPORT_PEER_REFUSED',
      details: { code },
    });
    for (const aheadMs of [-10 * MINUTE_MS, 10 * MINUTE_MS])
      await expect(attesting(one, { aheadMs })).rejects.toMatchObject(
        refused('MESH_ERR_ATTEST_EXPIRED'),
      );
    const secretKey = new Uint8Array(64).fill(7);
    const key = { publicKey: new Uint8Array(32).fill(9), secretKey };
    await expect(attesting(one, { key })).rejects.toMatchObject({
      code: 'MESH_ERR_TRANSPORT_PEER_REFUSED',
    });
    await using nobody = await attesting(one, { spore: 'de'.repeat(32) });
    await expect(nobody.meshApi.newMeshCert({})).rejects.toEqual(
      coded('MESH_ERR_COORDINATOR_NOT_AUTHORISED'),
    );
    await expectUnchanged(one);
  });
});

const closed = async (socket: Socket): Promise<void> => {
  socket.on('error', () => undefined).resume();
  await until(() => socket.closed);
};

describe('the front', () => {
  it('refuses TLS 1.2, and an attested connection without a certificate', async () => {
    await using one = await world();
    const { host, port } = one.coordinator;
    const options = { host, port, rejectUnauthorized: false, ALPNProtocols: [ATTESTED_PROTOCOL] };
    const old = connectTls({ ...options, maxVersion: 'TLSv1.2' });
    await closed(old);
    expect(old.authorized).toBe(false);
    const bare = connectTls(options);
    let said = '';
    bare.on('data', (bytes: Buffer) => (said += bytes.toString('latin1')));
    await closed(bare);
    expect(said).toContain('MESH_ERR_TRANSPORT_CERTIFICATE');
    await expectUnchanged(one);
  });

  it('gives up a slow handshake at its deadline, before and after TLS', async () => {
    await using one = await world({ limits: { handshakeTimeoutMs: 150 } });
    const { host, port } = one.coordinator;
    const silent = connectTcp({ host, port });
    const secure = connectTls({
      ...tlsOptionsOf(OWNERS.stranger),
      host,
      port,
      rejectUnauthorized: false,
      ALPNProtocols: [ATTESTED_PROTOCOL],
    });
    await Promise.all([closed(silent), closed(secure)]);
    const { connections } = await one.coordinator.view();
    expect(connections).toMatchObject({ pending: 0 });
    await expectUnchanged(one);
  });

  it('bears 1,000 half-open connections, and a client that means it still gets through', async () => {
    const pendingMax = 64;
    await using one = await world({ limits: { pendingMax } });
    const flood = await halfOpen(one.coordinator, 1_000);
    await expect
      .poll(async () => (await one.coordinator.view()).connections)
      .toMatchObject({ pending: pendingMax, refused: 1_000 - pendingMax });
    await using client = await meshApiOf(one.coordinator, one.nodeKeys);
    expect((await client.meshApi.newMeshCert({})).certChain).toHaveLength(2);
    for (const socket of flood) socket.destroy();
    await expectUnchanged(one);
  });
});

async function halfOpen({ host, port }: Coordinator, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at++) {
    const socket = connectTcp({ host, port });
    socket.on('error', () => undefined);
    await until(() => !socket.connecting || socket.closed);
    sockets.push(socket);
  }
  return sockets;
}
