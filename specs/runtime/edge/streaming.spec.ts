import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { codeIn, startEdge, startEdgeFor, statusesOf, until } from './edge-world.ts';

const GET = 'GET /app/ HTTP/1.1\r\nHost: a\r\n\r\n';
const MIB = 2 ** 20;
/** What the kernel holds for two loopback connections, both ends, and what the edge adds. */
const IN_TRANSIT_MAX = 24 * MIB;

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('streaming', () => {
  it('does not take more of a response than the client does', async () => {
    const total = 64 * MIB;
    let written = 0;
    await using world = await startEdgeFor((_, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x');
      response.setHeader('Content-Length', total);
      const more = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    const client = world.client();
    let received = 0;
    client.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.socket.pause();
    client.send(GET);
    let before = -1;
    await until(() => {
      const isStill = written > 0 && written === before;
      before = written;
      return isStill && performance.now() % 50 < 5;
    }, 'the upstream to stand still');
    expect(written).toBeLessThan(IN_TRANSIT_MAX);
    client.socket.resume();
    await until(() => received > total, 'the rest');
    expect(world.edge.counters().apps['app']).toMatchObject({ requests: 1, bytesOut: total });
  });

  it('does not take more of a request than the instance does', async () => {
    const total = 64 * MIB;
    let read = 0;
    let start = (): void => {};
    await using world = await startEdgeFor((incoming, response) => {
      start = () => {
        incoming.on('data', (chunk: Buffer) => {
          read += chunk.length;
        });
        incoming.on('end', () => response.end('taken'));
      };
    });
    const client = world.client();
    client.send(`PUT /app/ HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
    const chunk = Buffer.alloc(64 * 1024, 'y');
    let sent = 0;
    const more = (): void => {
      while (sent < total) {
        sent += chunk.length;
        if (!client.socket.write(chunk)) return void client.socket.once('drain', more);
      }
    };
    more();
    let before = -1;
    await until(() => {
      const isStill = world.upstream.received().length > 0 && sent === before;
      before = sent;
      return isStill && performance.now() % 50 < 5;
    }, 'the client to stand still');
    expect(sent).toBeLessThan(IN_TRANSIT_MAX);
    start();
    await client.receives('taken');
    expect(read).toBe(total);
    expect(world.edge.counters().apps['app']?.bytesIn).toBe(total);
  });

  it('passes bytes of every value both ways', async () => {
    await using world = await startEdgeFor((incoming, response) => void incoming.pipe(response));
    for (const size of [1, 255, 5_000, 16_384, 70_000, 3_000_000]) {
      const body = randomBytes(size);
      for (const chunked of [false, true]) {
        const response = await fetch(`http://127.0.0.1:${world.port}/app/`, {
          method: 'POST',
          body: chunked ? new Blob([body]).stream() : body,
          duplex: 'half',
        });
        expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(body));
      }
    }
  });

  it('passes each server-sent event when it is sent', async () => {
    const say: ((text: string) => void)[] = [];
    await using world = await startEdgeFor((_, response) => {
      response.setHeader('Content-Type', 'text/event-stream');
      response.flushHeaders();
      say.push((text) => response.write(text));
    });
    const client = world.client().send(GET);
    await client.receives('text/event-stream');
    for (const event of ['data: one\n\n', 'data: two\n\n', 'data: three\n\n']) {
      say[0]?.(event);
      await client.receives(event);
    }
  });

  it('lets both sides talk at once', async () => {
    await using world = await startEdgeFor((incoming, response) => void incoming.pipe(response));
    const client = world.client();
    client.send('POST /app/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const word of ['ping', 'pong', 'done']) {
      client.send(`4\r\n${word}\r\n`);
      await client.receives(`4\r\n${word}\r\n`);
    }
    client.send('0\r\n\r\n');
    await client.receives('\r\n0\r\n\r\n');
    client.send(GET);
    await until(() => statusesOf(client.received).length === 2, 'a second response');
  });

  it.each(['before the head', 'within the body'])(
    'ends the instance’s work when the client leaves %s',
    async (when) => {
      let hasLeft = false;
      await using world = await startEdgeFor((_, response) => {
        response.on('close', () => {
          hasLeft = !response.writableEnded;
        });
        if (when === 'within the body') response.write('some');
      });
      const client = world.client().send(GET);
      await until(() => world.upstream.received() !== '', 'the request');
      if (when === 'within the body') await client.receives('some');
      client.socket.destroy();
      await until(() => hasLeft, 'the end of the work');
      await until(() => world.routes.inFlight(world.upstream.target.instance) === 0, 'none');
      expect(world.edge.counters().apps['app']).toMatchObject({ inFlight: 0, aborted: 1 });
    },
  );

  it.each([
    ['a length', 'Content-Length: 100\r\n\r\nsome', false],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n', false],
    ['neither', '\r\nsome', true],
  ])('never makes a broken body with %s look whole', async (_, rest, isReset) => {
    await using world = await startEdge();
    const upstream = await world.net((socket) =>
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\n${rest}`);
      }),
    );
    world.routes.publish('app', [upstream.target]);
    const client = world.client();
    let wasReset = false;
    client.socket.on('error', () => {
      wasReset = true;
    });
    client.send(GET);
    await client.receives('some');
    for (const socket of upstream.sockets) socket.resetAndDestroy();
    expect(await client.closed()).toMatch(/some(?:\r\n)?$/);
    if (isReset) expect(wasReset).toBe(true);
  });

  it('passes a response that comes before the request’s end, and then closes', async () => {
    await using world = await startEdgeFor((_, response) => {
      response.statusCode = 413;
      response.end('too much');
    });
    const client = world.client();
    client.send('POST /app/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nstart');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 413 [^]*too much$/);
  });

  it('answers 502 when the instance dies without a response', async () => {
    await using world = await startEdge();
    const upstream = await world.net((socket) => socket.once('data', () => socket.destroy()));
    world.routes.publish('app', [upstream.target]);
    const text =
      'POST /app/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx';
    const answer = await world.ask(text);
    expect(statusesOf(answer)).toEqual([502]);
    expect(codeIn(answer)).toBe('MESH_ERR_EDGE_UPSTREAM_CLOSED');
  });
});
