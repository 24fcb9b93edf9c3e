import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { WebSocket as ServerSocket } from 'ws';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import {
  CLOSE_FROM_CLIENT,
  CLOSE_FROM_SERVER,
  FrameFollower,
} from '../../../runtime/edge/wire/websocket-frames.ts';
import type { EdgeWorld, Upstream } from './edge-world.ts';
import { startEdge, statusesOf, until } from './edge-world.ts';
import { cut, seeded } from './request-reader.ts';

const UPGRADE =
  'GET /app/ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** An instance that serves WebSockets, and a client's connection to it through the edge. */
async function connected(
  world: EdgeWorld,
  serve: (socket: ServerSocket) => void,
): Promise<{ client: WebSocket; upstream: Upstream }> {
  const upstream = await world.http((_, response) => response.end('plain'));
  const server = new WebSocketServer({ server: upstream.server as HttpServer });
  server.on('connection', serve);
  world.routes.publish('app', [upstream.target]);
  const client = new WebSocket(`ws://127.0.0.1:${world.port}/app/ws?q=1`);
  await once(client, 'open');
  return { client, upstream };
}

describe('a WebSocket', () => {
  it('passes messages of all sizes both ways', async () => {
    await using world = await startEdge();
    const { client, upstream } = await connected(world, (socket) =>
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 3_000_000]) {
      const sent = Buffer.alloc(size, 'é');
      client.send(sent);
      const [received] = (await once(client, 'message')) as [Buffer];
      expect(received.equals(sent)).toBe(true);
    }
    expect(upstream.received()).toContain('GET /ws?q=1 HTTP/1.1\r\n');
    expect(upstream.received()).toContain('\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    client.close(4000, 'bye');
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(4000);
    await until(() => world.routes.inFlight(upstream.target.instance) === 0, 'the end');
    expect(world.edge.counters().apps['app']?.byClass['1xx']).toBe(1);
  });

  it('that the instance refuses becomes a plain response', async () => {
    await using world = await startEdge();
    const upstream = await world.http((_, response) => response.writeHead(426).end('no'));
    world.routes.publish('app', [upstream.target]);
    const client = world.client().send(UPGRADE);
    await client.receives(/^HTTP\/1\.1 426 [^]*no\r\n0\r\n\r\n$/);
    client.send(UPGRADE);
    await until(() => statusesOf(client.received).length === 2, 'the second response');
  });

  it('is asked for only as the standard says, and nothing else is upgraded', async () => {
    await using world = await startEdge();
    const upstream = await world.http((_, response) => response.end('plain'));
    world.routes.publish('app', [upstream.target]);
    for (const text of [
      UPGRADE.replace('WebSocket\r\n', 'h2c\r\n'),
      UPGRADE.replace('keep-alive, Upgrade', 'keep-alive'),
      UPGRADE.replace('GET', 'POST'),
      UPGRADE.replace('\r\n\r\n', '\r\nContent-Length: 1\r\n\r\nx'),
    ])
      await world
        .client()
        .send(text)
        .receives(/plain$/);
    expect(upstream.received()).not.toMatch(/upgrade/i);
  });

  it('ends for the instance when the client leaves, and the other way round', async () => {
    await using world = await startEdge();
    const ends: number[] = [];
    const { client, upstream } = await connected(world, (socket) =>
      socket.on('close', (code) => ends.push(code)),
    );
    client.terminate();
    await until(() => ends.length === 1, 'the end at the instance');
    const other = new WebSocket(`ws://127.0.0.1:${world.port}/app/`);
    await once(other, 'open');
    for (const socket of upstream.sockets) socket.destroy();
    await once(other, 'close');
  });

  it('that is drained gets 1001 at both ends, between two frames', async () => {
    await using world = await startEdge();
    const ends: number[] = [];
    const { client, upstream } = await connected(world, (socket) => {
      socket.on('close', (code) => ends.push(code));
      const talk = setInterval(() => socket.send('x'.repeat(70_000)), 1);
      socket.on('close', () => clearInterval(talk));
    });
    await once(client, 'message');
    const { instance } = upstream.target;
    const draining = world.routes.drain(instance, { deadlineMs: 20, clock: systemClock });
    const [code] = (await once(client, 'close')) as [number];
    expect(code).toBe(1001);
    expect(await draining).toEqual({ cancelled: 1 });
    await until(() => ends.length === 1, 'the end at the instance');
    expect(ends).toEqual([1001]);
  });

  it('whose client does not answer the close frame ends after a grace', async () => {
    await using world = await startEdge({ closeGraceMs: 50 });
    const upstream = await world.http(() => {});
    const server = new WebSocketServer({ server: upstream.server as HttpServer });
    server.on('connection', () => {});
    world.routes.publish('app', [upstream.target]);
    const client = world.client().send(UPGRADE);
    await client.receives('101 Switching Protocols');
    const { instance } = upstream.target;
    const drained = await world.routes.drain(instance, { deadlineMs: 0, clock: systemClock });
    expect(drained).toEqual({ cancelled: 1 });
    const last = (await client.closed()).slice(-CLOSE_FROM_SERVER.length);
    expect(Buffer.from(last, 'latin1')).toEqual(CLOSE_FROM_SERVER);
  });
});

describe('FrameFollower', () => {
  const frame = (size: number, isMasked: boolean): Buffer => {
    const length = size < 126 ? [size] : size < 65_536 ? [126, size >> 8, size & 255] : [];
    const long = Buffer.alloc(9, 127);
    long.writeBigUInt64BE(BigInt(size), 1);
    const head = length.length > 0 ? Buffer.from(length) : long;
    head[0] = (head[0] as number) | (isMasked ? 0x80 : 0);
    const mask = Buffer.alloc(isMasked ? 4 : 0, 0xff);
    return Buffer.concat([Buffer.from([0x82]), head, mask, Buffer.alloc(size, 0x88)]);
  };

  it('finds the end of every frame, however the bytes are cut', () => {
    const fraction = seeded(5);
    for (const isMasked of [false, true]) {
      const frames = [0, 1, 125, 126, 300, 65_535, 65_536, 70_000].map((n) => frame(n, isMasked));
      for (const mean of [0.4, 3, 1000, 1e6]) {
        const follower = new FrameFollower();
        const ends: number[] = [];
        let offset = 0;
        for (const piece of cut(Buffer.concat(frames), mean, fraction)) {
          for (let at = 0; at < piece.length;) {
            at = follower.feed(piece, at, piece.length, true);
            if (follower.isAtBoundary) ends.push(offset + at);
          }
          offset += piece.length;
        }
        let sum = 0;
        expect(ends).toEqual(frames.map(({ length }) => (sum += length)));
        expect(follower.sawClose).toBe(false);
      }
    }
  });

  it('sees a close frame', () => {
    for (const close of [CLOSE_FROM_CLIENT, CLOSE_FROM_SERVER]) {
      const follower = new FrameFollower();
      follower.feed(close, 0, close.length, false);
      expect(follower).toMatchObject({ sawClose: true, isAtBoundary: true });
    }
  });
});
