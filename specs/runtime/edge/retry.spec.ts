import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../../runtime/edge/routing-table.ts';
import { codeIn, startEdge, statusesOf, until } from './edge-world.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const serve = (socket: Socket): void => void socket.on('data', () => socket.write(OK));
const die = (socket: Socket): void => void socket.once('data', () => socket.resetAndDestroy());
const ask = (method: string, fields = '', body = ''): string =>
  `${method} /app/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n${body}`;

/** An address where nothing listens: its server was just closed. */
async function deadTarget(world: Awaited<ReturnType<typeof startEdge>>): Promise<Target> {
  const upstream = await world.net(() => {});
  await upstream.close();
  return upstream.target;
}

describe('a second try', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
    'is made elsewhere for %s when the connection broke before a response',
    async (method) => {
      await using world = await startEdge();
      const [bad, good] = [await world.net(die), await world.net(serve)];
      world.routes.publish('app', [good.target, bad.target]);
      for (let round = 0; round < 2; round++)
        expect(statusesOf(await world.ask(ask(method)))).toEqual([200]);
      expect(bad.received()).not.toBe('');
      expect(world.edge.counters().apps['app']).toMatchObject({ retries: 1, requests: 2 });
    },
  );

  it('repeats a body that is still at hand', async () => {
    await using world = await startEdge();
    const [bad, good] = [await world.net(die), await world.net(serve)];
    world.routes.publish('app', [good.target, bad.target]);
    await world.ask(ask('PUT', 'Content-Length: 5\r\n', 'first'));
    const answer = await world.ask(ask('PUT', 'Content-Length: 6\r\n', 'second'));
    expect(statusesOf(answer)).toEqual([200]);
    expect(good.received()).toMatch(/first$|second$/);
    expect(good.received().match(/PUT/g)).toHaveLength(2);
  });

  it('is not made for a POST that an instance may have begun', async () => {
    await using world = await startEdge();
    const bad = await world.net(die);
    const good = await world.net(serve);
    world.routes.publish('app', [good.target, bad.target]);
    const answers = [await world.ask(ask('POST')), await world.ask(ask('POST'))];
    expect(new Set(answers.flatMap(statusesOf))).toEqual(new Set([200, 502]));
    expect(good.received().match(/POST/g)).toHaveLength(1);
  });

  it('is made for any method when no connection could be opened', async () => {
    await using world = await startEdge();
    const good = await world.net(serve);
    world.routes.publish('app', [await deadTarget(world), good.target]);
    for (const body of ['', 'Content-Length: 0\r\n', 'Content-Length: 3\r\n'])
      for (let round = 0; round < 2; round++) {
        const text = ask('POST', body, body.includes('3') ? 'abc' : '');
        expect(statusesOf(await world.ask(text))).toEqual([200]);
      }
  });

  it('is not made once a byte of the response came', async () => {
    await using world = await startEdge();
    const halfDead = await world.net((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-')),
    );
    const good = await world.net(serve);
    world.routes.publish('app', [good.target, halfDead.target]);
    const answers = [await world.ask(ask('GET')), await world.ask(ask('GET'))];
    expect(new Set(answers.flatMap(statusesOf))).toEqual(new Set([200, 502]));
  });

  it('is made only once', async () => {
    await using world = await startEdge();
    const upstreams = [await world.net(die), await world.net(die), await world.net(die)];
    world.routes.publish(
      'app',
      upstreams.map(({ target }) => target),
    );
    const answer = await world.ask(ask('GET'));
    expect(codeIn(answer)).toBe('MESH_ERR_EDGE_UPSTREAM_CLOSED');
    expect(upstreams.filter((upstream) => upstream.received() !== '')).toHaveLength(2);
  });

  it('is not made when nobody listens anywhere', async () => {
    await using world = await startEdge();
    world.routes.publish('app', [await deadTarget(world)]);
    const answer = await world.ask(ask('GET'));
    expect(statusesOf(answer)).toEqual([502]);
    expect(codeIn(answer)).toBe('MESH_ERR_EDGE_UPSTREAM_UNREACHABLE');
  });

  it('goes to the same instance over a new connection when an idle one had been closed', async () => {
    await using world = await startEdge();
    let connections = 0;
    const upstream = await world.net((socket) => {
      connections++;
      socket.once('data', () => {
        socket.write(OK);
        // The second request finds a connection that is reset under it.
        socket.once('data', () => socket.resetAndDestroy());
      });
    });
    world.routes.publish('app', [upstream.target]);
    for (let round = 0; round < 3; round++)
      expect(statusesOf(await world.ask(ask('GET')))).toEqual([200]);
    expect(connections).toBe(3);
    const [route] = world.routes.snapshot();
    expect(route?.targets[0]?.failuresInRow).toBe(0);
  });
});

describe('connections to instances', () => {
  it('are used again after a clean end', async () => {
    await using world = await startEdge();
    let connections = 0;
    const upstream = await world.net((socket) => {
      connections++;
      serve(socket);
    });
    world.routes.publish('app', [upstream.target]);
    for (let round = 0; round < 20; round++) await world.ask(ask('GET'));
    expect(connections).toBe(1);
  });

  it.each([
    ['says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['is HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['is longer than it says', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!'],
  ])('are closed after a response that %s', async (_, response) => {
    await using world = await startEdge();
    const upstream = await world.net((socket) => socket.on('data', () => socket.write(response)));
    world.routes.publish('app', [upstream.target]);
    expect(await world.ask(ask('GET'))).toMatch(/ok$/);
    await until(() => upstream.sockets.size === 0, 'the end of the connection');
  });

  it('are closed when idle for longer than the instance promises', async () => {
    await using world = await startEdge({ upstreamIdleTimeoutMs: 40 });
    const upstream = await world.net(serve);
    world.routes.publish('app', [upstream.target]);
    await world.ask(ask('GET'));
    await until(() => upstream.sockets.size === 0, 'the end of the idle connection');
    expect(world.routes.snapshot()[0]?.targets[0]?.idleConnections).toBe(0);
  });

  it('are not kept to an instance that promises less than a moment', async () => {
    await using world = await startEdge();
    let connections = 0;
    const upstream = await world.net((socket) => {
      connections++;
      socket.on('data', () =>
        socket.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=1\r\n\r\n')),
      );
    });
    world.routes.publish('app', [upstream.target]);
    for (let round = 0; round < 3; round++) await world.ask(ask('GET'));
    expect(connections).toBe(3);
  });
});
