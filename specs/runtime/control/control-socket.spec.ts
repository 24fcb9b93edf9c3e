import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectControl } from '../../../runtime/control/client.ts';
import type { MeshControl } from '../../../runtime/control/mesh-control.ts';
import { serveControl } from '../../../runtime/control/server.ts';
import { createFakeMesh } from '../../support/control/fake-mesh.ts';
import { DIGEST_2 } from '../../support/control/records.ts';
import type { FakeMesh } from '../../support/control/fake-mesh.ts';
import { scratch } from '../../support/scratch.ts';

async function served(home: string, mesh: MeshControl = createFakeMesh()) {
  const server = await serveControl(mesh, { home });
  const client = connectControl(home);
  return {
    client,
    close: () => server.close(),
    [Symbol.asyncDispose]: async () => {
      client.close();
      await server.close();
    },
  };
}

/** A request that no client of ours would make. */
async function raw(socketPath: string, method: string, path: string, body = '') {
  const asked = request({ socketPath, method, path, agent: false });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [
    AsyncIterable<Buffer> & { statusCode: number },
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return {
    status: response.statusCode,
    json: JSON.parse(Buffer.concat(chunks).toString()) as unknown,
  };
}

async function collect<Value>(source: AsyncIterable<Value>): Promise<Value[]> {
  const values: Value[] = [];
  for await (const value of source) values.push(value);
  return values;
}

describe('serveControl', () => {
  it('gives a recording line by line, and passes events on', async () => {
    using dir = scratch();
    const mesh = createFakeMesh();
    await using at = await served(dir.path, mesh);
    expect(await collect(at.client.record())).toEqual(await collect(mesh.record()));
    const request = { path: 'mesh/agents/node-1', event: { type: 'open', by: 'me' } };
    await at.client.send(request);
    expect(mesh.calls).toEqual([{ method: 'send', argument: request }]);
    for (const event of [{ type: '' }, { type: 'xstate.stop' }, {} as { type: string }])
      await expect(at.client.send({ path: 'mesh', event })).rejects.toMatchObject({
        code: 'MESH_ERR_CONTROL_INVALID_REQUEST',
      });
    await expect(collect(at.client.record({ forMs: 0 }))).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_INVALID_REQUEST',
    });
  });

  it('answers every question as the mesh itself does', async () => {
    using dir = scratch();
    const mesh = createFakeMesh();
    await using at = await served(dir.path, mesh);
    expect(await at.client.info()).toEqual(await mesh.info());
    expect(await at.client.ps()).toEqual(await mesh.ps());
    expect(await at.client.apps()).toEqual(await mesh.apps());
    expect(await at.client.certificates()).toEqual(await mesh.certificates());
    expect(await at.client.status('hello')).toEqual(await mesh.status('hello'));
    expect(await at.client.history('hello')).toEqual(await mesh.history('hello'));
    expect(await at.client.describe()).toEqual(await mesh.describe());
    expect(await at.client.metrics()).toEqual(await mesh.metrics());
  });

  it('hands every change to the mesh with its arguments', async () => {
    using dir = scratch();
    const mesh: FakeMesh = createFakeMesh();
    await using at = await served(dir.path, mesh);
    const run = { app: 'hello', digest: DIGEST_2, min: 1, max: 3, strategy: 'stop_first' } as const;
    expect((await at.client.run(run)).generation).toBe(2);
    await at.client.scale({ app: 'hello', min: 0, max: 2 });
    await at.client.rollback('hello');
    await at.client.rollback('hello', 1);
    await at.client.restart('hello');
    await at.client.stopApp('hello');
    await at.client.remove('hello');
    expect(mesh.calls).toEqual([
      { method: 'run', argument: run },
      { method: 'scale', argument: { app: 'hello', min: 0, max: 2 } },
      { method: 'rollback', argument: { app: 'hello', generation: undefined } },
      { method: 'rollback', argument: { app: 'hello', generation: 1 } },
      { method: 'restart', argument: 'hello' },
      { method: 'stop', argument: 'hello' },
      { method: 'remove', argument: 'hello' },
    ]);
  });

  it('streams a deployment until it ended', async () => {
    using dir = scratch();
    await using at = await served(dir.path);
    const { generation } = await at.client.run({ app: 'hello', digest: DIGEST_2 });
    const seen = await collect(at.client.follow('hello', generation));
    expect(seen.map(({ deployment, serving }) => [deployment.outcome, serving])).toEqual([
      ['pending', 0],
      ['pending', 1],
      ['succeeded', 2],
    ]);
  });

  it('carries a coded error across, with its hint', async () => {
    using dir = scratch();
    await using at = await served(dir.path);
    await expect(at.client.status('nobody')).rejects.toMatchObject({
      code: 'MESH_ERR_FABRIC_UNKNOWN_APP',
      message: 'No app nobody is known.',
      hint: 'List the apps with `mesh ps`.',
    });
    await expect(collect(at.client.follow('nobody', 1))).rejects.toMatchObject({
      code: 'MESH_ERR_FABRIC_UNKNOWN_APP',
    });
  });

  it('tells a defect from an answer', async () => {
    using dir = scratch();
    const broken = { ...createFakeMesh(), ps: () => Promise.reject(new Error('no such column')) };
    const defects: unknown[] = [];
    const server = await serveControl(broken, {
      home: dir.path,
      onDefect: (error) => defects.push(error),
    });
    await expect(connectControl(dir.path).ps()).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_INTERNAL',
      message: 'The mesh failed: no such column',
    });
    expect(defects).toEqual([new Error('no such column')]);
    await server.close();
  });

  it('makes the folder 0700 and the socket 0600', async () => {
    using dir = scratch();
    const home = dir.file('state/mesh');
    await using _ = await served(home);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'mesh.sock')).mode & 0o777).toBe(0o600);
  });

  it('works where the path of the socket is over 107 bytes', async () => {
    using dir = scratch();
    const home = dir.file('x'.repeat(200));
    await using at = await served(home);
    expect(await at.client.ps()).toHaveLength(2);
    expect(statSync(join(home, 'mesh.sock')).mode & 0o777).toBe(0o600);
  });

  it('replaces the socket file of a dead mesh', async () => {
    using dir = scratch();
    const holder = createServer().listen(dir.file('first.sock'));
    await once(holder, 'listening');
    // Renamed before the close, so that closing does not unlink it: what a SIGKILL leaves behind.
    renameSync(dir.file('first.sock'), dir.file('mesh.sock'));
    holder.close();
    await once(holder, 'close');
    expect(statSync(dir.file('mesh.sock')).isSocket()).toBe(true);
    await using at = await served(dir.path);
    expect(await at.client.ps()).toHaveLength(2);
  });

  it('refuses to take the socket of a living mesh', async () => {
    using dir = scratch();
    await using at = await served(dir.path);
    await expect(serveControl(createFakeMesh(), { home: dir.path })).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_ALREADY_RUNNING',
    });
    expect(await at.client.ps()).toHaveLength(2);
  });

  it('refuses malformed requests and says which field', async () => {
    using dir = scratch();
    const mesh = createFakeMesh();
    await using _ = await served(dir.path, mesh);
    const socket = dir.file('mesh.sock');
    const table: readonly [string, string, string, number, string][] = [
      ['PUT', '/v1/apps/hello', '{"digest":"abc"}', 400, 'digest: a digest has 64'],
      ['PUT', '/v1/apps/hello', `{"digest":"${DIGEST_2}","min":2,"max":1}`, 400, 'min: min is at'],
      ['PUT', '/v1/apps/hello', `{"digest":"${DIGEST_2}","minimum":2}`, 400, 'minimum'],
      ['PUT', '/v1/apps/Hello', `{"digest":"${DIGEST_2}"}`, 400, 'app: an app is named'],
      ['PUT', '/v1/apps/hello', 'not json', 400, 'is not JSON'],
      ['POST', '/v1/apps/hello/scale', '{"min":-1,"max":1}', 400, 'min:'],
      ['GET', '/v1/apps/hello/deployments/0', '', 400, 'generation:'],
      ['GET', '/v1/nothing', '', 404, 'no operation GET /v1/nothing'],
      ['GET', '/v1/apps/%zz', '', 404, 'no operation'],
      ['POST', '/v1/apps/hello/stop', 'x'.repeat(65_537), 413, 'over 65536 bytes'],
    ];
    for (const [method, path, body, status, message] of table) {
      const answer = await raw(socket, method, path, body);
      expect([path, answer.status]).toEqual([path, status]);
      expect(JSON.stringify(answer.json)).toContain(message);
    }
    const { json } = await raw(socket, 'GET', '/v2/instances');
    expect(json).toMatchObject({ error: { code: 'MESH_ERR_CONTROL_UNKNOWN_ROUTE' } });
    expect(mesh.calls).toEqual([]);
  });

  it('ends the stream of a reader that left', async () => {
    using dir = scratch();
    const mesh = createFakeMesh();
    const aborted = Promise.withResolvers<string>();
    const watched: MeshControl = {
      ...mesh,
      async *follow(app, generation, signal) {
        signal?.addEventListener('abort', () => {
          aborted.resolve('aborted');
        });
        yield* mesh.follow(app, generation);
        await aborted.promise;
      },
    };
    await using at = await served(dir.path, watched);
    const leave = new AbortController();
    for await (const _ of at.client.follow('hello', 1, leave.signal)) break;
    leave.abort();
    expect(await aborted.promise).toBe('aborted');
  });

  it('cuts followers off when it closes, which is not the end of a deployment', async () => {
    using dir = scratch();
    const mesh = createFakeMesh();
    mesh.beforeEnd = () => new Promise(() => undefined);
    const at = await served(dir.path, mesh);
    const seen: number[] = [];
    const following = (async () => {
      for await (const { serving } of at.client.follow('hello', 1)) {
        seen.push(serving);
        if (serving === 1) await at.close();
      }
    })();
    await expect(following).rejects.toMatchObject({ code: 'MESH_ERR_CONTROL_DISCONNECTED' });
    expect(seen).toEqual([0, 1]);
  });
});

