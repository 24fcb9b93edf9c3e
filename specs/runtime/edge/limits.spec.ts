import { describe, expect, it } from 'vitest';
import { codeIn, startEdge, startEdgeFor, statusesOf, until } from './edge-world.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createEdge } from '../../../runtime/edge/edge.ts';
import { DEFAULT_LIMITS, tickMs } from '../../../runtime/edge/limits.ts';

const HEAD = 'GET /app/ HTTP/1.1\r\nHost: a\r\n';
const ok = (_: unknown, response: { end(text: string): void }): void => response.end('ok');

const CODES: Readonly<Record<number, string>> = {
  413: 'MESH_ERR_EDGE_BODY_TOO_LARGE',
  414: 'MESH_ERR_EDGE_TARGET_TOO_LONG',
  431: 'MESH_ERR_EDGE_HEAD_TOO_LARGE',
};

describe('limits of size', () => {
  it.each([
    ['a long target', `GET /app/${'a'.repeat(3000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
    ['an endless target', `GET /app/${'a'.repeat(9000)}`, 414],
    ['a long field', `${HEAD}X: ${'a'.repeat(3000)}\r\n\r\n`, 431],
    ['an endless field', `${HEAD}X: ${'a'.repeat(9000)}`, 431],
    ['many fields', `${HEAD}${'X: a\r\n'.repeat(20)}\r\n`, 431],
    ['an announced body', `${HEAD}Content-Length: 1001\r\n\r\n`, 413],
    ['chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n3e9\r\n${'a'.repeat(1001)}`, 413],
    ['an enormous number', `${HEAD}Content-Length: 999999999999999\r\n\r\n`, 413],
  ])('refuse %s', async (_, text, status) => {
    await using world = await startEdgeFor(ok, {
      headBytesMax: 2048,
      fieldsMax: 16,
      bodyBytesMax: 1000,
    });
    const answer = await world.ask(text);
    expect(statusesOf(answer)).toEqual([status]);
    expect(codeIn(answer)).toBe(CODES[status]);
    expect(world.upstream.received()).toBe('');
  });

  it('allow exactly what they say', async () => {
    await using world = await startEdge({ headBytesMax: 200, fieldsMax: 3, bodyBytesMax: 9 });
    const upstream = await world.net((socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
    );
    world.routes.publish('app', [upstream.target]);
    const fields = 'Connection: close\r\nContent-Length: 9\r\n\r\n';
    const fill = 200 - `GET /app/ HTTP/1.1\r\nHost: a\r\n${fields}`.length;
    const head = `GET /app/${'x'.repeat(fill)} HTTP/1.1\r\nHost: a\r\n${fields}`;
    expect(head).toHaveLength(200);
    expect(statusesOf(await world.ask(`${head}123456789`))).toEqual([200]);
    const longer = head.replace('/app/', '/app/x');
    expect(statusesOf(await world.ask(`${longer}123456789`))).toEqual([431]);
  });

  it('stop a body that grows too long after its head was forwarded', async () => {
    await using world = await startEdgeFor(() => {}, { bodyBytesMax: 10 });
    const client = world.client().send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
    await until(() => world.upstream.received().includes('hello'), 'the first chunk');
    client.send('6\r\n world\r\n');
    expect(codeIn(await client.closed())).toBe('MESH_ERR_EDGE_BODY_TOO_LARGE');
    await until(() => world.upstream.sockets.size === 0, 'the reset');
  });

  it('stop reading a client that sends ahead too much', async () => {
    await using world = await startEdgeFor(() => {}, { pipelinedBytesMax: 1024 });
    const client = world.client().send(`${HEAD}\r\n`);
    await until(() => world.upstream.received() !== '', 'the first request');
    let sent = 0;
    while (client.socket.write(Buffer.alloc(65_536, 'a')) && sent < 512) sent++;
    await until(() => client.socket.writableLength > 0, 'back-pressure');
    expect(world.edge.counters().connections).toBe(1);
  });

  it('answer 503 beyond the number of connections, and serve again when one is free', async () => {
    await using world = await startEdgeFor(ok, { connectionsMax: 2 });
    const clients = [world.client(), world.client()];
    for (const client of clients) await client.send(`${HEAD}\r\n`).receives(/ok$/);
    const refused = await world.client().closed();
    expect(statusesOf(refused)).toEqual([503]);
    expect(refused).toMatch(/\r\nRetry-After: 1\r\n[^]*MESH_ERR_EDGE_CONNECTIONS_LIMIT/);
    clients[0]?.socket.destroy();
    await until(() => world.edge.counters().connections === 1, 'a free place');
    expect(statusesOf(await world.ask(`${HEAD}Connection: close\r\n\r\n`))).toEqual([200]);
  });
});

describe('limits of time', () => {
  it.each([
    ['a head', `${HEAD}X: `],
    ['a request line', 'G'],
  ])('answer 408 when %s does not end', async (_, text) => {
    await using world = await startEdgeFor(ok, { headTimeoutMs: 60 });
    const client = world.client().send(text);
    const dripping = setInterval(() => client.send('A'), 15);
    try {
      expect(codeIn(await client.closed())).toBe('MESH_ERR_EDGE_REQUEST_TIMEOUT');
    } finally {
      clearInterval(dripping);
    }
    expect(world.upstream.received()).toBe('');
  });

  it('answer 408 when a body pauses', async () => {
    await using world = await startEdgeFor(() => {}, { bodyIdleTimeoutMs: 60 });
    const client = world.client().send(`${HEAD}Content-Length: 9\r\n\r\nabc`);
    const answer = await client.closed();
    expect(statusesOf(answer)).toEqual([408]);
    await until(() => world.upstream.sockets.size === 0, 'the reset');
  });

  it('close a silent connection without a word', async () => {
    await using world = await startEdgeFor(ok, { keepAliveTimeoutMs: 50 });
    expect(await world.client().closed()).toBe('');
    const client = world.client().send(`${HEAD}\r\n`);
    expect(statusesOf(await client.closed())).toEqual([200]);
  });

  it('answer 504 when an instance does not respond, and count that as its failure', async () => {
    await using world = await startEdgeFor(() => {}, { responseTimeoutMs: 60 });
    const kinds: string[] = [];
    world.routes.onTargetFailure((instance, kind) => kinds.push(`${instance} ${kind}`));
    const answer = await world.ask(`${HEAD}Connection: close\r\n\r\n`);
    expect(statusesOf(answer)).toEqual([504]);
    expect(codeIn(answer)).toBe('MESH_ERR_EDGE_UPSTREAM_TIMEOUT');
    expect(kinds).toEqual([`${world.upstream.target.instance} timeout`]);
    await until(() => world.upstream.sockets.size === 0, 'the reset');
  });

  it('answer 504 when an instance does not accept the connection', async () => {
    await using world = await startEdge({ connectTimeoutMs: 50 });
    // TEST-NET-1 (RFC 5737): nothing answers there, or the network refuses at once.
    world.routes.publish('app', [{ instance: 'i', app: 'app', host: '192.0.2.1', port: 9 }]);
    const answer = await world.ask(`${HEAD}Connection: close\r\n\r\n`);
    expect([502, 504]).toContain(statusesOf(answer)[0]);
  });

  it('cut a response that stands still', async () => {
    await using world = await startEdge({ streamIdleTimeoutMs: 60 });
    const upstream = await world.net((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'));
    });
    world.routes.publish('app', [upstream.target]);
    expect(await world.ask(`${HEAD}\r\n`)).toMatch(/abc$/);
    await until(() => upstream.sockets.size === 0, 'the reset');
  });

  it('let a response go on for as long as it moves', async () => {
    await using world = await startEdge({ streamIdleTimeoutMs: 80 });
    const upstream = await world.net((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
        let sent = 0;
        const timer = setInterval(() => {
          socket.write('x');
          if (++sent === 10) clearInterval(timer);
        }, 20);
      });
    });
    world.routes.publish('app', [upstream.target]);
    expect(await world.ask(`${HEAD}Connection: close\r\n\r\n`)).toMatch(/x{10}$/);
  });

  it('cut off a client that does not close after a refusal', async () => {
    await using world = await startEdge({ lingerTimeoutMs: 50 });
    const client = world.client();
    client.socket.allowHalfOpen = true;
    client.send('nonsense\r\n');
    await client.receives('MESH_ERR_EDGE_HEAD_MALFORMED');
    await until(() => world.edge.counters().connections === 0, 'the end');
  });
});

