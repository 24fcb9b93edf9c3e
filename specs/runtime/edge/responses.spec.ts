import { describe, expect, it } from 'vitest';
import { codeIn, startEdge, statusesOf, until } from './edge-world.ts';

const GET = 'GET /app/ HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = 'GET /app/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** Asks an instance that answers each request with these bytes. */
async function answered(response: string, request: string): Promise<string> {
  await using world = await startEdge();
  const upstream = await world.net((socket) =>
    socket.on('data', (chunk: Buffer) => {
      const asked = chunk.toString('latin1').split('\r\n\r\n').length - 1;
      socket.write(response.repeat(asked), 'latin1');
    }),
  );
  world.routes.publish('app', [upstream.target]);
  return await world.ask(request);
}

describe('a response of an instance', () => {
  it('is passed with its fields renewed', async () => {
    const answer = await answered(
      'HTTP/1.1 299 Most fine\r\nX-A:  b\t \r\nX-Hop: 1\r\nConnection: x-hop\r\nVia: 1.1 inner\r\n' +
        'Keep-Alive: timeout=5\r\nProxy-Authenticate: basic\r\nX-Mycelium-Edge: forged\r\n' +
        'Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nDate: then\r\nContent-Length: 2\r\n\r\nok',
      LAST,
    );
    const stamp = /X-Mycelium-Edge: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/.exec(answer)?.[0] ?? '';
    expect(answer).toBe(
      'HTTP/1.1 299 Most fine\r\nX-A: b\r\nVia: 1.1 inner\r\nSet-Cookie: a=b\r\n' +
        'Set-Cookie: c=d\r\nDate: then\r\nContent-Length: 2\r\nConnection: close\r\n' +
        `Via: 1.1 mycelium\r\n${stamp}\r\n\r\nok`,
    );
    expect(stamp).not.toBe('');
  });

  it('gets a Date if it has none', async () => {
    const answer = await answered('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', LAST);
    expect(answer).toMatch(/\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  });

  it.each([
    ['204', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', false],
    ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', true],
  ])('without a body ends at its head: %s', async (status, response, hasLength) => {
    const answer = await answered(response, GET + LAST);
    expect(statusesOf(answer)).toEqual([Number(status), Number(status)]);
    expect(answer.includes('Content-Length')).toBe(hasLength);
  });

  it('to HEAD ends at its head, whatever it announces', async () => {
    const head = GET.replace('GET', 'HEAD');
    const sized = await answered(
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
      head + head + LAST.replace('GET', 'HEAD'),
    );
    expect(statusesOf(sized)).toEqual([200, 200, 200]);
    const chunked = await answered(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      head + LAST.replace('GET', 'HEAD'),
    );
    expect(statusesOf(chunked)).toEqual([200, 200]);
  });

  it('may be preceded by interim ones', async () => {
    const answer = await answered(
      'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      LAST,
    );
    expect(statusesOf(answer)).toEqual([103, 102, 200]);
    expect(answer).toContain('103 Early Hints\r\nLink: </x>\r\n\r\n');
  });

  it('loses chunk extensions and trailers on the way', async () => {
    const answer = await answered(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n' +
        '2;x=y\r\nok\r\n0\r\nX-T: t\r\n\r\n',
      GET + LAST,
    );
    expect(answer.match(/\r\n\r\n2\r\nok\r\n0\r\n\r\n/g)).toHaveLength(2);
    expect(answer).not.toContain('X-T');
  });

  it('without a length ends with its connection, and so does the client’s', async () => {
    await using world = await startEdge();
    const upstream = await world.net((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nall of it')),
    );
    world.routes.publish('app', [upstream.target]);
    const answer = await world.ask(GET + GET);
    expect(statusesOf(answer)).toEqual([200]);
    expect(answer).toContain('\r\nConnection: close\r\n');
    expect(answer.endsWith('\r\n\r\nall of it')).toBe(true);
  });

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
    ['a length list', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok'],
    [
      'length and coding',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['coding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a body in a 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok'],
    ['a chunked 204', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unasked switch', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['a control character', 'HTTP/1.1 200 OK\r\nX: a\0\r\nContent-Length: 0\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9\r\n\r\n'],
    ['a strange version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a short status', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of 600', 'HTTP/1.1 600 OK\r\n\r\n'],
    ['endless interim ones', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(99)],
    ['a huge head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
  ])(
    'with %s becomes a 502, and nothing of it is passed',
    async (_, response) => {
      const answer = await answered(response, LAST);
      expect(statusesOf(answer).at(-1)).toBe(502);
      expect(codeIn(answer)).toBe('MESH_ERR_EDGE_RESPONSE_MALFORMED');
      expect(statusesOf(answer).filter((status) => status >= 200)).toEqual([502]);
    },
    5_000,
  );

  it('never reaches another request when more came than was announced', async () => {
    const answer = await answered(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
      GET + GET + LAST,
    );
    expect(statusesOf(answer)).toEqual([200, 200, 200]);
    expect(answer).not.toContain('evil');
  });

  it('that was not asked for closes the connection that brought it', async () => {
    await using world = await startEdge();
    const upstream = await world.net((socket) =>
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        setImmediate(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'));
      }),
    );
    world.routes.publish('app', [upstream.target]);
    const client = world.client().send(GET);
    await client.receives(/ok$/);
    await until(() => upstream.sockets.size === 0, 'the end of the connection');
    client.send(LAST);
    expect(await client.closed()).not.toContain('evil');
  });
});
