import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { startInspector } from '../../../runtime/web/inspector.ts';
import { inspectorWorld, is, upgrade, viewer } from '../../support/web/inspector-world.ts';

const NESTED = `{"type":"open","a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;

describe('startInspector', () => {
  it('lets in whoever brings the token first, and nobody after', async () => {
    await using at = await inspectorWorld();
    const url = at.inspector.invite();
    const first = await fetch(url, { redirect: 'manual' });
    expect([first.status, first.headers.get('location')]).toEqual([303, '/']);
    expect(first.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(401);
  });

  it('makes an invitation void with the next one', async () => {
    await using at = await inspectorWorld();
    const [old, current] = [at.inspector.invite(), at.inspector.invite()];
    expect((await fetch(old, { redirect: 'manual' })).status).toBe(401);
    expect((await fetch(current, { redirect: 'manual' })).status).toBe(303);
  });

  it('shows nothing without the cookie', async () => {
    await using at = await inspectorWorld();
    for (const path of ['/', '/api/tree', '/api/machines', '/api/log.jsonl', '/nowhere']) {
      const response = await at.get(path, 'mesh-inspect=guessed');
      expect([path, response.status]).toEqual([path, 401]);
      expect(await response.json()).toMatchObject({ error: { code: 'MESH_ERR_INSPECT_TOKEN' } });
    }
  });

  it('refuses another Host, as a page of another name would send', async () => {
    await using at = await inspectorWorld();
    const cookie = await at.join();
    const { promise, resolve } = Promise.withResolvers<[number | undefined, string]>();
    const headers = { host: `evil.example:${at.inspector.port}`, cookie };
    const { port } = at.inspector;
    httpRequest({ port, host: '127.0.0.1', path: '/api/tree', headers }, (response) => {
      void text(response).then((body) => resolve([response.statusCode, body]));
    }).end();
    expect(await promise).toEqual([403, expect.stringContaining('MESH_ERR_INSPECT_HOST')]);
    expect(await upgrade(port, headers)).toBe(403);
  });

  it('refuses a WebSocket of another Origin, and one without the cookie', async () => {
    await using at = await inspectorWorld();
    const { port } = at.inspector;
    const cookie = await at.join();
    expect(await upgrade(port, { cookie, origin: 'http://evil.example' })).toBe(403);
    expect(await upgrade(port, { origin: at.base })).toBe(401);
    expect(await upgrade(port, { cookie, origin: at.base })).toBe(101);
  });

  it('serves the page with a policy that lets nothing foreign in', async () => {
    await using at = await inspectorWorld();
    const response = await at.get('/', await at.join());
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('<div id="page">');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(
      (await at.get('/../../../package.json', await at.join())).headers.get('content-type'),
    ).toContain('html');
  });

  it('gives the tree, the machines, a chart and an actor as JSON', async () => {
    await using at = await inspectorWorld();
    const cookie = await at.join();
    const json = async (path: string): Promise<unknown> => (await at.get(path, cookie)).json();
    expect(await json('/api/tree')).toMatchObject([
      { path: 'house' },
      { path: 'house/door', machine: 'door', state: 'closed' },
    ]);
    expect(await json('/api/machines')).toMatchObject([{ key: 'door', standing: { closed: 1 } }]);
    expect(await json('/api/machines/door')).toMatchObject({
      chart: { name: 'door' },
      layout: { boxes: { closed: {}, open: {} } },
    });
    expect(await json('/api/actors/house/door')).toMatchObject({ active: ['closed'] });
    for (const path of ['/api/actors/house/nobody', '/api/machines/window', '/api/else'])
      expect(await json(path)).toMatchObject({ error: { code: 'MESH_ERR_INSPECT_UNKNOWN' } });
  });

  it('tells a viewer everything, then what changes', async () => {
    await using at = await inspectorWorld();
    using page = await viewer(at.inspector.port, await at.join());
    page.say({ type: 'resume', cursor: 0 });
    const all = await page.first(is('all'));
    expect(all.actors.map(({ path }) => path)).toEqual(['house', 'house/door']);
    page.say({ type: 'watch', path: 'house/door' });
    await page.first(is('details'));
    at.tree.send('house/door', { type: 'open' });
    const delta = await page.first(is('delta', ({ log }) => log.length > 0));
    expect(delta.actors).toMatchObject([{ path: 'house/door', state: 'open' }]);
    const { details } = await page.first(is('details', (one) => one.details.steps.length > 0));
    expect(details).toMatchObject({ active: ['open'], steps: [{ taken: ['closed|open|0'] }] });
  });

  it('goes on where a viewer was, or begins anew where that is too long ago', async () => {
    await using at = await inspectorWorld();
    const cookie = await at.join();
    using still = await viewer(at.inspector.port, cookie);
    still.say({ type: 'resume', cursor: 0 });
    const { cursor } = await still.first(is('all'));
    at.tree.send('house/door', { type: 'open' });
    await still.first(is('delta', ({ log }) => log.some(({ text }) => text === 'open')));
    using back = await viewer(at.inspector.port, cookie);
    back.say({ type: 'resume', cursor });
    const missed = await back.first(is('delta'));
    expect(missed.log.map(({ text }) => text)).toContain('open');
    using strange = await viewer(at.inspector.port, cookie);
    strange.say({ type: 'resume', cursor: 99_999 });
    expect((await strange.first(is('all'))).actors).toHaveLength(2);
  });

  it('refuses to send, unless that is allowed', async () => {
    await using at = await inspectorWorld();
    using page = await viewer(at.inspector.port, await at.join());
    page.say({ type: 'send', path: 'house/door', event: { type: 'open' } });
    expect((await page.first(is('refused'))).code).toBe('MESH_ERR_INSPECT_READ_ONLY');
    expect(at.tree.snapshotOf('house/door')).toMatchObject({ value: 'closed' });
  });

  it('sends where it is allowed, and writes that down', async () => {
    const done: string[] = [];
    const onAudit = (path: string, text: string): void => void done.push(`${path} ${text}`);
    await using at = await inspectorWorld({ allowSend: true }, { onAudit });
    using page = await viewer(at.inspector.port, await at.join());
    page.say({ type: 'resume', cursor: 0 });
    page.say({ type: 'send', path: 'house/door', event: { type: 'open' } });
    expect(await page.first(is('sent'))).toMatchObject({ ok: true, event: 'open' });
    const isAudit = ({ log }: { log: readonly { kind: string; text: string }[] }): boolean =>
      log.some(({ kind, text }) => kind === 'audit' && text === 'sent open from the page');
    await page.first(is('delta', isAudit));
    expect(at.tree.snapshotOf('house/door')).toMatchObject({ value: 'open' });
    page.say({ type: 'send', path: 'house/nobody', event: { type: 'open' } });
    await page.first(is('sent', ({ ok }) => !ok));
    expect(done).toEqual([
      'house/door sent open from the page',
      'house/nobody sent open from the page: nobody took it',
    ]);
  });

  it('answers what is no message with a refusal, and goes on', async () => {
    await using at = await inspectorWorld({ allowSend: true });
    using page = await viewer(at.inspector.port, await at.join());
    const event = (text: string): string => `{"type":"send","path":"house/door","event":${text}}`;
    const wrong = [
      'no json',
      '[]',
      '{"type":"else"}',
      '{"type":"resume","cursor":-1}',
      '{"type":"watch"}',
      '{"type":"at","seq":1}',
      event('{"type":"xstate.stop"}'),
      event(NESTED),
    ];
    for (const text of wrong) page.raw(text);
    page.say({ type: 'resume', cursor: 0 });
    await page.first(is('all'));
    const refused = page.seen.filter(is('refused')).map(({ code }) => code);
    expect(refused).toEqual(wrong.map(() => 'MESH_ERR_INSPECT_MESSAGE'));
    expect(at.tree.snapshotOf('house/door')).toMatchObject({ value: 'closed' });
  });

  it('closes a connection that sends an oversized frame', async () => {
    await using at = await inspectorWorld();
    using page = await viewer(at.inspector.port, await at.join());
    page.raw('x'.repeat(70_000));
    expect(await page.closed).toBe(1009);
  });

  it('says which port it cannot have', async () => {
    await using at = await inspectorWorld();
    await using other = await inspectorWorld();
    await expect(
      startInspector(other.tree, { port: at.inspector.port, pageDir: at.pageDir }),
    ).rejects.toMatchObject({
      code: 'MESH_ERR_INSPECT_PORT',
    });
  });
});