describe('connectControl', () => {
  it('says what the system answered where nobody serves', async () => {
    using dir = scratch();
    await expect(connectControl(dir.path).ps()).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_UNREACHABLE',
      message: `No mesh answers on ${dir.file('mesh.sock')}: ENOENT.`,
      retryable: true,
    });
    await expect(connectControl(dir.file('y'.repeat(200))).ps()).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_UNREACHABLE',
    });
  });

  it('refuses what is no answer of this protocol', async () => {
    using dir = scratch();
    const server = createServer((socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
    }).listen(dir.file('mesh.sock'));
    await once(server, 'listening');
    await expect(connectControl(dir.path).ps()).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_BAD_RESPONSE',
    });
    server.close();
  });

  it('tells a connection that broke from one that was never made', async () => {
    using dir = scratch();
    const server = createServer((socket) => {
      socket.once('data', () => socket.destroy());
    }).listen(dir.file('mesh.sock'));
    await once(server, 'listening');
    await expect(connectControl(dir.path).ps()).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_DISCONNECTED',
    });
    server.close();
  });

  it('is told of a state folder that is a file', async () => {
    using dir = scratch();
    writeFileSync(dir.file('home'), '');
    await expect(serveControl(createFakeMesh(), { home: dir.file('home') })).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_HOME_UNUSABLE',
    });
    mkdirSync(dir.file('taken/mesh.sock'), { recursive: true });
    await expect(serveControl(createFakeMesh(), { home: dir.file('taken') })).rejects.toMatchObject(
      {
        code: 'MESH_ERR_CONTROL_HOME_UNUSABLE',
      },
    );
  });
});
