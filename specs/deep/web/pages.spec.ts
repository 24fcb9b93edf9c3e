/** The pages beside the tree, as their server gives them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chartOf } from '../../../runtime/charts/chart.ts';
import { coverageOf, writeCoverage } from '../../../runtime/charts/coverage.ts';
import { createFakeMesh } from '../../support/control/fake-mesh.ts';
import { doorMachine, inspectorWorld, is, viewer } from '../../support/web/inspector-world.ts';

const ROLLBACK = '/api/workloads/hello/rollback';

describe('the pages of workloads, mesh and messages', () => {
  it('say of a tree without a mesh that there is none', async () => {
    await using at = await inspectorWorld();
    const cookie = await at.join();
    for (const name of ['workloads', 'mesh', 'messages'])
      expect(await (await at.get(`/api/${name}`, cookie)).json()).toMatchObject({
        available: false,
        why: 'This is a tree of actors, and no mesh.',
      });
    const response = await at.post(ROLLBACK, cookie, {});
    expect(response.status).toBe(403);
  });

  it('show apps with their instances and deployments, and what the mesh does not have', async () => {
    await using at = await inspectorWorld({}, { mesh: createFakeMesh() });
    const cookie = await at.join();
    const json = async (path: string): Promise<unknown> => (await at.get(path, cookie)).json();
    expect(await json('/api/workloads')).toMatchObject({
      available: true,
      apps: [
        {
          app: 'hello',
          state: 'running',
          instances: [{ role: 'active', path: 'mesh/agents/node-1/@instances/hello-1' }, {}],
          deployments: [{ outcome: 'succeeded', reason: null }],
        },
      ],
    });
    expect(await json('/api/mesh')).toMatchObject({
      available: true,
      coordinator: { available: false, hint: expect.stringContaining('mesh coordinator') },
      certificates: { available: true, rows: [{ app: null }, { failure: expect.any(String) }] },
      relay: { available: false, hint: expect.stringContaining('mesh peer') },
    });
    expect(await json('/api/messages')).toMatchObject({ available: false });
  });

  it('show what there is although one part fails', async () => {
    const certificate = {
      app: 'hello',
      node: 'node-1',
      instance: 'hello-1',
      state: 'valid',
      spiffeId: 'spiffe://mesh/hello',
      serialNumber: '01',
      notAfter: '2030-01-01T00:00:00Z',
      renewAt: '2029-01-01T00:00:00Z',
      renewals: 0,
      failure: null,
    } as const;
    const mesh = {
      ...createFakeMesh(),
      coordinator: () => Promise.reject(new Error('it does not answer')),
      certificates: () => Promise.resolve([certificate]),
    };
    await using at = await inspectorWorld({}, { mesh });
    const response = await at.get('/api/mesh', await at.join());
    expect(await response.json()).toMatchObject({
      coordinator: { available: false, why: 'it does not answer' },
      certificates: { available: true, rows: [certificate] },
    });
  });

  it('are told to whoever follows them, and again when they change', async () => {
    await using at = await inspectorWorld({ allowSend: true }, { mesh: createFakeMesh() });
    const cookie = await at.join();
    using page = await viewer(at.inspector.port, cookie);
    page.say({ type: 'follow', view: 'workloads' });
    const { body } = await page.first(is('view'));
    expect(body).toMatchObject({ apps: [{ app: 'hello', generation: 1 }] });
    expect((await at.post(ROLLBACK, cookie, {})).status).toBe(200);
    await page.first(is('view', (one) => JSON.stringify(one.body).includes('"generation":2')));
    page.say({ type: 'follow', view: 'else' });
    expect(await page.first(is('refused'))).toMatchObject({ code: 'MESH_ERR_INSPECT_MESSAGE' });
  });
});

describe('the rollback of the page', () => {
  it('is refused unless sending is allowed', async () => {
    const mesh = createFakeMesh();
    await using at = await inspectorWorld({}, { mesh });
    const response = await at.post(ROLLBACK, await at.join(), {});
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: 'MESH_ERR_INSPECT_READ_ONLY' } });
    expect(mesh.calls).toEqual([]);
  });

  it('goes back, says to which generation, and is written down', async () => {
    const mesh = createFakeMesh();
    await using at = await inspectorWorld({ allowSend: true }, { mesh });
    const cookie = await at.join();
    const response = await at.post(ROLLBACK, cookie, { generation: 1 }, { origin: at.base });
    expect(await response.json()).toEqual({ app: 'hello', generation: 2 });
    expect(mesh.calls).toEqual([{ method: 'rollback', argument: { app: 'hello', generation: 1 } }]);
    const unknown = await at.post('/api/workloads/nobody/rollback', cookie, {});
    expect(unknown.status).toBe(404);
    const log = await (await at.get('/api/log.jsonl', cookie)).text();
    expect(log).toContain('rolled back to generation 1 from the page: generation 2');
    expect(log).toContain('rollback from the page was refused');
  });

  it('is refused from another origin, without the cookie, and with a body that is none', async () => {
    const mesh = createFakeMesh();
    await using at = await inspectorWorld({ allowSend: true }, { mesh });
    const cookie = await at.join();
    const codeOf = async (answer: Promise<Response>): Promise<[number, string]> => {
      const response = await answer;
      const { error } = (await response.json()) as { error: { code: string } };
      return [response.status, error.code];
    };
    const foreign = { origin: 'http://evil.example' };
    expect(await codeOf(at.post(ROLLBACK, cookie, {}, foreign))).toEqual([
      403,
      'MESH_ERR_INSPECT_ORIGIN',
    ]);
    expect(await codeOf(at.post(ROLLBACK, 'mesh-inspect=guessed', {}))).toEqual([
      401,
      'MESH_ERR_INSPECT_TOKEN',
    ]);
    for (const body of ['no json', '{"generation":0}', '{"else":1}', ' '.repeat(5_000)])
      expect(await codeOf(at.post(ROLLBACK, cookie, body))).toEqual([
        400,
        'MESH_ERR_INSPECT_REQUEST',
      ]);
    expect(mesh.calls).toEqual([]);
  });

  it('says what failed where that has no code', async () => {
    const mesh = { ...createFakeMesh(), rollback: () => Promise.reject(new Error('out of disk')) };
    await using at = await inspectorWorld({ allowSend: true }, { mesh });
    const response = await at.post(ROLLBACK, await at.join(), {});
    expect([response.status, await response.json()]).toMatchObject([
      500,
      {
        error: { code: 'MESH_ERR_INSPECT_FAILED', message: expect.stringContaining('out of disk') },
      },
    ]);
  });
});

describe('the coverage of a chart', () => {
  it('is the sum of its files, and says so where they are of another definition', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coverage-'));
    const chart = chartOf(doorMachine);
    try {
      await using at = await inspectorWorld({}, { coverageDir: join(folder, 'here') });
      const cookie = await at.join();
      const get = async (key = 'door') => at.get(`/api/machines/${key}/coverage`, cookie);
      expect(await (await get()).json()).toMatchObject({ available: false });
      expect((await get('window')).status).toBe(404);
      const once = coverageOf(chart, new Map([['closed|open|0', 2]]));
      await writeCoverage(join(folder, 'here', 'old.json'), { ...once, hash: 'another' });
      expect(await (await get()).json()).toMatchObject({ available: true, isCurrent: false });
      await writeCoverage(join(folder, 'here', 'a.json'), once);
      await writeCoverage(join(folder, 'here', 'b.json'), once);
      await writeFile(join(folder, 'here', 'broken.json'), '{');
      expect(await (await get()).json()).toEqual({
        available: true,
        machine: 'door',
        isCurrent: true,
        covered: 1,
        total: 2,
        transitions: [
          { id: 'closed|open|0', count: 4 },
          { id: 'open|close|0', count: 0 },
        ],
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
