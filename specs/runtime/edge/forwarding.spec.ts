import type { RequestListener } from 'node:http';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { codeIn, startEdge, startEdgeFor, statusesOf } from './edge-world.ts';

/** Answers with what arrived. */
const mirror: RequestListener = (incoming, response) => {
  let body = '';
  incoming.setEncoding('latin1').on('data', (text: string) => {
    body += text;
  });
  incoming.on('end', () => {
    const { method, url, rawHeaders, rawTrailers } = incoming;
    response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }));
  });
};

interface Mirrored {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  readonly body: string;
}

const mirrored = (received: string): Mirrored =>
  JSON.parse(received.slice(received.indexOf('{'), received.lastIndexOf('}') + 1)) as Mirrored;

const CLOSE = 'Connection: close\r\n\r\n';

describe('forwarding of requests', () => {
  it.each([
    ['/app', '/'],
    ['/app/', '/'],
    ['/app/rest', '/rest'],
    ['/app/a/b/?q=1&r=/x', '/a/b/?q=1&r=/x'],
    ['/app?q=1', '/?q=1'],
    ['/app/?q', '/?q'],
    ['/app//x', '//x'],
    ['/app/%2e%2e/../x', '/%2e%2e/../x'],
    ['/app/app/x', '/app/x'],
    ['/app/"|<>\\^`{}', '/"|<>\\^`{}'],
  ])('asks the instance for the rest of %s', async (target, expected) => {
    await using world = await startEdgeFor(mirror);
    const answer = await world.ask(`GET ${target} HTTP/1.1\r\nHost: a.test:80\r\n${CLOSE}`);
    expect(mirrored(answer).url).toBe(expected);
  });

  it.each(['/', '/other/x', '/ap', '/appp/', '//app/x', '/App/x', '/%61pp/x', '/app\\x', '/?app'])(
    'knows no app for %s',
    async (target) => {
      await using world = await startEdgeFor(mirror);
      const answer = await world.ask(`GET ${target} HTTP/1.1\r\nHost: a\r\n${CLOSE}`);
      expect(statusesOf(answer)).toEqual([404]);
      expect(codeIn(answer)).toBe('MESH_ERR_EDGE_APP_UNKNOWN');
      expect(world.upstream.received()).toBe('');
    },
  );

  it('drops hop-by-hop fields, also those that Connection names, and writes its own', async () => {
    await using world = await startEdgeFor(mirror);
    const answer = await world.ask(
      'POST /app/x HTTP/1.1\r\nHost: a.test\r\nX-Keep:   kept \t\r\nX-Hop: 1\r\nx-hop: 2\r\n' +
        'Connection: close, X-Hop , keep-alive\r\nKeep-Alive: timeout=9\r\nTE: trailers\r\n' +
        'Trailer: X-T\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: basic x\r\n' +
        'Proxy: evil\r\nUpgrade: h2c\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n' +
        'X-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX-Mycelium-Edge: never\r\n' +
        'Via: 1.0 before\r\nCookie: a=b\r\nCookie: c=d\r\nContent-Length: 003\r\n\r\nabc',
    );
    expect(mirrored(answer)).toEqual({
      method: 'POST',
      url: '/x',
      rawHeaders: (
        'Host a.test X-Keep kept Via 1.0_before Cookie a=b Cookie c=d Content-Length 3 ' +
        'Via 1.1_mycelium X-Forwarded-For 127.0.0.1 X-Forwarded-Proto http X-Forwarded-Host a.test'
      )
        .split(' ')
        .map((word) => word.replace('_', ' ')),
      rawTrailers: [],
      body: 'abc',
    });
  });

  it('does not let Connection take away what frames the message', async () => {
    await using world = await startEdgeFor(mirror);
    const answer = await world.ask(
      'POST /app/ HTTP/1.1\r\nHost: a\r\nConnection: close, content-length, host\r\n' +
        'Content-Length: 3\r\n\r\nabc',
    );
    expect(mirrored(answer).body).toBe('abc');
  });

  it('forwards chunks without their extensions and trailers', async () => {
    await using world = await startEdgeFor(mirror);
    const answer = await world.ask(
      'POST /app/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n' +
        '3;a=b;c="d;e"\r\nabc\r\n2\r\nde\r\n0;z\r\nContent-Length: 99\r\nX-T: t\r\n\r\n',
    );
    expect(mirrored(answer)).toMatchObject({ body: 'abcde', rawTrailers: [] });
    expect(world.upstream.received()).toMatch(/\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n$/);
  });

  it('gives an HTTP/1.0 client without Host an answer that it understands', async () => {
    await using world = await startEdgeFor((_, response) => {
      response.write('one ');
      response.end('two');
    });
    const answer = await world.ask('GET /app/x HTTP/1.0\r\nExpect: 100-continue\r\n\r\n');
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
    expect(answer).not.toMatch(/transfer-encoding/i);
    expect(answer.endsWith('\r\n\r\none two')).toBe(true);
    expect(world.upstream.received()).toContain(`Host: 127.0.0.1:${world.upstream.target.port}`);
    expect(world.upstream.received()).toContain('Via: 1.0 mycelium');
    expect(world.upstream.received()).not.toContain('Expect');
  });

  it('keeps an HTTP/1.0 connection that asks for it', async () => {
    await using world = await startEdgeFor((_, response) => response.end('ok'));
    const client = world.client();
    client.send('GET /app/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await client.receives(/\r\nConnection: keep-alive\r\n[^]*\r\n\r\nok$/);
    client.send('GET /app/ HTTP/1.0\r\n\r\n');
    expect(statusesOf(await client.closed())).toEqual([200, 200]);
  });

  it('answers pipelined requests in order, whatever they take', async () => {
    await using world = await startEdgeFor((incoming, response) => {
      const wait = incoming.url === '/0' ? 30 : 0;
      setTimeout(() => response.end(`<${incoming.url}>`), wait);
    });
    const lines = Array.from({ length: 50 }, (_, index) => `GET /app/${index} HTTP/1.1\r\nHost: a`);
    const text = `${lines.join('\r\n\r\n')}\r\nConnection: close\r\n\r\nGET /app/never`;
    const answer = await world.ask(text);
    const order = [...answer.matchAll(/<\/(\d+)>/g)].map(([, number]) => Number(number));
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(answer.match(/Connection: close/g)).toHaveLength(1);
  });

  it('goes on with a connection after its own answers', async () => {
    await using world = await startEdgeFor((_, response) => response.end('ok'));
    world.routes.publish('empty', []);
    const answer = await world.ask(
      'GET /no/ HTTP/1.1\r\nHost: a\r\n\r\nHEAD /no/ HTTP/1.1\r\nHost: a\r\n\r\n' +
        'POST /empty/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc' +
        `GET /app/ HTTP/1.1\r\nHost: a\r\n${CLOSE}`,
    );
    expect(statusesOf(answer)).toEqual([404, 404, 503, 200]);
    expect(answer.match(/Retry-After: 1\r\n/g)).toHaveLength(1);
    expect(answer).toContain('MESH_ERR_EDGE_NO_TARGET');
    expect(answer.match(/"code"/g)).toHaveLength(2);
  });

  it('forwards Expect, the 100 that answers it, and then the body', async () => {
    await using world = await startEdgeFor(mirror);
    const client = world.client();
    client.send(
      'PUT /app/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n' + CLOSE,
    );
    await client.receives('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('abc');
    expect(mirrored(await client.closed()).body).toBe('abc');
  });

  it('rounds over the targets', async () => {
    await using world = await startEdge();
    const named =
      (name: string): RequestListener =>
      (_, response) =>
        void response.end(`<${name}>`);
    const targets = [];
    for (const name of ['a', 'b', 'c']) targets.push((await world.http(named(name))).target);
    world.routes.publish('app', targets);
    const answer = await world.ask(
      `${'GET /app/ HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(8)}GET /app/ HTTP/1.1\r\nHost: a\r\n${CLOSE}`,
    );
    const order = [...answer.matchAll(/<(\w)>/g)].map(([, name]) => name).join('');
    expect('abcabcabcabc').toContain(order);
  });

  it('counts what it did', async () => {
    await using world = await startEdgeFor(mirror);
    await world.ask(
      `POST /app/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello` +
        `GET /nobody/ HTTP/1.1\r\nHost: a\r\n${CLOSE}`,
    );
    const { apps, refusals } = world.edge.counters();
    expect(refusals).toEqual({ MESH_ERR_EDGE_APP_UNKNOWN: 1 });
    expect(apps['app']).toMatchObject({
      requests: 1,
      byClass: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 0, '5xx': 0 },
      inFlight: 0,
      bytesIn: 5,
      retries: 0,
    });
    expect(apps['app']?.latency.counts.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('serves a keep-alive agent of Node', async () => {
    await using world = await startEdgeFor(mirror);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const body = 'x'.repeat(index * 1000);
        const url = `http://127.0.0.1:${world.port}/app/${index}`;
        const response = await fetch(url, { method: 'POST', body });
        return ((await response.json()) as Mirrored).body === body;
      }),
    );
    expect(answers.every(Boolean)).toBe(true);
  });

  it('passes a HEAD request with its fields and without a body', async () => {
    await using world = await startEdgeFor((_, response) => {
      response.setHeader('Content-Length', '5');
      response.end();
    });
    const status = await new Promise((resolve, reject) => {
      request({ port: world.port, path: '/app/', method: 'HEAD' }, (response) => {
        response.resume().on('end', () => resolve(response.headers['content-length']));
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe('5');
  });
});
