import http2 from 'node:http2';
import { connect as connectTls, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createTlsIdentity } from '../../../runtime/attested-tls/tls-identity.ts';
import { encodeFrame } from '../../../runtime/attested-tls/frames.ts';
import { ATTESTED_PROTOCOL } from '../../../runtime/attested-tls/limits.ts';
import { exportedKeysOf, reportDataOf } from '../../../runtime/attested-tls/report-data.ts';
import { tlsOptionsOf } from '../../../runtime/attested-tls/tls-options.ts';
import {
  CLIENT_SPORE,
  SERVER_SPORE,
  attestedWorld,
  clientIdentity,
  issuerOf,
  validator,
} from '../../support/attest/attested-world.ts';
import { until } from '../../support/until.ts';

const coded = (code: string) => expect.objectContaining({ code });
const hello = (nonce: Uint8Array): Buffer =>
  encodeFrame('hello', Buffer.concat([Buffer.of(1), nonce]));

/** All that a socket receives until it is closed. */
async function received(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(() => socket.closed || socket.readableEnded);
  return Buffer.concat(chunks).toString('latin1');
}

describe('attestedConnect', () => {
  it('attests both ends, and leaves the socket to HTTP/2', async () => {
    const http = http2.createServer((request, response) => response.end(`at ${request.url}`));
    const proven: unknown[] = [];
    await using world = await attestedWorld({
      onConnection: (connection) => {
        void connection.attest(validator).then((peer) => {
          proven.push(peer);
          http.emit('connection', connection.socket);
        });
      },
    });
    const { socket, peer } = await world.connect();
    expect(peer).toMatchObject({ identity: SERVER_SPORE, isHardware: false });
    const session = http2.connect('https://mesh', { createConnection: () => socket });
    // The request leaves together with the last frame, before the server has handed its end on.
    const stream = session.request({ ':path': '/x' }).setEncoding('utf8');
    let body = '';
    for await (const text of stream) body += text as string;
    expect(body).toBe('at /x');
    expect(proven).toEqual([
      expect.objectContaining({ identity: CLIENT_SPORE, publicKey: clientIdentity.publicKey }),
    ]);
    expect(world.listener.counts).toEqual({ pending: 0, open: 1 });
    session.close();
  });

  it('takes a TLS key of P-384, which a leaf may be issued for', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const identity = createTlsIdentity(Date.now(), privateKey);
    await using world = await attestedWorld();
    await world.connect({ identity });
    expect(await world.outcome()).toMatchObject({ publicKey: identity.publicKey });
  });

  it('resumes no session', async () => {
    await using world = await attestedWorld();
    const first = await world.tls();
    const [session] = (await once(first, 'session')) as [Buffer];
    const second = await world.tls({ session });
    expect(second.isSessionReused()).toBe(false);
    expect(second.getPeerCertificate().raw).toBeDefined();
  });

  it('is refused, with the code, when its evidence is', async () => {
    const refusal = Object.assign(new Error('no'), { code: 'MESH_ERR_ATTEST_TCB' });
    await using world = await attestedWorld({
      validator: { validate: async () => Promise.reject(refusal) },
    });
    await expect(world.connect()).rejects.toMatchObject({
      code: 'MESH_ERR_TRANSPORT_PEER_REFUSED',
      details: { code: 'MESH_ERR_ATTEST_TCB' },
    });
    expect(await world.outcome()).toBe(refusal);
  });

  it('refuses a server whose evidence it does not accept, and tells it', async () => {
    await using world = await attestedWorld({ issuer: issuerOf('not a digest') });
    await expect(world.connect()).rejects.toMatchObject({ code: 'MESH_ERR_TRANSPORT_CLOSED' });
    await using other = await attestedWorld();
    const refusing = {
      validate: async () =>
        Promise.reject(Object.assign(new Error('no'), { code: 'MESH_ERR_ATTEST_UNKNOWN_KEY' })),
    };
    await expect(other.connect({ validator: refusing })).rejects.toMatchObject({
      code: 'MESH_ERR_ATTEST_UNKNOWN_KEY',
    });
    expect(await other.outcome()).toMatchObject({
      code: 'MESH_ERR_TRANSPORT_PEER_REFUSED',
      details: { code: 'MESH_ERR_ATTEST_UNKNOWN_KEY' },
    });
  });

  it('says when nobody listens, when nobody attests, and when nobody answers', async () => {
    await using world = await attestedWorld();
    const { port } = world.listener;
    await world.listener.close();
    await expect(world.connect({ port })).rejects.toEqual(coded('MESH_ERR_TRANSPORT_CONNECT'));

    const plain = createServer(
      { ...tlsOptionsOf(clientIdentity), ALPNProtocols: ['h2'] },
      (socket) => socket.on('error', () => undefined),
    );
    await new Promise<void>((resolve) => void plain.listen(0, '127.0.0.1', resolve));
    const plainPort = (plain.address() as AddressInfo).port;
    await expect(world.connect({ port: plainPort })).rejects.toEqual(
      coded('MESH_ERR_TRANSPORT_TLS'),
    );
    plain.close();

    await using silent = await attestedWorld({ onConnection: () => undefined });
    await expect(silent.connect({ timeoutMs: 50 })).rejects.toEqual(
      coded('MESH_ERR_TRANSPORT_DEADLINE'),
    );
    const given = new AbortController();
    const connecting = silent.connect({ signal: given.signal });
    given.abort(new Error('enough'));
    await expect(connecting).rejects.toThrow('enough');
  });
});

