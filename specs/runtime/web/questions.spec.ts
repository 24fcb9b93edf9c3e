import { describe, expect, it } from 'vitest';
import { createApp } from '../../../runtime/web/server/app.ts';
import { Gate } from '../../../runtime/web/server/gate.ts';
import { Questions } from '../../../runtime/web/server/questions.ts';
import { Recordings } from '../../../runtime/web/server/recordings.ts';
import { Rows } from '../../../runtime/web/server/rows.ts';
import { actorRow } from './actor-row.ts';

const busy = { type: 'busy' } as const;

describe('Questions', () => {
  it('gives each answer to the one who asked', async () => {
    const asked: number[] = [];
    const questions = new Questions((id) => asked.push(id));
    const answers = [questions.ask({ what: 'tree' }), questions.ask({ what: 'machines' })];
    for (const id of asked.toReversed()) questions.answer(id, { type: 'body', body: id });
    expect(await Promise.all(answers)).toEqual(asked.map((body) => ({ type: 'body', body })));
    questions.answer(99, { type: 'body', body: 'nobody asked' });
  });

  it('is busy when too many wait', async () => {
    const questions = new Questions(() => undefined);
    for (let count = 0; count < 64; count++) void questions.ask({ what: 'tree' });
    expect(await questions.ask({ what: 'tree' })).toEqual(busy);
  });
});

describe('createApp', () => {
  const port = 9_091;
  const env = { incoming: { socket: { localPort: port } } };

  it('shows the rows that it has while the runtime is busy, and says so of all else', async () => {
    const gate = new Gate('token');
    const cookie = gate.redeem('token')?.split(';')[0] ?? '';
    const rows = new Rows();
    rows.apply({ cursor: 1, actors: [actorRow('house')], gone: [], log: [] }, true);
    const recordings = new Recordings();
    const options = { gate, rows, recordings, pageDir: '/nowhere', canSend: false };
    const app = createApp({ ...options, ask: () => Promise.resolve(busy) });
    const get = (path: string) =>
      app.request(path, { headers: { host: `127.0.0.1:${port}`, cookie } }, env);
    expect(await (await get('/api/tree')).json()).toMatchObject([{ path: 'house' }]);
    const machines = await get('/api/machines');
    expect(machines.status).toBe(503);
    expect(await machines.json()).toMatchObject({ error: { code: 'MESH_ERR_INSPECT_BUSY' } });
  });
});
