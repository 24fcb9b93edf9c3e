import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../runtime/attested-tls/frames.ts';
import { FRAME_BYTES_MAX } from '../../../runtime/attested-tls/limits.ts';
import {
  CLIENT_SPORE,
  attestedWorld,
  clientIdentity,
} from '../../support/attest/attested-world.ts';
import { until } from '../../support/until.ts';

const coded = (code: string) => expect.objectContaining({ code });
const header = (type: number, length: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(type);
  bytes.writeUInt32BE(length, 1);
  return bytes;
};
const hello = encodeFrame('hello', Buffer.concat([Buffer.of(1), Buffer.alloc(32, 9)]));

describe('listenTls', () => {
  it('refuses TLS 1.2', async () => {
    await using world = await attestedWorld();
    await expect(world.tls({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).rejects.toMatchObject(
      { code: expect.stringMatching(/^ERR_SSL_/) },
    );
    expect(await world.outcome()).toEqual(coded('MESH_ERR_TRANSPORT_TLS'));
  });

  it('refuses a client without a certificate', async () => {
    await using world = await attestedWorld();
    const socket = await world.tls({ key: undefined, cert: undefined });
    const [refused] = (await once(socket, 'data')) as [Buffer];
    expect(refused.toString('latin1')).toContain('MESH_ERR_TRANSPORT_CERTIFICATE');
    expect(await world.outcome()).toEqual(coded('MESH_ERR_TRANSPORT_CERTIFICATE'));
  });

  it.each([
    ['no application protocol', { ALPNProtocols: [] }],
    ['an unknown application protocol', { ALPNProtocols: ['http/1.1'] }],
    ['one that is not attested', { ALPNProtocols: ['h2'] }],
  ])('refuses a client that names %s', async (_, options) => {
    await using world = await attestedWorld();
    // Some stacks fail the handshake, some are closed after it: what the server makes of it counts.
    await world.tls(options).catch(() => undefined);
    expect(await world.outcome()).toEqual(coded('MESH_ERR_TRANSPORT_TLS'));
    await until(() => world.listener.counts.open === 0);
  });

  it.each([
    ['garbage', randomBytes(4096)],
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['nothing, and then ends', Buffer.alloc(0)],
  ])('survives a client that sends %s in place of TLS', async (_, bytes) => {
    await using world = await attestedWorld();
    const socket = await world.tcp();
    socket.end(bytes);
    await until(() => world.listener.counts.open === 0);
    await world.connect();
  });

  it.each<[string, Buffer]>([
    ['of an unknown type', header(9, 0)],
    ['that is not due', encodeFrame('accepted')],
    ['longer than a hello', header(1, 34)],
    ['shorter than a hello', Buffer.concat([header(1, 2), Buffer.of(1, 1)])],
    ['of another version', Buffer.concat([header(1, 33), Buffer.alloc(33, 7)])],
    ['longer than any evidence', Buffer.concat([hello, header(2, FRAME_BYTES_MAX + 1)])],
    ['of four gigabytes', Buffer.concat([hello, header(2, 2 ** 32 - 1)])],
    ['without a type of evidence', Buffer.concat([hello, encodeFrame('evidence')])],
    ['with a type cut short', Buffer.concat([hello, encodeFrame('evidence', Buffer.of(40, 49))])],
    ['of garbage', randomBytes(64).fill(0xff, 0, 1)],
  ])('refuses a frame %s', async (_, bytes) => {
    await using world = await attestedWorld();
    const socket = await world.tls();
    socket.write(bytes);
    expect(await world.outcome()).toEqual(coded('MESH_ERR_TRANSPORT_FRAME'));
    socket.resume();
    await until(() => socket.closed);
  });

  it('understands a refusal without a code that means anything', async () => {
    await using world = await attestedWorld();
    const socket = await world.tls();
    socket.write(encodeFrame('refused', Buffer.from('<script>')));
    expect(await world.outcome()).toMatchObject({
      code: 'MESH_ERR_TRANSPORT_PEER_REFUSED',
      details: { code: null },
    });
  });

  it('notices a client that closes half-way', async () => {
    await using world = await attestedWorld();
    const socket = await world.tls();
    socket.end(hello);
    expect(await world.outcome()).toEqual(coded('MESH_ERR_TRANSPORT_CLOSED'));
  });

  it('gives up a slow handshake at its deadline, at whichever step it is slow', async () => {
    await using world = await attestedWorld({ limits: { handshakeTimeoutMs: 100 } });
    const silent = await world.tcp();
    const secure = await world.tls();
    const [refused] = (await once(secure.resume(), 'close')) as [boolean];
    expect(refused).toBe(false);
    await until(() => silent.closed && world.outcomes.length >= 2);
    for (const outcome of world.outcomes)
      expect(outcome).toEqual(coded('MESH_ERR_TRANSPORT_DEADLINE'));
    await until(() => world.listener.counts.open === 0);
    expect(world.listener.counts.pending).toBe(0);
  });

  it('serves while a thousand connections are half-open, and keeps no more than its limit', async () => {
    const pendingMax = 64;
    await using world = await attestedWorld({ limits: { pendingMax } });
    const flood = [];
    for (let at = 0; at < 1000; at++) flood.push(await world.tcp());
    await until(() => world.outcomes.length >= 1000 - pendingMax);
    expect(world.listener.counts.pending).toBe(pendingMax);
    expect(world.outcomes).toEqual(world.outcomes.map(() => coded('MESH_ERR_TRANSPORT_BUSY')));
    const { peer } = await world.connect();
    expect(peer.isHardware).toBe(false);
    await until(() => world.listener.counts.open <= pendingMax + 1);
    await until(() => !(world.outcomes.at(-1) instanceof Error));
    expect(world.outcomes.at(-1)).toMatchObject({ identity: CLIENT_SPORE });
    expect(flood.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(pendingMax);
  });

  it('says when it cannot listen', async () => {
    await using world = await attestedWorld();
    const { port } = world.listener;
    await expect(attestedWorld({ port })).rejects.toEqual(coded('MESH_ERR_TRANSPORT_LISTEN'));
  });

  it('shows its new key to the next client after a renewal', async () => {
    await using world = await attestedWorld();
    const before = await world.connect();
    world.listener.renew(clientIdentity);
    const after = await world.connect();
    expect(after.peer.publicKey).toEqual(clientIdentity.publicKey);
    expect(before.peer.publicKey).not.toEqual(after.peer.publicKey);
  });
});