describe('tickMs', () => {
  it('is an eighth of the shortest time, within bounds', () => {
    expect(tickMs(DEFAULT_LIMITS)).toBe(125);
    expect(tickMs({ ...DEFAULT_LIMITS, headTimeoutMs: 80 })).toBe(10);
    expect(tickMs({ ...DEFAULT_LIMITS, headTimeoutMs: 1 })).toBe(5);
  });
});

describe('edge', () => {
  it('says why it cannot listen', async () => {
    await using world = await startEdge();
    const { port, routes } = world;
    const other = createEdge({ routes, clock: systemClock, port });
    await expect(other.listen()).rejects.toMatchObject({
      code: 'MESH_ERR_EDGE_LISTEN',
      retryable: true,
      cause: { code: 'EADDRINUSE' },
    });
  });

  it('lets requests end when it closes, and accepts no more', async () => {
    let respond = (): void => {};
    await using world = await startEdgeFor((_, response) => {
      respond = () => response.end('late');
    });
    const idle = world.client().send('GET /none/ HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.receives('MESH_ERR_EDGE_APP_UNKNOWN');
    const busy = world.client().send(`${HEAD}\r\n`);
    await until(() => world.upstream.received() !== '', 'the request');
    const closing = world.edge.close(5_000);
    await idle.closed();
    const late = world.client();
    await late.closed();
    respond();
    expect(await busy.closed()).toMatch(/\r\nConnection: close\r\n[^]*late$/);
    expect(await closing).toEqual({ cancelled: 0 });
    expect(late.received).toBe('');
  });

  it('ends what is left at the deadline of its close', async () => {
    await using world = await startEdgeFor((_, response) => {
      response.write('half');
    });
    const unanswered = await world.net(() => {}, 'slow');
    world.routes.publish('slow', [unanswered.target]);
    const half = world.client().send(`${HEAD}\r\n`);
    await half.receives('half');
    const waiting = world.client().send(`${HEAD.replace('app', 'slow')}\r\n`);
    const partial = world.client().send('GET /app');
    await until(() => unanswered.received() !== '', 'the request');
    await until(() => world.edge.counters().connections === 3, 'the third');
    expect(await world.edge.close(30)).toEqual({ cancelled: 2 });
    expect(codeIn(await waiting.closed())).toBe('MESH_ERR_EDGE_DRAINED');
    expect(await half.closed()).toMatch(/half\r\n$/);
    expect(await partial.closed()).toBe('');
  });
});
