/** Recordings at the port of the inspector. */
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startReplay } from '../../../runtime/web/inspector.ts';
import { RECORDING_BYTES_MAX } from '../../../runtime/web/recording/bounds.ts';
import { recordTree } from '../../../runtime/web/recording/record-tree.ts';
import { inspectorWorld, is, plainPage, viewer } from '../../support/web/inspector-world.ts';

/** What `house/door` did when it was told to open. */
async function recordingOf(at: Awaited<ReturnType<typeof inspectorWorld>>): Promise<string> {
  const stop = new AbortController();
  let text = '';
  for await (const line of recordTree(at.tree, { signal: stop.signal })) {
    text += `${line}\n`;
    if (line.includes('"rows"') && !stop.signal.aborted) {
      at.tree.send('house/door', { type: 'open' });
      stop.abort();
    }
  }
  return text;
}

describe('a recording that is given to the inspector', () => {
  it('is shown beside what runs, and moves', async () => {
    await using at = await inspectorWorld();
    const cookie = await at.join();
    const response = await at.post('/api/recordings', cookie, await recordingOf(at));
    expect(response.status).toBe(201);
    const { id, recording } = (await response.json()) as { id: string; recording: unknown };
    expect(recording).toMatchObject({ title: 'house', firstSeq: 1, lastSeq: 1, end: 'asked' });
    using page = await viewer(at.inspector.port, cookie, `/live?recording=${id}`);
    page.say({ type: 'resume', cursor: 0 });
    page.say({ type: 'watch', path: 'house/door' });
    expect(await page.first(is('all'))).toMatchObject({
      canSend: false,
      recording: { lastSeq: 1 },
    });
    expect((await page.first(is('details'))).details).toMatchObject({
      active: ['open'],
      steps: [{ taken: ['closed|open|0'] }],
    });
    page.say({ type: 'at', seq: 0 });
    expect(await page.first(is('delta'))).toMatchObject({ at: 1, log: [] });
    page.say({ type: 'follow', view: 'mesh' });
    expect(await page.first(is('view'))).toMatchObject({ body: { available: false } });
    page.say({ type: 'send', path: 'house/door', event: { type: 'open' } });
    expect((await page.first(is('refused'))).code).toBe('MESH_ERR_INSPECT_READ_ONLY');
    const chart = await at.get(`/api/machines/door?recording=${id}`, cookie);
    expect(await chart.json()).toMatchObject({ chart: { name: 'door' } });
    expect((await at.get('/api/machines/door?recording=none', cookie)).status).toBe(404);
  });

  it('is refused where it is none, and from where nothing may be changed', async () => {
    await using at = await inspectorWorld();
    const cookie = await at.join();
    const refusals = [
      await at.post('/api/recordings', cookie, 'no recording'),
      await at.post('/api/recordings', 'mesh-inspect=guessed', ''),
      await at.post('/api/recordings', cookie, '', { origin: 'http://evil.example' }),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([400, 401, 403]);
    const unannounced = await fetch(`${at.base}/api/recordings`, {
      method: 'POST',
      headers: { cookie },
      body: new Blob(['x']).stream(),
      duplex: 'half',
    });
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const tooLong = httpRequest(`${at.base}/api/recordings`, {
      method: 'POST',
      headers: { cookie, 'content-length': RECORDING_BYTES_MAX + 1 },
    });
    tooLong.once('response', ({ statusCode }) => resolve(statusCode));
    tooLong.flushHeaders();
    expect(await promise).toBe(400);
    tooLong.destroy();
    for (const response of [refusals[0], unannounced])
      expect(await response?.json()).toMatchObject({
        error: { code: 'MESH_ERR_INSPECT_RECORDING' },
      });
  });
});

describe('startReplay', () => {
  it('shows a recording alone, also over REST, and refuses what is none', async () => {
    await using at = await inspectorWorld();
    const text = await recordingOf(at);
    await using page = await plainPage();
    const replay = await startReplay(text, { pageDir: page.folder });
    try {
      const entered = await fetch(replay.invite(), { redirect: 'manual' });
      const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
      const tree = await fetch(`http://127.0.0.1:${replay.port}/api/tree`, { headers: { cookie } });
      expect(await tree.json()).toMatchObject([
        { path: 'house' },
        { path: 'house/door', state: 'open' },
      ]);
      using live = await viewer(replay.port, cookie);
      live.say({ type: 'resume', cursor: 0 });
      expect(await live.first(is('all'))).toMatchObject({ title: 'house', recording: {} });
    } finally {
      await replay.close();
    }
    await expect(startReplay('no recording', { pageDir: page.folder })).rejects.toMatchObject({
      code: 'MESH_ERR_INSPECT_RECORDING',
    });
  });
});
