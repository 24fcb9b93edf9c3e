import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import { describe, expect, it } from 'vitest';
import { coordinatorError } from '../../../machines/coordinator/errors.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { createEvidenceQuestion } from '../../../runtime/rpc/answerer.ts';
import { connectMeshApi, connectUserApi } from '../../../runtime/rpc/client.ts';
import {
  CLIENT_SPORE,
  SERVER_SPORE,
  clientIdentity,
  issuerOf,
  validator,
} from '../../support/attest/attested-world.ts';
import { rpcWorld } from '../../support/attest/rpc-world.ts';
import type { RpcWorld } from '../../support/attest/rpc-world.ts';
import { until } from '../../support/until.ts';

const otherRoot = createTlsIdentity(Date.now()).certificates;
const { signal } = new AbortController();
const coded = (code: string) => expect.objectContaining({ code });
const meshClient = ({ world: { listener } }: RpcWorld) =>
  connectMeshApi({
    host: listener.host,
    port: listener.port,
    identity: clientIdentity,
    issuer: issuerOf(CLIENT_SPORE),
    validator,
    clock: systemClock,
  });
const userClient = ({ world: { listener } }: RpcWorld, own = {}) =>
  connectUserApi({ host: listener.host, port: listener.port, clock: systemClock, ...own });

describe('connectMeshApi', () => {
  it('calls both services on an attested connection', async () => {
    await using rpc = await rpcWorld();
    await using client = await meshClient(rpc);
    expect(client.peer.identity).toBe(SERVER_SPORE);
    const answer = await client.meshApi.newMeshCert({});
    expect(Buffer.from(answer.rootCaCert).toString()).toBe(CLIENT_SPORE);
    expect(answer.certChain).toEqual([new Uint8Array(clientIdentity.publicKey)]);
    expect(answer.workloadSecret).toBeUndefined();
    expect((await client.meshApi.recover({})).generation).toBe(7n);
    expect((await client.userApi.getManifests({})).manifests).toEqual([new Uint8Array(3).fill(5)]);
  });

  it('rejects with the error that the server threw: code, hint and whether to retry', async () => {
    await using rpc = await rpcWorld({
      meshApi: {
        newMeshCert: async () => {
          throw coordinatorError('MESH_ERR_COORDINATOR_NEEDS_RECOVERY', 'Asking: it is stale.', {
            retryAfterMs: 15_000,
          });
        },
      },
    });
    await using client = await meshClient(rpc);
    await expect(client.meshApi.newMeshCert({})).rejects.toMatchObject({
      code: 'MESH_ERR_COORDINATOR_NEEDS_RECOVERY',
      message: 'Asking: it is stale.',
      hint: expect.stringContaining('Wait for a peer'),
      retryable: true,
      retryAfterMs: 15_000,
    });
  });

  it('tells nothing of a failure that has no code', async () => {
    await using rpc = await rpcWorld({
      meshApi: {
        recover: async () => {
          throw new Error('a secret in a stack trace');
        },
      },
    });
    await using client = await meshClient(rpc);
    const failure = client.meshApi.recover({});
    await expect(failure).rejects.toEqual(coded('MESH_ERR_RPC_INTERNAL'));
    await expect(failure).rejects.not.toThrow(/secret/);
    expect(rpc.refused).toEqual([['meshapi.MeshAPI/Recover', expect.any(Error)]]);
  });

  it('gives a call up at its own deadline, at that of the server, and on request', async () => {
    const signals: AbortSignal[] = [];
    const never = async (_: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
      signals.push(signal);
      await once(signal, 'abort');
      throw signal.reason;
    };
    await using rpc = await rpcWorld({
      meshApi: { recover: never },
      limits: { callTimeoutMs: 150 },
    });
    await using client = await meshClient(rpc);
    const { recover } = client.meshApi;
    await expect(recover({}, { timeoutMs: 40 })).rejects.toEqual(coded('MESH_ERR_RPC_DEADLINE'));
    await expect(recover({})).rejects.toEqual(coded('MESH_ERR_RPC_DEADLINE'));
    const given = new AbortController();
    const calling = recover({}, { signal: given.signal });
    given.abort();
    await expect(calling).rejects.toEqual(coded('MESH_ERR_RPC_UNAVAILABLE'));
    await until(() => signals.every(({ aborted }) => aborted));
  });

  it('says that the connection has ended', async () => {
    await using rpc = await rpcWorld();
    await using client = await meshClient(rpc);
    await client.meshApi.newMeshCert({});
    rpc.sessions[0]?.destroy();
    await until(() => rpc.server.sessions === 0);
    await expect(client.meshApi.newMeshCert({})).rejects.toEqual(coded('MESH_ERR_RPC_UNAVAILABLE'));
  });

  it('serves no more calls at once than its limit, and the others after', async () => {
    let running = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    await using rpc = await rpcWorld({
      limits: { concurrentCallsMax: 4 },
      meshApi: {
        recover: async () => {
          most = Math.max(most, ++running);
          await gate.promise;
          running--;
          return {};
        },
      },
    });
    await using client = await meshClient(rpc);
    await client.meshApi.newMeshCert({});
    const calls = Array.from({ length: 20 }, () => client.meshApi.recover({}));
    await until(() => running === 4);
    gate.resolve();
    await Promise.all(calls);
    expect(most).toBe(4);
  });
});

