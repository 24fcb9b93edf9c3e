import { describe, expect, it } from 'vitest';
import { codeIn, startEdge, statusesOf, until } from './edge-world.ts';
import { cut, seeded } from './request-reader.ts';

const HOST = 'Host: a\r\n';
const post = (fields: string, body = ''): string =>
  `POST /app/x HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const get = (fields: string): string => `GET /app/x HTTP/1.1\r\n${HOST}${fields}\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const HIDDEN = 'GET /app/hidden HTTP/1.1\r\nHost: a\r\n\r\n';

const FRAMING = 'MESH_ERR_EDGE_FRAMING_AMBIGUOUS';
const HEAD = 'MESH_ERR_EDGE_HEAD_MALFORMED';
const HOSTS = 'MESH_ERR_EDGE_HOST_INVALID';
const FORM = 'MESH_ERR_EDGE_TARGET_FORM';
const BODY = 'MESH_ERR_EDGE_BODY_MALFORMED';

/** Name, bytes, code. Each is a way in which two recipients came to disagree. */
const CORPUS: readonly (readonly [string, string, string])[] = [
  ['CL.TE', post(`Content-Length: 6\r\n${CHUNKED}`, `0\r\n\r\n${HIDDEN}`), FRAMING],
  ['TE.CL', post(`${CHUNKED}Content-Length: 4\r\n`, `5c\r\n${HIDDEN}0\r\n\r\n`), FRAMING],
  ['TE twice', post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n'), FRAMING],
  ['TE list', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), FRAMING],
  ['TE identity', post('Transfer-Encoding: identity\r\n', HIDDEN), FRAMING],
  ['TE xchunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), FRAMING],
  ['TE chunked;q=1', post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'), FRAMING],
  ['TE quoted', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'), FRAMING],
  ['TE empty', post('Transfer-Encoding:\r\n', HIDDEN), FRAMING],
  ['TE with vertical tab', post('Transfer-Encoding: \vchunked\r\n', '0\r\n\r\n'), HEAD],
  ['TE name with space', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), HEAD],
  ['TE name with tab', post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'), HEAD],
  ['TE name with NUL', post('Transfer-Encoding\0: chunked\r\n', '0\r\n\r\n'), HEAD],
  ['TE folded', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), HEAD],
  ['TE behind a bare LF', post('X: y\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), HEAD],
  ['TE behind a bare CR', post('X: y\rTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), HEAD],
  ['TE in HTTP/1.0', `POST /app/ HTTP/1.0\r\n${HOST}${CHUNKED}\r\n0\r\n\r\n`, FRAMING],
  ['CL twice, equal', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'), FRAMING],
  ['CL twice, different', post('Content-Length: 3\r\nContent-Length: 0\r\n', 'abc'), FRAMING],
  ['CL list', post('Content-Length: 3, 3\r\n', 'abc'), FRAMING],
  ['CL with plus', post('Content-Length: +3\r\n', 'abc'), FRAMING],
  ['CL negative', post('Content-Length: -3\r\n', 'abc'), FRAMING],
  ['CL hex', post('Content-Length: 0x3\r\n', 'abc'), FRAMING],
  ['CL with underscore', post('Content-Length: 3_0\r\n', 'abc'), FRAMING],
  ['CL with space inside', post('Content-Length: 3 0\r\n', 'abc'), FRAMING],
  ['CL empty', post('Content-Length:\r\n', 'abc'), FRAMING],
  ['CL too large', post('Content-Length: 18446744073709551616\r\n', 'abc'), FRAMING],
  ['CL with a superscript', post('Content-Length: \xb3\r\n', 'abc'), FRAMING],
  ['CL name with space before', post(' Content-Length: 3\r\n', 'abc'), HEAD],
  ['first line folded', `GET /app/ HTTP/1.1\r\n ${HOST}\r\n`, HEAD],
  ['folded field', get('X: a\r\n b\r\n'), HEAD],
  ['field without name', get(': b\r\n'), HEAD],
  ['field without colon', get('X\r\n'), HEAD],
  ['NUL in a value', get('X: a\0b\r\n'), HEAD],
  ['DEL in a value', get('X: a\x7fb\r\n'), HEAD],
  ['bare CR in a value', get('X: a\rb\r\n'), HEAD],
  ['bare LF in a value', get('X: a\nb\r\n'), HEAD],
  ['CR CR LF', get('X: a\r\r\n'), HEAD],
  ['bare LF at the end', `GET /app/ HTTP/1.1\r\n${HOST}\n`, HEAD],
  ['bare LF lines', 'GET /app/ HTTP/1.1\nHost: a\n\n', HEAD],
  ['CR then other', `GET /app/ HTTP/1.1\r\n${HOST}\rX\r\n\r\n`, HEAD],
  ['non-ASCII name', get('X\xe9: a\r\n'), HEAD],
  ['two Hosts', get('Host: b\r\n'), HOSTS],
  ['two equal Hosts', get('Host: a\r\n'), HOSTS],
  ['no Host', 'GET /app/ HTTP/1.1\r\n\r\n', HOSTS],
  ['empty Host', 'GET /app/ HTTP/1.1\r\nHost:\r\n\r\n', HOSTS],
  ['Host list', 'GET /app/ HTTP/1.1\r\nHost: a, b@c\r\n\r\n', HOSTS],
  ['Host with a path', 'GET /app/ HTTP/1.1\r\nHost: a/b\r\n\r\n', HOSTS],
  ['Host with user', 'GET /app/ HTTP/1.1\r\nHost: u@a\r\n\r\n', HOSTS],
  ['absolute form', 'GET http://b/app/ HTTP/1.1\r\nHost: a\r\n\r\n', FORM],
  ['authority form', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', FORM],
  ['CONNECT to a path', 'CONNECT /app/ HTTP/1.1\r\nHost: a\r\n\r\n', FORM],
  ['asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', FORM],
  ['fragment', 'GET /app/#x HTTP/1.1\r\nHost: a\r\n\r\n', FORM],
  ['NUL in the target', 'GET /app/\0 HTTP/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['tab in the target', 'GET /app/\tx HTTP/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['space in the target', 'GET /app/ x HTTP/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['two spaces', 'GET  /app/ HTTP/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['tab for a space', 'GET\t/app/ HTTP/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['space behind the version', 'GET /app/ HTTP/1.1 \r\nHost: a\r\n\r\n', HEAD],
  ['non-ASCII target', 'GET /app/\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['HTTP/0.9', 'GET /app/\r\n', HEAD],
  ['lower-case version', 'GET /app/ http/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['lower-case method', 'get /app/ HTTP/1.1\r\nHost: a\r\n\r\n', HEAD],
  ['version 1.2', 'GET /app/ HTTP/1.2\r\nHost: a\r\n\r\n', 'MESH_ERR_EDGE_VERSION'],
  ['version 2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'MESH_ERR_EDGE_VERSION'],
  ['unknown method', 'FROB /app/ HTTP/1.1\r\nHost: a\r\n\r\n', 'MESH_ERR_EDGE_METHOD_UNKNOWN'],
  ['chunk size overflow', post(CHUNKED, `ffffffffffffffff0\r\n${HIDDEN}`), BODY],
  ['chunk size of many zeros', post(CHUNKED, `${'0'.repeat(40)}3\r\nabc\r\n0\r\n\r\n`), BODY],
  ['chunk size with 0x', post(CHUNKED, '0x3\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk size with sign', post(CHUNKED, '+3\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk size with underscore', post(CHUNKED, '1_0\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk size negative', post(CHUNKED, '-3\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk size empty', post(CHUNKED, `\r\n${HIDDEN}`), BODY],
  ['chunk size with spaces', post(CHUNKED, '3 \r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk size with bare LF', post(CHUNKED, '3\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk size with bare CR', post(CHUNKED, '3\rabc\r\n0\r\n\r\n'), BODY],
  ['chunk data too long', post(CHUNKED, '3\r\nabcd\r\n0\r\n\r\n'), BODY],
  ['chunk data with bare LF', post(CHUNKED, '3\r\nabc\n0\r\n\r\n'), BODY],
  ['chunk extension with LF', post(CHUNKED, '3;a\nb\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk extension with CR', post(CHUNKED, '3;a\rb\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk extension empty', post(CHUNKED, '3;\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk extension unquoted', post(CHUNKED, '3;a="b\r\nabc\r\n0\r\n\r\n'), BODY],
  ['chunk extensions too long', post(CHUNKED, `3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`), BODY],
  ['trailer folded', post(CHUNKED, '0\r\nX: a\r\n b\r\n\r\n'), BODY],
  ['trailer with bare LF', post(CHUNKED, '0\r\nX: a\n\r\n'), BODY],
  ['trailer without colon', post(CHUNKED, '0\r\nGET / HTTP/1.1\r\n\r\n'), BODY],
];

describe('an ambiguous or malformed request', () => {
  it('is refused with its code, ends its connection, and nothing of it reaches an instance', async () => {
    await using world = await startEdge();
    const upstream = await world.net((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
    world.routes.publish('app', [upstream.target]);
    for (const [name, bytes, code] of CORPUS) {
      const answer = await world.ask(bytes + HIDDEN);
      expect(codeIn(answer), name).toBe(code);
      expect(statusesOf(answer), name).toHaveLength(1);
      expect(answer, name).toContain('\r\nConnection: close\r\n');
      expect(answer, name).toMatch(/\r\nX-Mycelium-Edge: \d{4}-\d\d-\d\dT[\d:.]+Z\r\n/);
    }
    expect(upstream.received()).toBe('');
  });

  it('is refused as well when it comes behind a good one, or cut into pieces', async () => {
    await using world = await startEdge();
    const upstream = await world.net((socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n')),
    );
    world.routes.publish('app', [upstream.target]);
    const fraction = seeded(7);
    const bad = CORPUS.filter(([, , code]) => code !== BODY);
    for (const [name, bytes, code] of bad) {
      const client = world.client();
      for (const piece of cut(Buffer.from(get('') + bytes, 'latin1'), 9, fraction)) {
        client.socket.write(piece);
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      const answer = await client.closed();
      expect(codeIn(answer), name).toBe(code);
      expect(statusesOf(answer).at(0), name).toBe(204);
    }
    const requests = upstream.received().split('\r\n\r\n').slice(0, -1);
    expect(requests).toHaveLength(bad.length);
    expect(requests.every((head) => head.startsWith('GET /x HTTP/1.1\r\nHost: a\r\nVia:'))).toBe(
      true,
    );
  });

  it('resets the instance when a body turns out malformed after its head was forwarded', async () => {
    await using world = await startEdge();
    const upstream = await world.net(() => {});
    world.routes.publish('app', [upstream.target]);
    const client = world.client().send(post(CHUNKED, '3\r\nabc\r\n'));
    await until(() => upstream.received().includes('abc\r\n'), 'the first chunk');
    expect(client.received).toBe('');
    client.send(`zz\r\n${HIDDEN}`);
    expect(codeIn(await client.closed())).toBe(BODY);
    await until(() => upstream.sockets.size === 0, 'the end of the connection');
    expect(upstream.received().endsWith('3\r\nabc\r\n')).toBe(true);
  });
});