describe('exchangeEvidence', () => {
  it('is refused by both ends when a relay terminates TLS between them', async () => {
    await using world = await attestedWorld();
    const relayIdentity = createTlsIdentity(Date.now());
    const relay = createServer(
      {
        ...tlsOptionsOf(relayIdentity),
        requestCert: true,
        rejectUnauthorized: false,
        ALPNProtocols: [ATTESTED_PROTOCOL],
      },
      (near) => {
        const far = connectTls({
          ...tlsOptionsOf(relayIdentity),
          host: world.listener.host,
          port: world.listener.port,
          rejectUnauthorized: false,
          ALPNProtocols: [ATTESTED_PROTOCOL],
        });
        near.on('error', () => far.destroy()).pipe(far);
        far.on('error', () => near.destroy()).pipe(near);
      },
    );
    await new Promise<void>((resolve) => void relay.listen(0, '127.0.0.1', resolve));
    const { port } = relay.address() as AddressInfo;
    await expect(world.connect({ port })).rejects.toMatchObject({
      code: 'MESH_ERR_TRANSPORT_PEER_REFUSED',
      details: { code: 'MESH_ERR_ATTEST_REPORT_DATA' },
    });
    expect(await world.outcome()).toEqual(coded('MESH_ERR_ATTEST_REPORT_DATA'));

    // A server that believes anything does not help: the client refuses the relay by itself.
    await using trusting = await attestedWorld({
      validator: { validate: async () => ({ identity: CLIENT_SPORE, isHardware: false }) },
    });
    relay.removeAllListeners('secureConnection');
    relay.on('secureConnection', (near: TLSSocket) => {
      void trusting.tls().then((far) => {
        near.on('error', () => far.destroy()).pipe(far);
        far.on('error', () => near.destroy()).pipe(near);
      });
    });
    await expect(world.connect({ port })).rejects.toEqual(coded('MESH_ERR_ATTEST_REPORT_DATA'));
    relay.close();
  });

  it('refuses the nonce and the evidence of another session', async () => {
    const seen: Buffer[] = [];
    const spying = {
      type: issuerOf(CLIENT_SPORE).type,
      issue: async (reportData: Uint8Array, signal: AbortSignal) => {
        const evidence = await issuerOf(CLIENT_SPORE).issue(reportData, signal);
        const oid = Buffer.from(evidence.type, 'latin1');
        seen.push(Buffer.concat([Buffer.of(oid.length), oid, evidence.bytes]));
        return evidence;
      },
    };
    await using world = await attestedWorld();
    await world.connect({ issuer: spying });
    await world.outcome();
    const socket = await world.tls();
    socket.write(hello(Buffer.alloc(32, 1)));
    socket.write(encodeFrame('evidence', seen[0]));
    expect(await received(socket)).toContain('MESH_ERR_ATTEST_REPORT_DATA');
    expect(await world.outcome()).toEqual(coded('MESH_ERR_ATTEST_REPORT_DATA'));
  });

  it('refuses its own nonce', async () => {
    await using world = await attestedWorld();
    const socket = await world.tls();
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.write(first);
    await received(socket);
    expect(await world.outcome()).toEqual(coded('MESH_ERR_TRANSPORT_NONCE'));
  });

  it.each(['client', 'server'] as const)('takes evidence of a client only: %s', async (role) => {
    await using world = await attestedWorld();
    const socket = await world.tls();
    const [peerHello] = (await once(socket, 'data')) as [Buffer];
    const ownNonce = randomBytes(32);
    const { publicKey } = clientIdentity;
    const end = { role, ownNonce, peerNonce: peerHello.subarray(6), ownPublicKey: publicKey };
    const { signal } = new AbortController();
    const evidence = await issuerOf(CLIENT_SPORE).issue(
      reportDataOf(exportedKeysOf(socket), end),
      signal,
    );
    const oid = Buffer.from(evidence.type, 'latin1');
    const payload = Buffer.concat([Buffer.of(oid.length), oid, evidence.bytes]);
    socket.write(Buffer.concat([hello(ownNonce), encodeFrame('evidence', payload)]));
    socket.write(encodeFrame('accepted'));
    const outcome = await world.outcome();
    if (role === 'client') expect(outcome).toMatchObject({ identity: CLIENT_SPORE });
    else expect(outcome).toEqual(coded('MESH_ERR_ATTEST_REPORT_DATA'));
  });
});
