import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createHealthProbe, HEALTH_BODY_BYTES_MAX } from '../../../runtime/adapters/health.http.ts';

const health = createHealthProbe({ clock: systemClock });
const NEVER = new AbortController().signal;

/** Answers each connection as told, byte by byte, and keeps what it was asked. */
async function answering(answer: (socket: Socket) => void) {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', (data) => {
      requests.push(data.toString('latin1'));
      answer(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    port,
    requests,
    [Symbol.dispose](): void {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function probeOf(answer: (socket: Socket) => void, timeoutMs = 2_000) {
  using server = await answering(answer);
  return await health.probe({ port: server.port, path: '/health', timeoutMs }, NEVER);
}

const PASSED = { ok: true, status: 200 };

describe('HealthProbe', () => {
  it('asks for the path on a connection of its own', async () => {
    using server = await answering((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    await health.probe({ port: server.port, path: '/ready?deep=1', timeoutMs: 2_000 }, NEVER);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatch(/^GET \/ready\?deep=1 HTTP\/1\.1\r\n/);
    expect(server.requests[0]).toMatch(/\r\nconnection: close\r\n/i);
  });

  it.each([
    ['a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['an early hint before', 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ])('takes 200 with %s', async (_, answer) => {
    expect(await probeOf((socket) => socket.end(answer))).toEqual(PASSED);
  });

  it('does not wait for the end of an enormous body', async () => {
    const head = 'HTTP/1.1 200 OK\r\n\r\n';
    const body = 'x'.repeat(HEALTH_BODY_BYTES_MAX + 1);
    expect(await probeOf((socket) => socket.write(head + body))).toEqual(PASSED);
  });

  it.each([
    ['HTTP/1.1 204 No Content\r\n\r\n', 204, 'HTTP 204'],
    ['HTTP/1.1 302 Found\r\nLocation: /health2\r\n\r\n', 302, 'HTTP 302'],
    ['HTTP/1.1 500 Oh\r\n\r\n', 500, 'HTTP 500'],
    ['HTTP/1.1 101 Up\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 101, 'HTTP 101'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok', 200, 'HTTP 200, and the body was cut off'],
    ['hello\r\n', null, 'no valid answer (HPE_INVALID_CONSTANT)'],
    [
      `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      null,
      'no valid answer (HPE_HEADER_OVERFLOW)',
    ],
    ['', null, 'connection reset before an answer'],
  ])('fails for %j', async (answer, status, message) => {
    expect(await probeOf((socket) => socket.end(answer))).toEqual({ ok: false, status, message });
  });

  it.each([
    ['', null, 'no answer within 30 ms'],
    ['HTTP/1.1 200 OK\r\n', null, 'no answer within 30 ms'],
    ['HTTP/1.1 200 OK\r\n\r\nx', 200, 'HTTP 200, and the body did not end within 30 ms'],
  ])('fails in time when %j is all that comes', async (answer, status, message) => {
    const result = await probeOf((socket) => socket.write(answer), 30);
    expect(result).toEqual({ ok: false, status, message });
  });

  it('says that nobody listens when all its wait was for that', async () => {
    using server = await answering(() => {});
    const { port } = server;
    server[Symbol.dispose]();
    for (const timeoutMs of [15, 200]) {
      const request = { port, path: '/', timeoutMs, connectWithinMs: 30 };
      const result = await health.probe(request, NEVER);
      expect(result).toEqual({ ok: false, status: null, message: 'connection refused' });
    }
  });

  it('ends at once when it is aborted', async () => {
    const abort = new AbortController();
    using server = await answering(() => abort.abort(new Error('enough')));
    const request = { port: server.port, path: '/', timeoutMs: 60_000 };
    await expect(health.probe(request, abort.signal)).rejects.toThrow('enough');
  });
});
