import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import {
  createMeshCertLogic,
  meshCertChildSpec,
} from '../../../actors/coordinator/mesh-cert.actor.ts';
import { CONNECTIONS_ID } from '../../../actors/coordinator/paths.ts';
import type {
  MeshCertConnection,
  NewMeshCertResponse,
} from '../../../actors/coordinator/ports/connection.ts';
import { coordinatorError } from '../../../machines/coordinator/errors.ts';
import {
  CoordinatorWorld,
  WORKLOAD_IDENTITY,
} from '../../support/coordinator/coordinator-world.ts';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const CLIENT_KEY: Uint8Array = publicKey.export({ type: 'spki', format: 'der' });
const never = (): Promise<never> => new Promise<never>(() => {});

/** A client that does what the spec says, and what came of it. */
class Client implements MeshCertConnection {
  readonly id: string;
  readonly #behaviour: Partial<MeshCertConnection>;
  readonly closed: string[] = [];
  readonly replies: NewMeshCertResponse[] = [];
  signal: AbortSignal | undefined;
  hangUp: () => void = () => {};

  constructor(id: string, behaviour: Partial<MeshCertConnection> = {}) {
    this.id = id;
    this.#behaviour = behaviour;
  }

  attest: MeshCertConnection['attest'] = (validator, signal) => {
    this.signal = signal;
    const proven = { identity: WORKLOAD_IDENTITY, isHardware: false, publicKey: CLIENT_KEY };
    return this.#behaviour.attest?.(validator, signal) ?? Promise.resolve(proven);
  };
  request: MeshCertConnection['request'] = (signal) =>
    this.#behaviour.request?.(signal) ?? Promise.resolve();
  reply: MeshCertConnection['reply'] = (response, signal) => {
    this.replies.push(response);
    return this.#behaviour.reply?.(response, signal) ?? Promise.resolve();
  };
  close = (refusal: string): void => {
    this.closed.push(refusal);
  };
  onClose = (listener: () => void): (() => void) => {
    this.hangUp = listener;
    return () => {};
  };
}

/** A ready Coordinator, and a way to connect to it. */
async function setUp(isSet = true) {
  const world = new CoordinatorWorld();
  const member = await world.add();
  const { transition } = isSet ? await world.until(member.set()) : { transition: null };
  let clients = 0;
  const connect = async (behaviour: Partial<MeshCertConnection> = {}) => {
    const client = new Client(`client-${++clients}`, behaviour);
    const path = `${member.name}/${CONNECTIONS_ID}`;
    const spec = meshCertChildSpec(createMeshCertLogic(member.ports, client), client);
    await world.until(member.tree.startChild(path, spec));
    await world.advance(0);
    return client;
  };
  const open = (): number => member.tree.whichChildren(`${member.name}/${CONNECTIONS_ID}`).length;
  return { world, member, transition, connect, open };
}

