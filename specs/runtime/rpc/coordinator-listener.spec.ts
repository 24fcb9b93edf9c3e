import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { MeshCertConnection } from '../../../actors/coordinator/ports/connection.ts';
import { Secret } from '../../../actors/coordinator/secret.ts';
import { coordinatorError } from '../../../machines/coordinator/errors.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { connectMeshApi, connectUserApi } from '../../../runtime/rpc/client.ts';
import { listenCoordinator } from '../../../runtime/rpc/coordinator-listener.ts';
import type { CoordinatorListenerOptions } from '../../../runtime/rpc/coordinator-listener.ts';
import { createRecoveryTransport } from '../../../runtime/rpc/recovery-transport.ts';
import {
  CLIENT_SPORE,
  SERVER_SPORE,
  clientIdentity,
  issuerOf,
  validator,
} from '../../support/attest/attested-world.ts';
import { until } from '../../support/until.ts';

const unused = async (): Promise<never> => Promise.reject(new Error('Nobody calls it.'));
const state = {
  seed: new Secret(randomBytes(64)),
  salt: new Secret(randomBytes(32)),
  meshKey: new Secret(randomBytes(48)),
  transition: 'ab'.repeat(32) as Digest,
  generation: 3,
};
const response = {
  meshCaCertificate: Buffer.of(1),
  certificateChain: [Buffer.of(2), Buffer.of(3)],
  rootCaCertificate: Buffer.of(4),
  workloadSecret: new Secret(Buffer.alloc(32, 5)),
};
const { signal } = new AbortController();

const unusedApi = {
  setManifest: unused,
  confirmSeedShares: unused,
  getManifests: unused,
  recover: unused,
  getStatus: unused,
};

