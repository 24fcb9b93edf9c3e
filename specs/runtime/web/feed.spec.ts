import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { FeedNews } from '../../../runtime/web/ui/feed/wire.types.ts';
import { feedWorld } from '../../support/gossip/feed-world.ts';
import { scratch } from '../../support/scratch.ts';
import { until } from '../../support/until.ts';

/** A page that is built already, so that this spec builds none. */
async function world() {
  const folder = scratch();
  mkdirSync(folder.file('page'));
  writeFileSync(folder.file('page/index.html'), '<!doctype html><title>feed</title>');
  const at = await feedWorld({ pageDir: folder.file('page') });
  const origin = `http://127.0.0.1:${String(at.feed.port)}`;
  const entered = await fetch(at.feed.invite(), { redirect: 'manual' });
  const cookie = (entered.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return {
    at,
    origin,
    cookie,
    entered,
    get: (path: string, headers: Record<string, string> = { cookie }) =>
      fetch(`${origin}${path}`, { headers }),
    post: (body: unknown, headers: Record<string, string> = {}) =>
      fetch(`${origin}/api/messages`, {
        method: 'POST',
        headers: { cookie, origin, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    live: (after: number, headers: Record<string, string> = { cookie }) =>
      new WebSocket(`ws://127.0.0.1:${String(at.feed.port)}/live?after=${String(after)}`, {
        headers,
      }),
    [Symbol.asyncDispose]: async () => {
      await at[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Everything that a socket was told, from the first word on. */
function hearing(socket: WebSocket): FeedNews[] {
  const news: FeedNews[] = [];
  socket.on('message', (data: Buffer) => news.push(JSON.parse(data.toString()) as FeedNews));
  return news;
}

describe('serveFeed', () => {
  it('lets in who brings the token first, and nobody without the cookie', async () => {
    await using w = await world();
    expect([w.entered.status, w.entered.headers.get('location')]).toEqual([303, '/']);
    expect(w.cookie).toMatch(/^mesh-feed-[0-9a-f]{16}=/);
    expect((await w.get('/api/peer', {})).status).toBe(401);
    expect((await w.get('/', {})).status).toBe(401);
    const page = await w.get('/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await (await w.get('/api/peer')).json()).toMatchObject({ meshId: 'mesh', relay: null });
  });

  it('posts as its peer, and refuses what is no message or comes from elsewhere', async () => {
    await using w = await world();
    const posted = await w.post({ text: 'hello' });
    expect(posted.status).toBe(201);
    const [row] = (await (await w.get('/api/messages')).json()) as { id: string; text: string }[];
    expect([await posted.json(), row?.text]).toEqual([{ id: row?.id }, 'hello']);
    for (const body of ['', 'no json', {}, { text: '' }, { text: 'a', more: 1 }])
      expect((await w.post(body)).status).toBe(400);
    expect((await w.post({ text: 'a' }, { 'content-type': 'text/plain' })).status).toBe(400);
    expect((await w.post({ text: 'a' }, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await w.post({ text: 'ä'.repeat(40_000) })).status).toBe(409);
    expect((await w.get('/api/nothing')).status).toBe(404);
  });

  it('tells each message once with its number, also to one that comes back', async () => {
    await using w = await world();
    await w.at.source.post({ text: 'one' });
    const first = w.live(0);
    const heard = hearing(first);
    await until(() => heard.length === 1);
    expect(heard[0]).toMatchObject({ type: 'NewMessage', seq: 1, message: { text: 'one' } });
    first.close();
    await once(first, 'close');
    for (const text of ['two', 'three']) await w.at.source.post({ text });
    const second = w.live(1);
    const rest = hearing(second);
    await until(() => rest.length === 2);
    await w.at.source.post({ text: 'four' });
    await until(() => rest.length === 3);
    expect(rest.map(({ seq, message }) => [seq, message.text])).toEqual([
      [2, 'two'],
      [3, 'three'],
      [4, 'four'],
    ]);
    second.close();
  });

  it('tells a message again when its author becomes known', async () => {
    await using w = await world();
    const heard = await w.at.hear('who am I?');
    const socket = w.live(0);
    const news = hearing(socket);
    await until(() => news.length === 1);
    expect(news[0]?.message).toMatchObject({ text: 'who am I?', isVerified: false });
    await w.at.meet(heard);
    await until(() => news.length === 2);
    expect(news[1]?.message).toMatchObject({ id: heard.header.message_id, isVerified: true });
    expect(news[1]?.seq).toBeGreaterThan(news[0]?.seq ?? 0);
    socket.close();
  });

  it('refuses a socket without the cookie, of another origin, or for a row that is none', async () => {
    await using w = await world();
    const refusalOf = async (socket: WebSocket): Promise<string> => {
      const [error] = (await once(socket, 'error')) as [Error];
      return error.message;
    };
    expect(await refusalOf(w.live(0, {}))).toContain('401');
    expect(
      await refusalOf(w.live(0, { cookie: w.cookie, origin: 'http://evil.example' })),
    ).toContain('403');
    expect(await refusalOf(w.live(-1))).toContain('404');
  });

  it('says that a port is taken', async () => {
    await using w = await world();
    await expect(feedWorld({ port: w.at.feed.port, pageDir: '/nowhere' })).rejects.toMatchObject({
      code: 'MESH_ERR_INSPECT_PORT',
    });
  });
});