describe('createMeshCertLogic', () => {
  it('answers with leaf, chain, roots and secret for the proven identity and TLS key', async () => {
    const { world, member, connect, open } = await setUp();
    await using _ = world;
    const client = await connect();
    expect([client.replies.length, client.closed]).toEqual([1, []]);
    const [response] = client.replies;
    const { authority, engine } = member.ports.cell.take();
    const leaf = new X509Certificate(response?.certificateChain[0] ?? '');
    expect(leaf.publicKey.export({ type: 'spki', format: 'der' })).toEqual(CLIENT_KEY);
    expect(leaf.subjectAltName).toBe(
      'DNS:hello.mesh.local, IP Address:127.0.0.1, URI:spiffe://mesh.local/workload/hello',
    );
    expect(response).toMatchObject({
      rootCaCertificate: authority.rootCertificate,
      meshCaCertificate: authority.meshCertificate,
    });
    expect(response?.certificateChain[1]).toBe(authority.intermediateCertificate);
    expect(response?.workloadSecret?.reveal()).toEqual(engine.workloadSecret('hello').reveal());
    expect(open()).toBe(0);
  });

  it('is refused by a Coordinator that has no state', async () => {
    const { world, connect } = await setUp(false);
    await using _ = world;
    const client = await connect();
    expect(client.closed).toEqual(['MESH_ERR_COORDINATOR_NO_MANIFEST']);
  });

  it.each<[string, Partial<MeshCertConnection>, string]>([
    [
      'a handshake that fails',
      { attest: () => Promise.reject(coordinatorError('MESH_ERR_COORDINATOR_NOT_AUTHORISED', '')) },
      'MESH_ERR_COORDINATOR_NOT_AUTHORISED',
    ],
    [
      'an identity without a policy',
      {
        attest: async () => ({
          identity: 'ee'.repeat(32),
          isHardware: false,
          publicKey: CLIENT_KEY,
        }),
      },
      'MESH_ERR_COORDINATOR_NOT_AUTHORISED',
    ],
    [
      'a TLS key that cannot be certified',
      {
        attest: async () => ({
          identity: WORKLOAD_IDENTITY,
          isHardware: false,
          publicKey: new Uint8Array(9),
        }),
      },
      'MESH_ERR_COORDINATOR_CERTIFICATE_REFUSED',
    ],
    [
      'a request that is malformed',
      { request: () => Promise.reject(new Error('Malformed.')) },
      'Error: Malformed.',
    ],
    [
      'a reply that does not leave',
      { reply: () => Promise.reject(new Error('Reset.')) },
      'Error: Reset.',
    ],
  ])('closes the connection over %s', async (_, behaviour, refusal) => {
    const { world, connect, open } = await setUp();
    await using _world = world;
    const client = await connect(behaviour);
    expect([client.closed, open()]).toEqual([[refusal], 0]);
  });

  it.each<[string, Partial<MeshCertConnection>, string]>([
    ['handshake', { attest: never }, 'slow_handshake'],
    ['request', { request: never }, 'slow_request'],
    ['reply', { reply: never }, 'slow_reply'],
  ])('gives a slow %s ten seconds', async (_, behaviour, refusal) => {
    const { world, connect, open } = await setUp();
    await using _world = world;
    const client = await connect(behaviour);
    await world.advance(9_999);
    expect([client.closed, open()]).toEqual([[], 1]);
    await world.advance(1);
    expect([client.closed, open()]).toEqual([[refusal], 0]);
    if (refusal === 'slow_handshake') expect(client.signal?.aborted).toBe(true);
  });

  it('is closed when the state changes, in whichever step it is', async () => {
    const { world, member, transition, connect, open } = await setUp();
    await using _ = world;
    const opened = [
      await connect({ attest: never }),
      await connect({ request: never }),
      await connect({ reply: never }),
    ];
    await world.until(member.set({ previous: transition }));
    await world.advance(0);
    expect(opened.map(({ closed }) => closed)).toEqual(opened.map(() => ['state_changed']));
    expect(open()).toBe(0);
  });

  it('is closed when the state goes stale', async () => {
    const { world, transition, connect } = await setUp();
    await using _ = world;
    const client = await connect({ request: never });
    const other = await world.add();
    await world.advance(20_000);
    const again = await connect({ request: never });
    expect(client.closed).toEqual(['slow_request']);
    await world.until(other.set({ previous: transition }));
    await world.advance(0);
    expect(again.closed).toEqual(['state_changed']);
  });

  it('ends when the client hangs up, and with its supervisor', async () => {
    const { world, member, connect, open } = await setUp();
    await using _ = world;
    const client = await connect({ request: never });
    client.hangUp();
    await world.advance(0);
    expect([client.closed, open()]).toEqual([['closed'], 0]);
    const last = await connect({ request: never });
    await world.kill(member);
    expect(last.closed).toEqual(['stopping']);
  });

  it('shows names only: neither the state nor the answer is in a snapshot', async () => {
    const { world, member } = await setUp();
    await using _ = world;
    const logic = createMeshCertLogic(member.ports, new Client('client-1'));
    const actor = createActor(logic, { input: { connection: 'client-1' }, clock: world.clock });
    actor.start();
    await world.advance(0);
    expect(actor.getSnapshot()).toMatchObject({ status: 'done', value: 'answered' });
    expect(actor.getSnapshot().context).toEqual({
      connection: 'client-1',
      state: { transition: expect.any(String) as string, generation: 1 },
      identity: WORKLOAD_IDENTITY,
      issued: {
        spiffeId: 'spiffe://mesh.local/workload/hello',
        serialNumber: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        notAfterMs: world.clock.now() + 24 * 3_600_000,
      },
      refusal: '',
    });
  });

  it('bears a thousand half-open connections, and none is left after ten seconds', async () => {
    const { world, connect, open } = await setUp();
    await using _ = world;
    for (let index = 0; index < 1_000; index++) await connect({ attest: never });
    expect(open()).toBe(1_000);
    const client = await connect();
    expect(client.replies).toHaveLength(1);
    await world.advance(10_000);
    expect(open()).toBe(0);
  });
});