async function front(options: Partial<CoordinatorListenerOptions> = {}) {
  const listener = await listenCoordinator({
    host: '127.0.0.1',
    port: 0,
    identity: createTlsIdentity(Date.now()),
    issuer: issuerOf(SERVER_SPORE),
    clock: systemClock,
    recover: () => state,
    onConnection: (connection) => void connection.attest(validator, signal),
    userApi: unusedApi,
    ...options,
  });
  const { host, port } = listener;
  const own = { identity: clientIdentity, issuer: issuerOf(CLIENT_SPORE), clock: systemClock };
  return {
    listener,
    client: () => connectMeshApi({ ...own, host, port, validator }),
    transport: createRecoveryTransport({ ...own, addressOf: () => ({ host, port }) }),
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

describe('listenCoordinator', () => {
  it('takes a connection through handshake, request and reply, and ends it', async () => {
    const steps: string[] = [];
    const drive = async (connection: MeshCertConnection): Promise<void> => {
      const { identity } = await connection.attest(validator, signal);
      steps.push(identity);
      await connection.request(signal);
      steps.push('requested');
      await connection.reply(response, signal);
      steps.push('replied');
    };
    await using world = await front({ onConnection: (connection) => void drive(connection) });
    await using client = await world.client();
    const answer = await client.meshApi.newMeshCert({});
    expect(answer.certChain.map(([byte]) => byte)).toEqual([2, 3]);
    expect(answer.workloadSecret).toEqual(new Uint8Array(32).fill(5));
    await until(() => steps.length === 3);
    expect(steps).toEqual([CLIENT_SPORE, 'requested', 'replied']);
    await until(() => world.listener.counts.open === 0);
  });

  it.each([
    ['MESH_ERR_COORDINATOR_NOT_AUTHORISED', 'MESH_ERR_COORDINATOR_NOT_AUTHORISED'],
    ['state_changed', 'MESH_ERR_RPC_UNAVAILABLE'],
  ])('tells a waiting client why it is refused: %s', async (refusal, code) => {
    const drive = async (connection: MeshCertConnection): Promise<void> => {
      await connection.attest(validator, signal);
      await connection.request(signal);
      connection.close(refusal);
    };
    await using world = await front({ onConnection: (connection) => void drive(connection) });
    await using client = await world.client();
    await expect(client.meshApi.newMeshCert({})).rejects.toEqual(expect.objectContaining({ code }));
    await until(() => world.listener.counts.open === 0);
  });

  it('refuses before the handshake, when there is no state to serve with', async () => {
    await using world = await front({
      onConnection: (connection) => connection.close('MESH_ERR_COORDINATOR_NO_MANIFEST'),
    });
    await expect(world.client()).rejects.toMatchObject({
      code: 'MESH_ERR_TRANSPORT_PEER_REFUSED',
      details: { code: 'MESH_ERR_COORDINATOR_NO_MANIFEST' },
    });
  });
});

describe('drain', () => {
  const user = (port: number) =>
    connectUserApi({ host: '127.0.0.1', port, clock: systemClock, identity: clientIdentity });
  const answering = async (gate: Promise<void>) =>
    front({
      userApi: {
        ...unusedApi,
        getManifests: async () => {
          await gate;
          return { manifests: [Buffer.of(7)] };
        },
      },
    });

  it('lets a call in flight end, takes no new connection, and then closes', async () => {
    const gate = Promise.withResolvers<void>();
    await using world = await answering(gate.promise);
    const { listener } = world;
    await using client = await user(listener.port);
    const call = client.userApi.getManifests({});
    await until(() => listener.counts.pending === 0);
    const drained = listener.drain(10_000);
    await expect(user(listener.port)).rejects.toMatchObject({ code: 'MESH_ERR_TRANSPORT_CONNECT' });
    gate.resolve();
    expect((await call).manifests).toEqual([Uint8Array.of(7)]);
    await drained;
    await until(() => listener.counts.open === 0);
    await listener.drain(0);
  });

  it('ends what is not over at its deadline', async () => {
    await using world = await answering(new Promise(() => undefined));
    await using client = await user(world.listener.port);
    const call = client.userApi.getManifests({});
    const ended = expect(call).rejects.toMatchObject({ code: 'MESH_ERR_RPC_UNAVAILABLE' });
    await until(() => world.listener.counts.open === 1);
    await world.listener.drain(50);
    await ended;
  });
});

describe('createRecoveryTransport', () => {
  const authorise = (): void => undefined;

  it('hands over the state of a peer that is authorised', async () => {
    const seen: string[] = [];
    await using world = await front();
    const recovered = await world.transport.recover(
      'peer',
      { validator, authorise: ({ identity }) => void seen.push(identity) },
      signal,
    );
    expect(seen).toEqual([SERVER_SPORE]);
    expect(recovered).toMatchObject({ transition: state.transition, generation: 3 });
    expect(recovered.seed.reveal()).toEqual(new Uint8Array(state.seed.reveal()));
    expect(JSON.stringify(recovered)).not.toContain(
      Buffer.from(state.seed.reveal()).toString('hex'),
    );
    await until(() => world.listener.counts.open === 0);
  });

  it('asks nothing of a peer that is not authorised', async () => {
    let asked = 0;
    await using world = await front({ recover: () => (asked++, state) });
    const refusing = (): void => {
      throw coordinatorError('MESH_ERR_COORDINATOR_NOT_AUTHORISED', 'Authorising: no such role.');
    };
    await expect(
      world.transport.recover('peer', { validator, authorise: refusing }, signal),
    ).rejects.toMatchObject({ code: 'MESH_ERR_COORDINATOR_NOT_AUTHORISED' });
    expect(asked).toBe(0);
  });

  it('rejects with what the peer refuses with, and with what is no state', async () => {
    await using refusing = await front({
      recover: () => {
        throw coordinatorError('MESH_ERR_COORDINATOR_NEEDS_RECOVERY', 'Serving: it is stale.');
      },
    });
    const appraisal = { validator, authorise };
    await expect(refusing.transport.recover('peer', appraisal, signal)).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_NEEDS_RECOVERY',
    });
    await using odd = await front({ recover: () => ({ ...state, transition: '' as Digest }) });
    await expect(odd.transport.recover('peer', appraisal, signal)).rejects.toMatchObject({
      code: 'MESH_ERR_RPC_PROTOCOL',
    });
    await expect(
      odd.transport.recover('peer', appraisal, AbortSignal.abort(new Error('enough'))),
    ).rejects.toThrow('enough');
  });
});