describe('connectUserApi', () => {
  it('has the Coordinator prove what it is, over this very session', async () => {
    const identity = createTlsIdentity(Date.now());
    await using rpc = await rpcWorld({ listen: { identity } });
    await using client = await userClient(rpc);
    expect(await client.attest(validator)).toMatchObject({ identity: SERVER_SPORE });
    const short = client.userApi.getEvidence({ nonce: new Uint8Array(31) });
    await expect(short).rejects.toEqual(coded('MESH_ERR_TRANSPORT_NONCE'));
    await using other = await userClient(rpc);
    const relayed = other.attest(validator);
    // What was made on one session proves nothing on another.
    const { type, evidence, nonce } = await client.userApi.getEvidence({
      nonce: new Uint8Array(32),
    });
    await relayed;
    const socket = await rpc.world.tls({ ALPNProtocols: ['h2'] });
    const question = createEvidenceQuestion(socket, identity.publicKey);
    const replay = question.appraise({ type, bytes: evidence, nonce }, validator, signal);
    await expect(replay).rejects.toEqual(coded('MESH_ERR_ATTEST_REPORT_DATA'));
  });

  it('proves an RSA key, as seed share owners have, and no key that it does not hold', async () => {
    await using rpc = await rpcWorld();
    const owner = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const identity = createTlsIdentity(Date.now(), owner.privateKey);
    await using client = await userClient(rpc, { identity });
    const { transitionHash } = await client.userApi.setManifest({ manifest: Buffer.from('{}') });
    expect(Buffer.from(transitionHash)).toEqual(
      createHash('sha256').update(identity.publicKey).digest(),
    );
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
    // TLS itself refuses a certificate whose key is another one of its kind, …
    await expect(
      userClient(rpc, { identity: { ...identity, privateKey: stranger.privateKey } }),
    ).rejects.toThrow(/key values mismatch/);
    // … and leaves out one that it has no key for, so that the caller is nobody.
    const { privateKey } = createTlsIdentity(Date.now());
    await using nobody = await userClient(rpc, { identity: { ...identity, privateKey } });
    const answer = await nobody.userApi.setManifest({ manifest: Buffer.from('{}') });
    expect(answer.transitionHash).toHaveLength(0);
  });

  it('is told apart by the key of its certificate', async () => {
    await using rpc = await rpcWorld();
    await using client = await userClient(rpc, { identity: clientIdentity });
    const { transitionHash } = await client.userApi.setManifest({ manifest: Buffer.from('{}') });
    const digest = createHash('sha256').update(clientIdentity.publicKey).digest();
    expect(Buffer.from(transitionHash)).toEqual(digest);
    await using nobody = await userClient(rpc);
    const answer = await nobody.userApi.setManifest({ manifest: Buffer.from('{}') });
    expect(answer.transitionHash).toHaveLength(0);
  });

  it('refuses a message that is too large, either way', async () => {
    await using rpc = await rpcWorld({
      limits: { messageBytesMax: 1000 },
      userApi: { getManifests: async () => ({ manifests: [Buffer.alloc(2000)] }) },
    });
    await using client = await userClient(rpc);
    const large = client.userApi.setManifest({ manifest: Buffer.alloc(2000) });
    await expect(large).rejects.toEqual(coded('MESH_ERR_RPC_TOO_LARGE'));
    const answer = client.userApi.getManifests({});
    await expect(answer).rejects.toEqual(coded('MESH_ERR_RPC_TOO_LARGE'));
    await expect(client.userApi.recover({})).resolves.toMatchObject({ generation: 9n });
  });

  it('trusts the roots that it is given, and no others', async () => {
    await using rpc = await rpcWorld({ listen: { identity: clientIdentity } });
    await expect(userClient(rpc, { roots: otherRoot })).rejects.toEqual(
      coded('MESH_ERR_TRANSPORT_TLS'),
    );
    await expect(userClient(rpc, { port: 1 })).rejects.toEqual(coded('MESH_ERR_TRANSPORT_CONNECT'));
  });

  it('says when who answers speaks no gRPC', async () => {
    const http = http2.createServer((_, response) => response.end('hello'));
    await using rpc = await rpcWorld({
      listen: { onPlain: ({ socket }) => void http.emit('connection', socket) },
    });
    await using client = await userClient(rpc);
    await expect(client.userApi.recover({})).rejects.toEqual(coded('MESH_ERR_RPC_PROTOCOL'));
  });

  it('resets a call whose request never ends', async () => {
    await using rpc = await rpcWorld({ limits: { callTimeoutMs: 50 } });
    const socket = await rpc.world.tls({ ALPNProtocols: ['h2'] });
    const session = http2.connect('https://mesh', { createConnection: () => socket });
    const stream = session.request({
      ':method': 'POST',
      ':path': '/userapi.UserAPI/SetManifest',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined).write(Buffer.of(0, 0, 0, 1, 0));
    await until(() => stream.closed);
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
    session.destroy();
  });

  it('closes a connection on which nothing happens', async () => {
    await using rpc = await rpcWorld({ limits: { idleTimeoutMs: 50 } });
    await using client = await userClient(rpc);
    await client.userApi.recover({});
    await until(() => rpc.server.sessions === 0);
  });
});
